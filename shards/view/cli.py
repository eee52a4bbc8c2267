"""`m3w view`."""

import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from openm3w.errors import InputError, OutputError
from openm3w.shards import commit
from openm3w.shards.catalog.dropped import dropped_of
from openm3w.shards.catalog.facts import Facts
from openm3w.shards.catalog.numbered import Numbered, Shown
from openm3w.shards.catalog.opening import open_any, open_samples
from openm3w.shards.catalog.query import Query
from openm3w.shards.commands.options import manifest_argument
from openm3w.shards.manifest import Manifest
from openm3w.shards.terminal import clean_line, tell
from openm3w.shards.view import pictures, rendering, svg
from openm3w.shards.view.console import open_console
from openm3w.shards.view.source import Source

# Where the root element of an SVG begins, behind declarations and comments.
_SVG_HEAD = 1000


@click.command()
@manifest_argument
@click.argument("key", required=False)
@click.option("--filter", "text", metavar="QUERY", default="", help="Only what this finds.")
@click.option("--split", help="Only this split.")
@click.option("--dropped", is_flag=True, help="Examples of what the build left out as well.")
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
    text: str,
    split: str | None,
    images: pictures.Mode,
    limit: int | None,
    svg_file: Path | None,
    *,
    dropped: bool,
    plain: bool,
) -> None:
    """Shows documents, text and pictures in reading order.

    MANIFEST is a manifest.json, the folder of one, a mixture, a tar that has none, or a Parquet
    table of OBELICS or MINT-1T. KEY is a key, the beginning of one, or a number from 1. QUERY is
    words and conditions, all of which must hold: lang:en, kind:caption, domain:example.org,
    images:2.., similarity:0.2..0.4 and every other score by its name, dropped:REASON,
    key:BEGINNING, split:val, dataset:NAME.

    Keys in the viewer: n next, p previous, enter list or document, space page, / filter, : go to,
    m mark, M mark all that is listed, x export the marked keys, q quit.

    \b
    m3w view out                          browse
    m3w view out 17
    m3w view out --filter 'lang:en images:2.. red tram'
    m3w view out --dropped --filter dropped:too_few
    m3w view out --limit 3 | less         as plain text
    m3w view out --plain --images blocks  with coloured half blocks, also into a pipe
    m3w view out 4f1d --svg document.svg
    m3w view 00000.tar                    img2dataset's, or any shard alone
    m3w view train-00000-of-01335.parquet as OBELICS is published
    """

    def open_() -> Numbered:
        return open_samples(where, split, more=_dropped(open_any(where)) if dropped else ())

    catalog = open_()
    number = catalog.find(key) if key else 0
    if svg_file is not None:
        _write_svg(catalog, number, svg_file)
        return
    console = open_console(images)
    if plain or limit is not None or not (console.is_terminal and sys.stdin.isatty()):
        for shown in itertools.islice(_found(catalog, number, text), limit or 1):
            rendering.print_sample(console, shown, images)
        return
    technique = pictures.technique(images, console)
    from openm3w.shards.view.app import Viewer  # what pipes need not wait for

    Viewer(Source(open_, [Path(where)]), technique, number=number, query=text).run()


def _dropped(datasets: Sequence[Manifest]) -> tuple[Manifest, ...]:
    if found := tuple(dropped_of(datasets)):
        return found
    raise InputError(
        f"{datasets[0].root}: no examples of what was left out beside it; build with "
        "--set report.dropped_samples=20, which a finished build does at once"
    )


def _found(catalog: Numbered, number: int, text: str) -> Iterator[Shown]:
    """Documents from a number on, those that the query finds."""
    query = Query.parse(text)
    if not query:
        yield from catalog.walk(number)
        return
    facts = Facts.of(catalog)
    facts.fill()
    for fault in facts.faults:
        tell(f"m3w: {clean_line(fault)}")
    found = [each for each in facts.numbers(query) if each >= number]
    facts.close()
    if not found:
        raise InputError(f"no document is found by {text}")
    yield from map(catalog.read, found)


def _write_svg(catalog: Numbered, number: int, path: Path) -> None:
    if path.is_file() and b"<svg" not in path.read_bytes()[:_SVG_HEAD]:
        raise OutputError(f"{path}: something else than an SVG is there; choose another --svg")
    commit.check_place(path)
    shown = catalog.step(number, 1)
    if shown is None:
        raise InputError("every sample is on the exclude list")
    commit.write_bytes(path, svg.export(shown).encode(), through_link=True)
    click.echo(f"{path}: {clean_line(shown.sample.document.title) or shown.sample.key}")
