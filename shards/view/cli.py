"""`m3w view`."""

import itertools
import sys
from pathlib import Path

import click

from openm3w.errors import InputError, OutputError
from openm3w.shards import commit, manifest
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.commands.options import manifest_argument
from openm3w.shards.terminal import clean_line
from openm3w.shards.view import pager, pictures, rendering, svg
from openm3w.shards.view.console import open_console
from openm3w.shards.view.keyboard import keyboard

# Where the root element of an SVG begins, behind declarations and comments.
_SVG_HEAD = 1000


@click.command()
@manifest_argument
@click.argument("key", required=False)
@click.option("--split", help="Only this split.")
@click.option(
    "--images",
    type=click.Choice(["auto", "blocks", "none"]),
    default="auto",
    show_default=True,
    help="auto: the best that the terminal can do; blocks: coloured half blocks; none: a line.",
)
@click.option("--plain", is_flag=True, help="Print and end, as it does where there is no terminal.")
@click.option("--limit", type=click.IntRange(min=1), help="Print so many documents. [default: 1]")
@click.option("--svg", "svg_file", type=click.Path(path_type=Path), help="Write one as an SVG.")
def view(
    where: str,
    key: str | None,
    split: str | None,
    images: pictures.Mode,
    limit: int | None,
    svg_file: Path | None,
    *,
    plain: bool,
) -> None:
    """Shows documents, text and pictures in reading order.

    KEY is a key, the beginning of one, or a number from 1. Keys in the viewer: n next, p previous,
    space page, / search, number or : jump, q quit.

    \b
    m3w view out                          page through the documents
    m3w view out 17
    m3w view out --limit 3 | less         as plain text
    m3w view out --plain --images blocks  with coloured half blocks, also into a pipe
    m3w view out 4f1d --svg document.svg
    """
    catalog = Catalog(manifest.load(where), split)
    number = catalog.find(key) if key else 0
    if svg_file is not None:
        _write_svg(catalog, number, svg_file)
        return
    console = open_console(images)
    if plain or limit is not None or not (console.is_terminal and sys.stdin.isatty()):
        for shown in itertools.islice(catalog.walk(number), limit or 1):
            rendering.print_sample(console, shown, images)
        return
    technique = pictures.technique(images, console)
    with keyboard() as read_key:
        pager.Pager(catalog, console, read_key, technique).run(number)


def _write_svg(catalog: Catalog, number: int, path: Path) -> None:
    if path.is_file() and b"<svg" not in path.read_bytes()[:_SVG_HEAD]:
        raise OutputError(f"{path}: something else than an SVG is there; choose another --svg")
    commit.check_place(path)
    shown = catalog.step(number, 1)
    if shown is None:
        raise InputError("every sample is on the exclude list")
    commit.write_bytes(path, svg.export(shown).encode(), through_link=True)
    click.echo(f"{path}: {clean_line(shown.sample.document.title) or shown.sample.key}")
