"""`m3w shards`: the commands on datasets, each imported when it is called."""

import click

from openm3w.lazy import Lazy, LazyGroup

COMMANDS = {
    "export": Lazy(
        "openm3w.pipeline.export_cli:export",
        "Writes a dataset in another format, or with its images as they were fetched.",
    ),
    "import": Lazy(
        "openm3w.shards.commands.importing:import_command",
        "Writes a dataset of another format as shards; nothing is fetched.",
    ),
    "join": Lazy(
        "openm3w.shards.commands.join:join",
        "Writes a mixture: one manifest that names several.",
    ),
    "ls": Lazy(
        "openm3w.shards.commands.listing:ls", "Lists the shards of MANIFEST with their counts."
    ),
    "merge": Lazy(
        "openm3w.shards.commands.editing:merge",
        "Writes datasets of one kind as one, their shards with new numbers.",
    ),
    "repair-index": Lazy(
        "openm3w.shards.commands.repair:repair_index",
        "Writes the .tar.idx of shards where they are missing or wrong, from the tars.",
    ),
    "show": Lazy(
        "openm3w.shards.commands.listing:show",
        "Prints the JSON of one sample, and the members that stand beside it.",
    ),
    "shuffle": Lazy(
        "openm3w.shards.commands.editing:shuffle",
        "Writes the samples of MANIFEST in another order, over all shards of a split.",
    ),
    "split": Lazy(
        "openm3w.pipeline.split_cli:split",
        "Writes the samples of MANIFEST into shards of another size, or with another hold-out.",
    ),
    "stats": Lazy(
        "openm3w.shards.commands.listing:stats_command",
        "Counts what MANIFEST holds: sizes, scores, languages, domains.",
    ),
    "tokens": Lazy(
        "openm3w.trainer.tokens_cli:tokens",
        "Counts the text tokens of each shard of MANIFEST by a tokenizer, and keeps the counts.",
    ),
    "verify": Lazy(
        "openm3w.shards.commands.verify:verify",
        "Checks every byte, sample and image of MANIFEST; exit 1 where something is wrong.",
    ),
}
"""Command -> where it is defined, and what `m3w shards --help` says of it."""

PLANNED = {
    "redact": "deletion requests",
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
