"""Chosen paragraphs to plain text: lists with items on lines, tables by rows, code as it stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from openm3w.pipeline.extraction.boxes import LINE_BREAK, Block, Box, Layout, Picture
from openm3w.pipeline.extraction.tags import CELLS, HEADINGS, ITEMS, LISTS, VERBATIM
from openm3w.pipeline.extraction.unicode import repair

PARAGRAPH: Final = "\n\n"
LINE: Final = "\n"
CELL: Final = " | "

MAX_CELL_CHARS: Final = 600
"""A cell with more text than this is a column of a page."""

_TABLE: Final = frozenset(("table",))
_ROW: Final = frozenset(("tr",))
_PARTS: Final = frozenset(("table", "p", "div", "h1", "h2", "h3", "ul", "ol"))
_ANCHORS: Final = frozenset(("¶", "#", "§", "🔗", "\uf0c1"))
"""Signs that by themselves link a heading to itself; the last is from an icon font."""
_CONTROLS: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff\U000f0000-\U0010ffff]"
)
"""Controls, surrogates, and the private use planes, where fonts keep their icons."""


def render_block(block: Block, pictures: frozenset[Picture]) -> Iterator[str | Picture]:
    """Text of a paragraph, cut where one of these images stands."""
    verbatim = block.box.inside(VERBATIM) is not None
    heading = block.box.inside(HEADINGS) is not None
    if not verbatim and _is_plain(block) and (len(block.pieces) == 1 or not heading):
        yield block.words
        return
    runs = list[str]()
    for piece in _without_anchors(block.pieces) if heading else block.pieces:
        if isinstance(piece, str):
            runs.append(piece)
        elif piece in pictures:
            yield _clean(runs, verbatim=verbatim)
            yield piece
            runs = []
    yield _clean(runs, verbatim=verbatim)


def _is_plain(block: Block) -> bool:
    """Whether nothing in a paragraph asks for more than one space where white space stands."""
    words = block.words
    return (
        words.isascii()
        and words.isprintable()
        and LINE_BREAK not in block.text
        and all(isinstance(piece, str) for piece in block.pieces)
    )


def plain_text(block: Block) -> str:
    """A paragraph's text on one line."""
    if block.words.isascii() and block.words.isprintable():
        return block.words
    return _clean([block.text.replace(LINE_BREAK, " ")], verbatim=False)


@dataclass(slots=True, eq=False)
class Joiner:
    """Says what stands between a paragraph and the one before it, and in front of it."""

    layout: Layout
    before: Block | None = None
    numbers: dict[Box, int] = field(default_factory=dict)
    """Items so far, by list."""
    items: set[Box] = field(default_factory=set)
    """Items that have their mark."""
    lists: dict[Box, tuple[int, Box]] = field(default_factory=dict)
    """By list: how many stand around each other up to it, and the outermost of them."""
    tables: dict[Box, bool] = field(default_factory=dict)
    """Whether a table holds data; else it lays out the page."""

    def join(self, block: Block) -> tuple[str, str]:
        """The separator from the paragraph before, and the prefix of this one."""
        before, self.before = self.before, block
        item = block.box.inside(ITEMS)
        prefix = self._mark(item) if item is not None and item not in self.items else ""
        if before is None:
            return PARAGRAPH, prefix
        table = block.box.inside(_TABLE)
        if table is not None and table is before.box.inside(_TABLE) and self._holds_data(table):
            same_row = block.box.inside(_ROW) is before.box.inside(_ROW)
            if block.box.inside(CELLS) is not before.box.inside(CELLS):
                return (CELL if same_row else LINE), prefix
        if item is not None and self._outer(item) is self._outer(before.box.inside(ITEMS)):
            return LINE, prefix
        return PARAGRAPH, prefix

    def interrupt(self) -> None:
        """Forget the paragraph before: an image follows it."""
        self.before = None

    def _mark(self, item: Box) -> str:
        self.items.add(item)
        owner = _list_of(item)
        if owner is None:
            return "- " if item.tag == "li" else ""
        indent = "  " * (self._nesting(owner)[0] - 1)
        if item.tag == "dt":
            return indent
        if item.tag == "dd":
            return indent + "  "
        self.numbers[owner] = self.numbers.get(owner, 0) + 1
        return indent + (f"{self.numbers[owner]}. " if owner.tag == "ol" else "- ")

    def _outer(self, item: Box | None) -> Box | None:
        """The outermost list around an item, or the item itself."""
        owner = _list_of(item) if item is not None else None
        return item if owner is None else self._nesting(owner)[1]

    def _nesting(self, owner: Box) -> tuple[int, Box]:
        way = list[Box]()
        around: Box | None = owner
        while around is not None and around not in self.lists:
            way.append(around)
            around = _list_of(around)
        above, outer = self.lists[around] if around is not None else (0, way[-1])
        for depth, inner in enumerate(reversed(way), above + 1):
            self.lists[inner] = depth, outer
        return self.lists[owner]

    def _holds_data(self, table: Box) -> bool:
        if table not in self.tables:
            self.tables[table] = _holds_data(table, self.layout)
        return self.tables[table]


def _holds_data(table: Box, layout: Layout) -> bool:
    """Whether rows and cells mean something: other tables lay out a page."""
    if table.get("role") in ("presentation", "none"):
        return False
    inside = layout.boxes[table.number + 1 : table.end]
    cells = [box for box in inside if box.tag in CELLS]
    rows = sum(box.tag == "tr" for box in inside)
    if not len(cells) > rows >= 1:
        return False
    return not any(_lays_out(cell, layout) for cell in cells)


def _lays_out(cell: Box, layout: Layout) -> bool:
    """Whether a cell holds another table, more than one paragraph, or a long text."""
    inner = [box.tag for box in layout.boxes[cell.number + 1 : cell.end] if box.tag in _PARTS]
    if len(inner) > 1 or "table" in inner:
        return True
    return layout.chars[cell.last] - layout.chars[cell.first] > MAX_CELL_CHARS


def _list_of(box: Box) -> Box | None:
    """The list around an item, or around another list."""
    return box.parent.inside(LISTS) if box.parent is not None else None


def _without_anchors(pieces: list[str | Picture]) -> list[str | Picture]:
    """A heading without its link to itself (Sphinx, MkDocs) or to its editor (MediaWiki)."""
    words = [piece.strip() if isinstance(piece, str) else "" for piece in pieces]
    if "[" in words[1:] and words[-1] == "]":
        pieces = pieces[: words.index("[", 1)]
    first, *others = pieces
    return [first, *(piece for piece in others if piece not in _ANCHORS)]


def _clean(runs: list[str], *, verbatim: bool) -> str:
    text = "".join(runs)
    if not text:
        return text
    if not text.isascii():  # before white space is one: no-break spaces tell what was misread
        text = repair(text)
    if verbatim:
        return _CONTROLS.sub(" ", _lines(text))
    if LINE_BREAK not in text:
        return _CONTROLS.sub(" ", " ".join(text.split()))
    lines = [" ".join(line.split()) for line in text.split(LINE_BREAK)]
    joined = "\n".join(lines).strip("\n")
    while "\n\n\n" in joined:
        joined = joined.replace("\n\n\n", "\n\n")
    return _CONTROLS.sub(" ", joined)


def _lines(text: str) -> str:
    """Code with its lines, without empty ones around it."""
    lines = text.replace(LINE_BREAK, "\n").replace("\r\n", "\n").split("\n")
    del lines[: next((at for at, line in enumerate(lines) if line.strip()), len(lines))]
    while lines and not lines[-1].strip():
        del lines[-1]
    return "\n".join(line.rstrip() for line in lines)
