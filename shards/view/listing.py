"""The list of documents: any number of them, of which only the lines on the screen are made."""

import bisect
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from openm3w.shards.catalog.facts import Row
from openm3w.shards.terminal import clean_line

_MARK = "●"
_BLOCK = 128
"""Lines that are asked for at once."""


class Listing(ScrollView, can_focus=True):
    """Documents by number, one a line, with a cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False),
        Binding("k,up", "move(-1)", "Up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("pageup,b", "page(-1)", "Page up", show=False),
        Binding("g,home", "end(-1)", "First", show=False),
        Binding("G,end", "end(1)", "Last", show=False),
    ]

    class Moved(Message):
        """The cursor stands on another document."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(
        self,
        rows: Callable[[Sequence[int]], dict[int, Row]],
        marked: Callable[[int], bool],
        **options: str,
    ) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self._ask, self._is_marked = rows, marked
        self._known: dict[int, Row] = {}
        self._numbers: Sequence[int] = ()
        self._digits = 1
        self.cursor = 0
        """Line of the cursor, from 0."""

    @property
    def numbers(self) -> Sequence[int]:
        """Numbers of the documents in the list, ascending."""
        return self._numbers

    @property
    def number(self) -> int | None:
        """Number of the document at the cursor; None where the list is empty."""
        return self._numbers[self.cursor] if self._numbers else None

    def show(self, numbers: Sequence[int], number: int | None = None) -> None:
        """Lists these documents; the cursor goes to `number`, or where it is next to it."""
        self._numbers = numbers
        self._known.clear()
        # As wide as its place: a line is made to fit.
        self.virtual_size = Size(0, len(numbers))
        self._digits = len(f"{numbers[-1] + 1:,}") if numbers else 1
        self.move_to(0 if number is None else _line_of(numbers, number))
        self.refresh()

    def renew(self) -> None:
        """Asks again for what is on the screen."""
        self._known.clear()
        self.refresh()

    def move_to(self, line: int) -> None:
        """Puts the cursor on a line, or the nearest that there is."""
        self.cursor = min(max(0, line), max(0, len(self._numbers) - 1))
        self.scroll_to_region(
            Region(0, self.cursor, 1, 1), animate=False, force=True, immediate=True
        )
        self.refresh()
        if (number := self.number) is not None:
            self.post_message(self.Moved(number))

    def action_move(self, by: int) -> None:
        """A line up or down."""
        self.move_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        """A screen up or down."""
        self.move_to(self.cursor + by * max(1, self.size.height - 1))

    def action_end(self, which: int) -> None:
        """To the first or the last line."""
        self.move_to(0 if which < 0 else len(self._numbers) - 1)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there."""
        self.move_to(event.y + round(self.scroll_offset.y))

    def render_line(self, y: int) -> Strip:
        """One line of the screen."""
        line = y + round(self.scroll_offset.y)
        width = self.scrollable_content_region.width
        if line >= len(self._numbers):
            return Strip.blank(width, self.rich_style)
        number = self._numbers[line]
        row = self._row(line)
        style = self.rich_style
        if line == self.cursor:
            style += Style(reverse=True, bold=self.has_focus)
        mark = _MARK if self._is_marked(number) else " "
        text = f"{number + 1:>{self._digits},}"
        if row:
            text = describe(row, text, width - 2)
        segments = [
            Segment(f"{mark} ", style),
            Segment(set_cell_size(text, max(0, width - 2)), style + _dimmed(row)),
        ]
        return Strip(segments, width)

    def _row(self, line: int) -> Row | None:
        number = self._numbers[line]
        if number not in self._known:
            first = line - line % _BLOCK
            self._known |= self._ask(self._numbers[first : first + _BLOCK])
        return self._known.get(number)


def describe(row: Row, number: str, columns: int) -> str:
    """A document in one line of so many cells: number, what it is about, pictures, similarity."""
    left = f"{number}  "
    score = "" if row.similarity is None else f"{row.similarity:.2f}"
    right = f"  {row.language:<2.2} {row.images or '':>2} {score:>5}"
    title = clean_line(row.dropped and f"[{row.dropped}] ") + clean_line(row.title or row.url)
    room = max(0, columns - cell_len(left) - cell_len(right))
    return left + _shortened(title or row.key, room) + right


def _shortened(text: str, columns: int) -> str:
    if cell_len(text) <= columns:
        return set_cell_size(text, columns)
    return set_cell_size(text, max(0, columns - 1)) + "…"[:columns]


def _dimmed(row: Row | None) -> Style:
    return Style(dim=row is None)


def _line_of(numbers: Sequence[int], number: int) -> int:
    """Where `number` stands among ascending ones, or the next after it."""
    return min(bisect.bisect_left(numbers, number), max(0, len(numbers) - 1))
