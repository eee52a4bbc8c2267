"""A page laid out: its boxes, and its paragraphs in reading order with the images in them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, islice
from typing import Final

from openm3w.pipeline.extraction.attributes import attributes
from openm3w.pipeline.extraction.tokens import Token

LINE_BREAK: Final = "\x0b"
"""Stands for `<br>`."""


DEEP: Final = 24
"""Boxes on a way to another that make it long: what it led to is remembered all along it."""


class Box:
    """A block-level element, or an inline one whose text is not shown."""

    end = 0
    """Index after the last box inside, in `Layout.boxes`."""
    hidden = False
    """Nothing inside is shown."""
    side = False
    """It, or a box around it, stands beside the content by its name (`sides`)."""
    _attributes: dict[str, str] | None = None
    _names: str | None = None
    nearest: "dict[frozenset[str], Box | None] | None" = None
    """What `inside` found around this box, for the boxes in it."""

    def __init__(
        self, tag: str, written: str, parent: "Box | None", number: int, first: int
    ) -> None:
        self.tag = tag
        self.written = written
        """Attributes as the page has them."""
        self.parent = parent
        self.number = number
        """Index in `Layout.boxes`."""
        self.first = first
        """Index of the first paragraph inside."""
        self.last = first
        """Index after the last paragraph inside."""
        self.silent = False
        """Text inside is not shown."""
        if parent is not None:
            if parent.silent:
                self.silent = True
                self.hidden = parent.hidden
            if parent.side:
                self.side = True

    def get(self, name: str) -> str:
        """An attribute's value, or ""."""
        if self._attributes is None:
            self._attributes = attributes(self.written) if self.written else {}
        return self._attributes.get(name, "")

    @property
    def names(self) -> str:
        """Class and id."""
        if self._names is None:
            self._names = f"{self.get('class')} {self.get('id')}".strip() if self.written else ""
        return self._names

    def ancestors(self) -> Iterator["Box"]:
        """The box itself and all around it, inner ones first."""
        box: Box | None = self
        while box is not None:
            yield box
            box = box.parent

    def inside(self, tags: frozenset[str]) -> "Box | None":
        """The nearest box, itself included, of one of these tags."""
        if self.tag in tags:
            return self
        around = self.parent
        if around is None or around.tag in tags:
            return around
        if around.nearest is None:
            around.nearest = {}
        elif tags in around.nearest:
            return around.nearest[tags]
        box = around.parent
        levels = 1
        while box is not None and box.tag not in tags:
            if box.nearest and tags in box.nearest:
                box = box.nearest[tags]
                break
            levels += 1
            box = box.parent
        around.nearest[tags] = box
        if levels > DEEP:
            for below in islice(around.ancestors(), 1, levels):
                below.nearest = {**(below.nearest or {}), tags: box}
        return box


class Picture:
    """An image element at its place."""

    def __init__(
        self,
        number: int,
        written: str,
        box: Box,
        block: int,
        link: str | None,
        sources: tuple[str, ...],
        *,
        hidden: bool,
    ) -> None:
        self.number = number
        """Among the page's image elements."""
        self.written = written
        """Attributes as the page has them."""
        self.box = box
        self.block = block
        """Index of the paragraph that it stands in."""
        self.link = link
        """Attributes of the link around it, as written."""
        self.sources = sources
        """Of the `<source>` elements before it in its `<picture>`, attributes as written."""
        self.hidden = hidden

    @cached_property
    def attributes(self) -> dict[str, str]:
        """Attributes by name."""
        return attributes(self.written)


class Block:
    """A paragraph: runs of text and images between two block boundaries."""

    def __init__(
        self, box: Box, pieces: list[str | Picture], text: str, linked: int, last_token: int
    ) -> None:
        self.box = box
        self.pieces = pieces
        self.text = text
        """As written, character references read."""
        self.words = " ".join(text.split())
        """The same with white space as one space."""
        self.chars = len(self.words)
        self.linked = min(linked, self.chars)
        """Characters inside links."""
        self.last_token = last_token
        """Index of the token that ended it."""


@dataclass(eq=False)
class Layout:
    """A page as paragraphs in reading order."""

    tokens: list[Token]
    body: Box
    """Holds everything."""
    blocks: list[Block] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    """In the order of their start tags; those that hold no text or image included."""
    text_links: set[str] = field(default_factory=set)
    """Attributes of links whose text may be a headline, as written."""
    head: list[tuple[str, str]] = field(default_factory=list)
    """Tag and attributes as written of `<meta>`, `<base>`, `<link>`, and links to licences."""
    title: str = ""
    num_skipped: int = 0
    """Characters of text passed over in boxes beside the content, labels not counted."""
    largest_skipped: int = 0
    """Of them those of one box."""
    num_text: int = 0
    """Characters of text in all, labels not counted."""

    def skip(self, chars: int) -> None:
        """Count text that was passed over in one box beside the content."""
        self.num_skipped += chars
        self.largest_skipped = max(self.largest_skipped, chars)

    @cached_property
    def chars(self) -> list[int]:
        """Characters before each paragraph, and after the last."""
        return list(accumulate([block.chars for block in self.blocks], initial=0))

    @cached_property
    def linked(self) -> list[int]:
        """The same of characters inside links."""
        return list(accumulate([block.linked for block in self.blocks], initial=0))
