"""Chosen paragraphs to plain text: lists with items on lines, tables by rows, code as it stands."""

from collections.abc import Iterator
from typing import Final

from openm3w.pipeline.extraction.boxes import LINE_BREAK, Block, Box, Layout, Picture
from openm3w.pipeline.extraction.grid import columns
from openm3w.pipeline.extraction.lists import Lists
from openm3w.pipeline.extraction.spacing import code_lines, one_line, shown_lines
from openm3w.pipeline.extraction.tags import CELLS, HEADINGS, ITEMS, ROW, TABLE, VERBATIM

PARAGRAPHS: Final = "\n\n"
LINE: Final = "\n"
BAR: Final = "|"
"""Stands between the cells of a row."""

_ANCHORS: Final = frozenset(("¶", "#", "§", "🔗", "\uf0c1"))
"""Signs that by themselves link a heading to itself; the last is from an icon font."""
_JOINED: Final = ITEMS | CELLS | VERBATIM
_ROWS: Final = ROW | TABLE
"""Cells may stand in a table without rows."""


def render_block(
    block: Block, pictures: frozenset[Picture], *, in_row: bool
) -> Iterator[str | Picture]:
    """Text of a paragraph, cut where one of these images stands.

    What is `in_row`, the row of a table with data, has no lines of its own.
    """
    verbatim = block.box.inside(VERBATIM) is not None
    heading = block.box.inside(HEADINGS) is not None
    if not verbatim and _is_plain(block) and (len(block.pieces) == 1 or not heading):
        yield block.words
        return
    clean = code_lines if verbatim else one_line if in_row else shown_lines
    runs = list[str]()
    for piece in _without_anchors(block.pieces) if heading else block.pieces:
        if isinstance(piece, str):
            runs.append(piece)
        elif piece in pictures:
            yield clean("".join(runs))
            yield piece
            runs = []
    yield clean("".join(runs))


def _is_plain(block: Block) -> bool:
    """Whether nothing in a paragraph asks for more than one space where white space stands."""
    words = block.words
    return (
        words.isascii()
        and words.isprintable()
        and LINE_BREAK not in block.text
        and all(isinstance(piece, str) for piece in block.pieces)
    )


class Joiner:
    """Says what stands between a paragraph and the one before it, and in front of it."""

    def __init__(self, layout: Layout, wanted: set[int]) -> None:
        self.layout = layout
        self.wanted = wanted
        """Paragraphs that come, at least with an image."""
        self.lists = Lists(layout)
        self.tables = dict[Box, dict[Box, int]]()
        """By table: the columns of its cells, where it holds data."""
        self.before: Block | None = None
        self.row: Box | None = None
        """Of the paragraph or image before."""

    def join(self, block: Block) -> tuple[str, str]:
        """The separator from the paragraph before, and the prefix of this one."""
        before, self.before = self.before, block
        row_before, self.row = self.row, None
        if block.box.inside(_JOINED) is None:  # most are
            return PARAGRAPHS, ""
        item = block.box.inside(ITEMS)
        prefix = self.lists.mark(item) if item is not None else ""
        column = self._column(block)
        if column is not None:
            self.row = block.box.inside(_ROWS)
            return self._join_cell(column, before, row_before, prefix)
        if before is None:
            return PARAGRAPHS, prefix
        code = block.box.inside(VERBATIM)
        if code is not None and code is before.box.inside(VERBATIM):
            return LINE * (1 + self._empty_lines(before.box, block.box)), prefix
        outermost = self.lists.outermost
        if item is not None and outermost(item) is outermost(before.box.inside(ITEMS)):
            return LINE, prefix
        return PARAGRAPHS, prefix

    def interrupt(self, picture: Picture) -> None:
        """Forget the paragraph before: an image follows it."""
        self.before, self.row = None, picture.box.inside(_ROWS)

    def in_row(self, block: Block) -> bool:
        """Whether a paragraph has line breaks in a row of a table with data."""
        return LINE_BREAK in block.text and self._column(block) is not None

    def _join_cell(
        self, column: int, before: Block | None, row_before: Box | None, prefix: str
    ) -> tuple[str, str]:
        """What stands before text of a row: a bar for each cell passed, empty ones too."""
        if self.row is not row_before:
            in_table = before is not None and self._column(before) is not None
            return LINE if in_table else PARAGRAPHS, f"{BAR} " * column + prefix
        passed = self._column(before) if before is not None else None
        if passed is None:
            return LINE, prefix
        return f" {BAR}" * (column - passed) + " ", prefix

    def _column(self, block: Block) -> int | None:
        """Of a paragraph in a table with data."""
        cell = block.box.inside(CELLS)
        table = cell.inside(TABLE) if cell is not None else None
        if cell is None or table is None:
            return None
        if table not in self.tables:
            self.tables[table] = columns(table, self.layout, self.wanted)
        return self.tables[table].get(cell)

    def _empty_lines(self, before: Box, box: Box) -> int:
        """Empty lines between two lines of code that are boxes each, as highlighters write them."""
        between = self.layout.boxes[before.end : box.number]
        return sum(
            line.tag == box.tag and line.parent is box.parent and line.first == line.last
            for line in between
        )


def _without_anchors(pieces: list[str | Picture]) -> list[str | Picture]:
    """A heading without its link to itself (Sphinx, MkDocs) or to its editor (MediaWiki)."""
    words = [piece.strip() if isinstance(piece, str) else "" for piece in pieces]
    if "[" in words[1:] and words[-1] == "]":
        pieces = pieces[: words.index("[", 1)]
    first, *others = pieces
    return [first, *(piece for piece in others if piece not in _ANCHORS)]
