"""`m3w shards merge` and `shuffle`: datasets made of datasets."""

from pathlib import Path

import click

from openm3w.errors import InputError
from openm3w.shards import manifest
from openm3w.shards.commands.options import manifest_argument
from openm3w.shards.editing import edits
from openm3w.shards.editing.keeping import OnDuplicate
from openm3w.shards.editing.writing import Edited
from openm3w.shards.manifest import Manifest
from openm3w.shards.terminal import counted

output_option = click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="Folder that is written."
)


@click.command()
@click.argument("where", metavar="MANIFEST...", nargs=-1, required=True)
@output_option
@click.option("--name", default="", help="Of the dataset; else the names of the parts.")
@click.option(
    "--on-duplicate",
    type=click.Choice(["fail", "skip"]),
    default="fail",
    show_default=True,
    help="Where a key comes twice: end, or take the first sample that has it.",
)
def merge(where: tuple[str, ...], output: Path, name: str, on_duplicate: OnDuplicate) -> None:
    """Writes datasets of one kind as one, their shards with new numbers.

    Samples on an exclude list are left out. Splits stay; recipe, models and versions are kept for
    each part. Reads everything twice: once for the digests, and once to copy. A part may be a
    mixture. The same command again goes on where it stopped.

    \b
    m3w shards merge crawl-a crawl-b --output both
    m3w shards merge mix.json --output one --on-duplicate skip
    """
    datasets = [dataset for one in where for dataset in manifest.load(one)]
    tell(edits.merge(datasets, output, name=name, on_duplicate=on_duplicate, say=say))


@click.command()
@manifest_argument
@output_option
@click.option("--seed", type=int, required=True, help="Of the order.")
@click.option(
    "--samples-per-shard",
    type=click.IntRange(min=1),
    help="About so many in each; else there are as many shards as before.",
)
def shuffle(where: str, output: Path, seed: int, samples_per_shard: int | None) -> None:
    """Writes the samples of MANIFEST in another order, over all shards of a split.

    The order is that of a hash of seed and key, in which builds write: with the seed of the build
    it gives the shards of the build. Samples on the exclude list are left out. Takes 33 bytes of
    memory for each sample. Reads every shard once in order, for its digest,
    then of each sample a header, and each sample once by a ranged read of its own: on spinning
    disks and in remote stores that is a seek or a request for each sample.

    \b
    m3w shards shuffle both --output shuffled --seed 7
    """
    dataset = only_dataset(where)
    size = samples_per_shard or 0
    tell(edits.shuffle(dataset, output, seed=seed, samples_per_shard=size, say=say))


def only_dataset(where: str) -> Manifest:
    """The dataset behind an argument.

    Raises:
        InputError: it is a mixture.
    """
    found = manifest.load(where)
    if len(found) > 1:
        raise InputError(
            f"{where}: a mixture of {len(found)} datasets; name one of them, or make one of those "
            "of a kind with `m3w shards merge`"
        )
    return found[0]


def tell(edited: Edited) -> None:
    """Says what an edit has written."""
    result = edited.manifest
    said = f"{result.root}: {counted(len(result.shards), 'shard')}, "
    said += counted(result.nsamples, "sample")
    if edited.already_done:
        click.echo(f"{said}; nothing changed")
        return
    left_out = result.counts["edits"][-1]["left_out"]
    if left_out:
        said += (
            f" ({', '.join(f'{count:,} {reason}' for reason, count in left_out.items())} left out)"
        )
    click.echo(said)


def say(line: str) -> None:
    """Says how far an edit is."""
    click.echo(line, err=True)
