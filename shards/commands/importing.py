"""`m3w shards import`: datasets of other formats as shards."""

from pathlib import Path

import click

from openm3w.shards import funnel
from openm3w.shards.commands.options import json_option, print_json
from openm3w.shards.commands.printing import stage_line
from openm3w.shards.interop import sources
from openm3w.shards.interop.formats import FORMATS, READ, kind_of
from openm3w.shards.interop.importing import Imported, import_dataset
from openm3w.shards.interop.order import Order
from openm3w.shards.sample import KINDS
from openm3w.shards.terminal import clean_line, counted

_PATH = click.Path(path_type=Path)


@click.command(name="import")
@click.argument("wanted", metavar="FORMAT", type=click.Choice(READ))
@click.argument("named", metavar="SOURCE...", nargs=-1, required=True, type=_PATH)
@click.option("--output", "-o", type=_PATH, required=True, help="Folder for the dataset.")
@click.option(
    "--images",
    multiple=True,
    type=_PATH,
    help="Folder of files or tar files, or a tar file, with the images that rows name by address "
    "or file name; may be repeated.",
)
@click.option("--name", help="Of the dataset; else that of its folder.")
@click.option("--split", help="Split of all documents; else by the sources' names.")
@click.option(
    "--val", multiple=True, type=_PATH, help="Source whose documents are held out, as split val."
)
@click.option("--kind", type=click.Choice(KINDS), help="Where a format holds several.")
@click.option(
    "--min-images",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Leave out documents that come to fewer.",
)
@click.option("--samples-per-shard", type=click.IntRange(min=1), default=1000, show_default=True)
@json_option
def import_command(
    *,
    wanted: str,
    named: tuple[Path, ...],
    output: Path,
    images: tuple[Path, ...],
    name: str | None,
    split: str | None,
    val: tuple[Path, ...],
    kind: str | None,
    min_images: int,
    samples_per_shard: int,
    as_json: bool,
) -> None:
    """Writes a dataset of another format as shards; nothing is fetched.

    FORMAT is obelics, mmc4, mint1t-html, mint1t-pdf, img2dataset, datatrove, energon,
    energon-captioning, nemo-curator or nemo-curator-tar; SOURCE a file, or a folder of them. Every
    row and every image has one outcome, and the manifest counts them. Images that a table names by
    address are looked for in --images, as img2dataset writes them.

    \b
    m3w shards import obelics data/ --images fetched/ --output out
    m3w shards import mmc4 docs_no_face_shard_0_v2.jsonl.zip --images images.tar --output out
    m3w shards import img2dataset laion/ --val laion-val/ --output captions
    """
    form = FORMATS[wanted]
    order = Order(
        format=form,
        sources=sources.find(named, form.layout, split=split, val=val),
        output=output,
        name=name or output.resolve().name,
        kind=kind_of(form, kind),
        images=images,
        min_images=min_images,
        samples_per_shard=samples_per_shard,
    )
    imported = import_dataset(order)
    if as_json:
        made = imported.manifest
        print_json(
            {
                "output": str(output),
                "already_done": imported.already_done,
                "kind": made.kind,
                "nsamples": made.nsamples,
                "images": made.images,
                "stages": made.counts["stages"],
            }
        )
        return
    _print(imported, output)


def _print(imported: Imported, output: Path) -> None:
    made = imported.manifest
    size = f"{counted(made.nsamples, 'sample')}, {counted(made.images, 'image')}"
    done = "; nothing changed" if imported.already_done else ""
    click.echo(f"{clean_line(str(output))}: {size} ({made.kind}){done}")
    stages = [funnel.from_json(stage) for stage in made.counts["stages"]]
    for stage in stages:
        click.echo(stage_line(stage))
    absent = sum(stage.dropped.get("no_bytes", 0) for stage in stages)
    if absent:
        click.echo(
            f"{counted(absent, 'image')} had no bytes: fetch them, as with img2dataset or "
            "`m3w captions build --fetch`, and name the folder by --images into another --output"
        )
