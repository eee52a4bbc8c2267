"""`m3w shards repair-index`."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from openm3w.shards import manifest
from openm3w.shards.commands.options import json_option, print_json
from openm3w.shards.editing.indexing import Looked, repair, repair_dataset
from openm3w.shards.terminal import clean_line, counted


@click.command(name="repair-index")
@click.argument("where", metavar="MANIFEST|TAR...", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@json_option
def repair_index(where: tuple[str, ...], *, dry_run: bool, as_json: bool) -> None:
    """Writes the .tar.idx of shards where they are missing or wrong, from the tars.

    Of a dataset every byte is held against the manifest; of a tar without one the headers are read,
    and the end. One that is damaged, or is not the one listed, gets no index, and the exit code
    is 1.

    \b
    m3w shards repair-index out
    m3w shards repair-index 'others/00000.tar' others/00001.tar --dry-run
    """
    found = [looked for one in where for looked in _repaired(one, dry_run=dry_run)]
    counts = Counter(looked.state for looked in found)
    if as_json:
        rows = [{**asdict(looked), "path": str(looked.path)} for looked in found]
        print_json({"dry_run": dry_run, "counts": dict(sorted(counts.items())), "tars": rows})
    else:
        for line in _lines(found, dry_run=dry_run):
            click.echo(line)
        told = ", ".join(f"{count:,} {state}" for state, count in sorted(counts.items()))
        click.echo(f"{counted(len(found), 'tar')}: {told or 'nothing to look at'}")
    if counts["damaged"]:
        raise click.exceptions.Exit(1)


def _repaired(where: str, *, dry_run: bool) -> Iterator[Looked]:
    if where.endswith(".tar") and Path(where).is_file():
        yield repair(Path(where), dry_run=dry_run)
        return
    for dataset in manifest.load(where):
        yield from repair_dataset(dataset, dry_run=dry_run)


def _lines(found: list[Looked], *, dry_run: bool) -> Iterator[str]:
    done = "would be written" if dry_run else "written"
    for looked in found:
        if looked.state == "damaged":
            yield clean_line(looked.why)
        elif looked.state != "right":
            yield clean_line(
                f"{looked.path}.idx: {looked.state}; {done}, of {counted(looked.samples, 'sample')}"
            )
