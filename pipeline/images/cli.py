"""`m3w filters`, with the one command among them that opens pictures."""

from pathlib import Path

import click

from openm3w.filters.cli import filters

__all__ = ["filters"]


@filters.command(short_help="Perceptual hashes of a folder's pictures.")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--output",
    "-o",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the list to this file.",
)
def phash(folder: Path, output: Path) -> None:
    """A list of the perceptual hashes of FOLDER's pictures, for `images.evaluation_images`.

    \b
    m3w filters phash coco/val2017 --output coco-val.txt
    m3w build openm3w --input x.warc.gz --output out \\
        --set 'images.evaluation_images=["coco-val.txt"]' \\
        --set 'profile_set=["image.evaluation_distance=5"]'
    """
    from openm3w.pipeline.images.listing import write_phashes

    written = write_phashes(folder, output)
    passed_over = f"; {written.unusable} files could not be decoded" if written.unusable else ""
    click.echo(f"{output}: {written.hashes} pictures{passed_over}", err=True)
