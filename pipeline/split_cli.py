"""`m3w shards split`: beside shards it needs to know who registered a domain."""

import functools
import re
from pathlib import Path

import click

from openm3w.filters.url import registered_domain
from openm3w.shards.commands.editing import only_dataset, output_option, say, tell
from openm3w.shards.commands.options import manifest_argument
from openm3w.shards.editing import edits
from openm3w.shards.editing.cutting import Size
from openm3w.shards.sample import Kind, Sample

_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


def _num_bytes(_: click.Context, __: click.Parameter, value: str | None) -> int:
    """A size as people write it, in bytes; 0 where none is given."""
    if value is None:
        return 0
    found = re.fullmatch(r"(\d+) ?([kmg]i?|)b?", value.strip().lower())
    if not found or not int(found[1]):
        raise click.BadParameter(f"{value!r} is no size; write one as 500MB or 1GiB")
    return int(found[1]) * _UNITS[found[2]]


@click.command()
@manifest_argument
@output_option
@click.option("--samples-per-shard", type=click.IntRange(min=1), help="At most so many.")
@click.option(
    "--max-bytes", metavar="SIZE", callback=_num_bytes, help="Of a tar, as 500MB or 1GiB."
)
@click.option(
    "--val-share",
    type=click.FloatRange(0, 1),
    help="Choose train and val anew, so large a share of the groups of --by being val.",
)
@click.option(
    "--by",
    type=click.Choice(["domain"]),
    default="domain",
    show_default=True,
    help="What is never in both: a registered domain, of captions that of the image.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of --val-share.")
def split(
    where: str,
    output: Path,
    samples_per_shard: int | None,
    max_bytes: int,
    val_share: float | None,
    by: str,  # noqa: ARG001  # of one sort so far
    seed: int,
) -> None:
    """Writes the samples of MANIFEST into shards of another size, or with another hold-out.

    Their order stays. Samples on the exclude list are left out. With --val-share and the seed of
    a build the splits are those that the build would have made; other splits than train and val
    stay. Reads everything twice, and with --val-share three times.

    \b
    m3w shards split out --output small --samples-per-shard 500
    m3w shards split out --output even --max-bytes 500MB
    m3w shards split both --output held --val-share 0.01
    """
    dataset = only_dataset(where)
    edited = edits.split(
        dataset,
        output,
        size=Size(samples=samples_per_shard or 0, tar_bytes=max_bytes),
        val_share=val_share,
        group=functools.partial(group_of, kind=dataset.kind),
        seed=seed,
        say=say,
    )
    tell(edited)


def group_of(sample: Sample, kind: Kind) -> str:
    """What decides the split of a sample, as in builds: the registered domain of its page.

    Of a pair that of its image; where there is no domain, the key.
    """
    document = sample.document
    url = document.images[0].url if kind == "caption" else document.url
    return registered_domain(url) or sample.key
