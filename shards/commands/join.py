"""`m3w shards join`: mixtures."""

from pathlib import Path

import click

from openm3w.errors import InputError, OutputError
from openm3w.shards import commit, manifest
from openm3w.shards.manifest import Manifest
from openm3w.shards.terminal import counted


@click.command()
@click.argument("where", metavar="MANIFEST...", nargs=-1, required=True)
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="The mixture.")
@click.option("--name", help="Its name; else that of the file.")
@click.option("--force", is_flag=True, help="Replace another mixture.")
def join(where: tuple[str, ...], output: Path, name: str | None, *, force: bool) -> None:
    """Writes a mixture: one manifest that names several.

    Training, viewing, statistics and verification take a mixture wherever they take a manifest.

    \b
    m3w shards join out captions text --output mix.json
    """
    datasets = [dataset for one in where for dataset in manifest.load(one)]
    _refuse_twice(datasets)
    value = manifest.mixture_to_json(output, datasets, name or output.stem)
    before = commit.read_json(output)
    samples = sum(dataset.nsamples for dataset in datasets)
    said = f"{output}: {counted(len(datasets), 'dataset')}, {counted(samples, 'sample')}"
    if before == value:
        click.echo(f"{said}; nothing changed")
        return
    if output.exists() and (not force or before is None or before.get("kind") != "mixture"):
        raise OutputError(
            f"{output}: something else is there; name another --output"
            + (", or replace the mixture with --force" if before is not None else "")
        )
    commit.check_place(output)
    manifest.write_mixture(output, datasets, name or output.stem)
    click.echo(said)


def _refuse_twice(datasets: list[Manifest]) -> None:
    roots = [dataset.root.resolve() for dataset in datasets]
    for root in roots:
        if roots.count(root) > 1:
            raise InputError(f"{root}: named twice; name each dataset once")
