"""`m3w extract --explain` for people: a page's images one by one, and totals by reason."""

from collections.abc import Iterator

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text as Line

from openm3w.pipeline.extract_explained import (
    MEANINGS,
    OUTCOMES,
    ROLES,
    Candidate,
    Explained,
    explain,
)
from openm3w.pipeline.extracted import Extracted, number
from openm3w.pipeline.extraction.extract import Extraction
from openm3w.pipeline.page import Page
from openm3w.shards.document import Image
from openm3w.shards.terminal import clean_line

MAX_SAID_CHARS = 200
"""An alt text or a caption is cut here; what `m3w extract` writes has it whole."""

_QUIET = "bright_black"


class ExplainedText:
    """Pages as text for a terminal, then totals."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def page(self, page: Page, found: Extraction) -> str:
        explained = explain(page, found)
        parts = [*_head(explained), *map(_candidate, explained.candidates), Line()]
        return _printed(parts, self.console)

    def end(self, counts: Extracted) -> str:
        return _printed(_totals(counts), self.console)


def _totals(counts: Extracted) -> list[RenderableType]:
    kept, left_out = counts.kept.total(), counts.left_out.total()
    said = (
        f"{counts.written:,} of {number(counts.pages, 'page')} with content;"
        f" {number(kept + left_out, 'image')}: {kept:,} kept, {left_out:,} left out"
    )
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    table.add_column(overflow="fold")
    for by_name, meanings in ((counts.kept, ROLES), (counts.left_out, MEANINGS)):
        for name, count in by_name.most_common():
            table.add_row(name, f"{count:,}", Line(meanings.get(name, ""), style=_QUIET))
    return [Line(said, style="bold"), Padding(table, (0, 0, 0, 2), expand=False)]


def _head(explained: Explained) -> Iterator[RenderableType]:
    page = explained.page
    yield Line(clean_line(explained.title) or "(no title)", style="bold", overflow="fold")
    archived = page.provenance.record_id or page.provenance.fetched
    for address in (page.url, "" if archived else page.provenance.source):
        if address:
            yield Line(clean_line(address), style="cyan", overflow="fold")
    if page.document is None or page.outcome != "kept":
        meaning = OUTCOMES.get(page.reason, "")
        why = ": ".join(filter(None, (page.outcome, page.reason, meaning, clean_line(page.error))))
        yield Line(why, style="yellow", overflow="fold")
        return
    characters, kept = page.document.num_characters, len(page.document.images)
    images = number(len(explained.candidates), "image")
    facts = f"{number(characters, 'character')}, {kept:,} of {images} kept"
    yield Line(facts, style=_QUIET)


def _candidate(candidate: Candidate) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=5, justify="right")
    table.add_column(width=8)
    table.add_column(overflow="fold")
    kept = candidate.kept is not None
    state = Line("kept", style="green") if kept else Line("left out", style="yellow")
    table.add_row(str(candidate.number), state, Line(_why(candidate)))
    if candidate.url:
        table.add_row("", "", Line(clean_line(candidate.url), style="cyan"))
    if candidate.kept is not None and (said := _said(candidate.kept)):
        table.add_row("", "", Line(said, style=_QUIET))
    return table


def _why(candidate: Candidate) -> str:
    image = candidate.kept
    if image is None:
        detail = f"; {clean_line(candidate.detail)}" if candidate.detail else ""
        meaning = f": {candidate.meaning}" if candidate.meaning else ""
        return f"{candidate.reason}{meaning}{detail}"
    several = len(image.candidates)
    chosen = f"; chosen among its {several} addresses" if several > 1 else ""
    return f"{image.role}: {ROLES[image.role]}{chosen}"


def _said(image: Image) -> str:
    """What the page says about an image, on a line."""
    parts = []
    if image.declared_width or image.declared_height:
        parts.append(f"declared {image.declared_width or '?'} x {image.declared_height or '?'}")
    for name, text in (("alt", image.alt), ("title", image.title), ("caption", image.caption)):
        if said := clean_line(text):
            cut = f"{said[:MAX_SAID_CHARS]}..." if len(said) > MAX_SAID_CHARS else said
            parts.append(f'{name} "{cut}"')
    return ", ".join(parts)


def _printed(parts: list[RenderableType], console: Console) -> str:
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    # rich fills every line up; nobody wants that in a file.
    return "".join(f"{line.rstrip(' ')}\n" for line in capture.get().splitlines())
