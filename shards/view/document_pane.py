"""One document, scrolled: lines of text, and pictures as the terminal can show them."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from openm3w.shards.catalog.numbered import Shown
from openm3w.shards.view import rendering
from openm3w.shards.view.pictures import Picture, Technique

_MARGIN = 4
"""Columns that are no text: padding and the scroll bar."""


class DocumentPane(VerticalScroll):
    """Shows a document, and another one when it is told."""

    def __init__(self, technique: Technique, **options: str) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.technique = technique
        self._shown: Shown | None = None
        self._columns = 0

    async def show(self, shown: Shown) -> None:
        """Puts a document in the place of the one before."""
        self._shown, self._columns = shown, self.size.width
        columns = max(20, self.size.width)
        rows = max(6, self.size.height - 6)
        those = rendering.parts(shown, self.technique, columns=columns - _MARGIN, rows=rows)
        await self.remove_children()
        await self.mount_all(list(_widgets(those)))
        self.scroll_home(animate=False)

    async def on_resize(self) -> None:
        """Text and pictures follow the width."""
        if self._shown is not None and self.size.width != self._columns:
            await self.show(self._shown)

    async def say(self, line: str) -> None:
        """A line in the place of a document."""
        self._shown = None
        await self.remove_children()
        await self.mount(Static(line, markup=False))


def _widgets(parts: Iterator[RenderableType]) -> Iterator[Widget]:
    """Neighbouring lines are one widget; a picture for a terminal's graphics is one of its own."""
    lines: list[RenderableType] = []
    for part in parts:
        if isinstance(part, Picture) and part.technique in ("kitty", "sixel"):
            yield Static(Group(*lines))
            lines = []
            yield _graphic(part)
        else:
            lines.append(part)
    yield Static(Group(*lines))


def _graphic(picture: Picture) -> Widget:
    from textual_image.widget import SixelImage, TGPImage

    columns, rows = picture.cells
    widget: Widget = (TGPImage if picture.technique == "kitty" else SixelImage)(picture.image)
    widget.styles.width, widget.styles.height = columns, rows
    return widget
