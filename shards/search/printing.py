"""Answers as a person reads them in a terminal, and as lines for a pipe.

Every string of a document passes `openm3w.shards.terminal.clean_line` on its way.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text as Line

from openm3w.shards import decoding
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.search.questions import Hit
from openm3w.shards.terminal import clean_line
from openm3w.shards.view.pictures import Picture, Technique

_COLUMNS, _ROWS = 32, 9
"""Of a picture, in cells: three answers and more are on a screen at a time."""
_QUIET = "bright_black"
_MARGIN = 4
_SAID = 200
"""Characters of a caption; a document has more room for it."""


def to_json(hit: Hit) -> Mapping[str, Any]:
    """A hit as data; the document's number is counted from 1, as `m3w view` takes it."""
    return {
        "score": round(hit.score, 4),
        "number": hit.number + 1,
        "key": hit.key,
        "picture": hit.picture,
        "url": hit.url,
        "caption": hit.caption,
        "alt": hit.alt,
        "title": hit.title,
        "page_url": hit.page_url,
    }


def plain_line(hit: Hit) -> str:
    """Score, number of the document, key, picture, URL and words, with tabs between them."""
    cells = (
        f"{hit.score:.4f}",
        str(hit.number + 1),
        hit.key,
        str(hit.picture),
        hit.url,
        said(hit),
    )
    return "\t".join(clean_line(cell) for cell in cells)


def said(hit: Hit) -> str:
    """Caption, alternative text or title, whichever is there first."""
    return clean_line(next((words for words in (hit.caption, hit.alt, hit.title) if words), ""))


def render(
    hits: Sequence[Hit], catalog: Catalog, technique: Technique, where: str
) -> tuple[RenderableType, list[Picture]]:
    """Hits with small pictures for a terminal, and the pictures.

    `where` is what the manifest was named by, for the command that shows more.
    """
    parts: list[RenderableType] = []
    drawn: list[Picture] = []
    for rank, hit in enumerate(hits, 1):
        head = Line(f"{rank:2}  ", style="bold")
        head.append(f"{hit.score:.4f}", style="green")
        head.append(f"  {clean_line(hit.title) or said(hit)[:_SAID] or clean_line(hit.key)}")
        picture = _picture(rank, hit, catalog, technique)
        if picture is not None:
            drawn.append(picture)
        below: list[RenderableType] = [picture] if picture is not None else []
        below += _lines(hit, where)
        parts += [head, *(Padding(part, (0, _MARGIN), expand=False) for part in below), Line()]
    return Group(*parts), drawn


def _lines(hit: Hit, where: str) -> Iterator[Line]:
    for name, words in (("", hit.caption), ("alt: ", hit.alt)):
        if line := clean_line(words)[:_SAID]:
            yield Line(f"{name}{line}", style="italic" if not name else _QUIET, overflow="fold")
    if url := clean_line(hit.url):
        yield Line(url, style="cyan", overflow="fold")
    picture = f"picture {hit.picture} · " if hit.picture else ""
    line = f"{picture}{clean_line(hit.key)} · m3w view {where} {hit.number + 1}"
    yield Line(line, style=_QUIET, overflow="fold")


def _picture(rank: int, hit: Hit, catalog: Catalog, technique: Technique) -> Picture | None:
    if technique == "line" or not hit.picture:
        return None
    image = decoding.decode(catalog.read(hit.number).sample.images[hit.picture - 1])
    if image is None:
        return None
    return Picture(
        image=image, number=rank, technique=technique, max_columns=_COLUMNS, max_rows=_ROWS
    )
