"""Which tables hold data, and in which column each of their cells stands."""

import re
from collections.abc import Iterator
from typing import Final

from openm3w.pipeline.extraction.boxes import LINE_BREAK, Block, Box, Layout
from openm3w.pipeline.extraction.tags import CELLS, ROW, TABLE, VERBATIM

MAX_CELL_CHARS: Final = 600
"""A cell with more text than this is a column of a page."""

MAX_DIVIDED: Final = 0.5
"""Of the cells with text: so many with several paragraphs are boxes of a page."""

MAX_SPAN: Final = 100
"""Rows and columns of one cell; the HTML Standard allows more, which pages for readers never have.
"""

_LAYS_OUT: Final = TABLE | VERBATIM
_EMPTY_LINE: Final = re.compile(rf"{LINE_BREAK}[ \t\r\n]*+{LINE_BREAK}")
_NUMBER: Final = re.compile(r"\s*+\+?0*+([1-9]\d{0,3})(?!\d)")


def columns(table: Box, layout: Layout, wanted: set[int]) -> dict[Box, int]:
    """The column of each cell with a wanted paragraph; nothing where a table lays out the page.

    Columns without any, which only keep others apart or are left out, do not count.
    """
    inside = layout.boxes[table.number + 1 : table.end]
    if any(box.tag in _LAYS_OUT for box in inside):
        return {}
    cells = [box for box in inside if box.tag in CELLS]
    rows = max(1, sum(box.tag in ROW for box in inside))
    if len(cells) <= rows or not _holds_data(table, cells, layout):
        return {}
    places = {
        cell: column
        for cell, column in _places(inside)
        if any(index in wanted for index in range(cell.first, cell.last))
    }
    ranks = {column: rank for rank, column in enumerate(sorted(set(places.values())))}
    return {cell: ranks[column] for cell, column in places.items()} if len(ranks) > 1 else {}


def _holds_data(table: Box, cells: list[Box], layout: Layout) -> bool:
    """Whether rows and cells mean something."""
    if table.get("role") in ("presentation", "none"):
        return False
    filled = divided = 0
    for cell in cells:
        chars = layout.chars[cell.last] - layout.chars[cell.first]
        if chars > MAX_CELL_CHARS:
            return False
        filled += chars > 0
        divided += _is_divided(layout.blocks[cell.first : cell.last])
    return divided < MAX_DIVIDED * filled


def _is_divided(blocks: list[Block]) -> bool:
    """Whether a cell has several paragraphs."""
    shown = [block for block in blocks if block.chars]
    return len(shown) > 1 or any(_EMPTY_LINE.search(block.text.strip()) for block in shown)


def _places(inside: list[Box]) -> Iterator[tuple[Box, int]]:
    """Cells that are shown, with the columns in which they begin."""
    column, taken = 0, dict[int, int]()
    """By column: how many rows a cell from above still reaches into."""
    for box in inside:
        if box.tag in ROW:
            column = 0
            taken = {at: rows - 1 for at, rows in taken.items() if rows > 1}
        elif box.tag in CELLS and not box.hidden:
            while column in taken:
                column += 1
            yield box, column
            width, height = _span(box, "colspan"), _span(box, "rowspan")
            if height > 1:
                taken.update(dict.fromkeys(range(column, min(column + width, MAX_SPAN)), height))
            column += width


def _span(cell: Box, name: str) -> int:
    found = _NUMBER.match(cell.get(name)) if name in cell.written.lower() else None
    return min(int(found[1]), MAX_SPAN) if found is not None else 1
