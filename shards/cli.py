"""`m3w shards`: the commands on datasets, each imported when it is called."""

import click

from openm3w.lazy import Lazy, LazyGroup

COMMANDS = {
    "export": Lazy(
        "openm3w.pipeline.originals_cli:export",
        "Writes a build's shards with its images as they were fetched.",
    ),
    "join": Lazy(
        "openm3w.shards.commands.join:join",
        "Writes a mixture: one manifest that names several.",
    ),
    "ls": Lazy(
        "openm3w.shards.commands.listing:ls", "Lists the shards of MANIFEST with their counts."
    ),
    "redact": Lazy(
        "openm3w.pipeline.redacting.cli:command",
        "Takes documents and images out of datasets and of the stores of their builds.",
    ),
    "show": Lazy(
        "openm3w.shards.commands.listing:show",
        "Prints the JSON of one sample, and the members that stand beside it.",
    ),
    "stats": Lazy(
        "openm3w.shards.commands.listing:stats_command",
        "Counts what MANIFEST holds: sizes, scores, languages, domains.",
    ),
    "verify": Lazy(
        "openm3w.shards.commands.verify:verify",
        "Checks every byte, sample and image of MANIFEST; exit 1 where something is wrong.",
    ),
}
"""Command -> where it is defined, and what `m3w shards --help` says of it."""

PLANNED = {
    "import": "other formats as shards",
}
"""Commands of the design that this version refuses, with what they will do."""


@click.group(cls=LazyGroup, lazy=COMMANDS, planned=PLANNED, path="m3w shards")
def shards() -> None:
    """Lists, shows, counts, checks and joins datasets.

    MANIFEST is a manifest.json, the folder of one, or a mixture.

    \b
    m3w shards ls out
    m3w shards verify out
    m3w shards join out captions text --output mix.json
    """
