"""Pictures in a terminal: real ones where it can show them, else half blocks, else one line.

Kitty's graphics protocol and sixel come from textual-image, which asks the terminal what it can
do when it is imported; it is imported only where somebody sits at a terminal.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from PIL import Image as PillowImage
from rich.color import Color
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

Mode = Literal["auto", "blocks", "none"]
"""What a user asks for with `--images`."""

Technique = Literal["kitty", "sixel", "blocks", "space", "line"]
"""How pictures are drawn; `space` leaves room for one, `line` says in words what it is."""

# Pixels below which a picture is not blown up, for each column of cells.
_PIXELS_A_COLUMN = {"kitty": 6, "sixel": 6, "space": 6, "blocks": 1, "line": 1}

UPPER_HALF = "▀"


@dataclass(slots=True, kw_only=True)
class Picture:
    """A rich renderable of one decoded image."""

    image: PillowImage.Image
    number: int
    technique: Technique
    max_columns: int
    max_rows: int
    _drawn: Any = field(default=None, init=False)

    @property
    def cells(self) -> tuple[int, int]:
        """Columns and rows that the picture takes."""
        width, height = self.image.size
        widest = max(1, width // _PIXELS_A_COLUMN[self.technique])
        return fit(width, height, min(self.max_columns, widest), self.max_rows)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns, rows = self.cells
        if self.technique == "blocks":
            yield from half_blocks(self.image, columns, rows)
        elif self.technique == "space":
            for row in range(rows):
                mark = Style(meta={"picture": self.number, "row": row})
                yield Segment(" " * columns, mark)
                yield Segment.line()
        else:
            if self._drawn is None:
                self._drawn = _terminal_image(self.technique)(self.image, columns, rows)
            yield from self._drawn.__rich_console__(console, options)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.cells[0], self.cells[0])

    def forget(self) -> None:
        """Frees what the terminal keeps of the picture."""
        if self._drawn is not None:
            self._drawn.cleanup()
            self._drawn = None


def fit(width: int, height: int, max_columns: int, max_rows: int) -> tuple[int, int]:
    """Columns and rows for a picture of `width` x `height`, a cell being twice as high as wide."""
    columns = max(1, max_columns)
    rows = max(1, round(columns * height / width / 2))
    if rows > max_rows:
        rows = max(1, max_rows)
        columns = min(columns, max(1, round(rows * 2 * width / height)))
    return columns, rows


def half_blocks(image: PillowImage.Image, columns: int, rows: int) -> Iterator[Segment]:
    """Two pixels a cell: the upper as foreground of a half block, the lower as background."""
    small = image.convert("RGB").resize((columns, rows * 2), PillowImage.Resampling.LANCZOS)
    data = small.tobytes()
    pixels = [Color.from_rgb(*data[at : at + 3]) for at in range(0, len(data), 3)]
    for row in range(rows):
        upper, lower = pixels[2 * row * columns :], pixels[(2 * row + 1) * columns :]
        for column in range(columns):
            yield Segment(UPPER_HALF, Style(color=upper[column], bgcolor=lower[column]))
        yield Segment.line()


def technique(mode: Mode, console: Console) -> Technique:
    """How `console` shows pictures: `auto` asks the terminal; without colours there is a line."""
    if mode == "none" or console.no_color or not console.encoding.startswith("utf"):
        return "line"
    if mode == "blocks":
        return "blocks"
    if not console.is_terminal or console.is_dumb_terminal or console.color_system is None:
        return "line"
    return _asked()


def _asked() -> Technique:
    # textual-image reads the terminal's answer from standard input, so that has to be one too.
    streams = (sys.__stdin__, sys.__stdout__)
    if not all(stream is not None and stream.isatty() for stream in streams):
        return "blocks"
    from textual_image import renderable

    if renderable.Image is renderable.TGPImage:
        return "kitty"
    return "sixel" if renderable.Image is renderable.SixelImage else "blocks"


def _terminal_image(name: Technique) -> Any:
    from textual_image import renderable

    return renderable.TGPImage if name == "kitty" else renderable.SixelImage
