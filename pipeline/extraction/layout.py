"""One pass over a page's DOM: its paragraphs in reading order, with the images among them.

The pass also marks the tree: in front of each run of text it puts a character of the
supplementary private use planes, a different one for each. A content extractor carries them
along, and what it returns tells exactly which text nodes it kept (see `region`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, Final

from lxml import etree

from openm3w.pipeline.extraction.tags import BLOCK, IMAGES, MARKUP, SILENT

FIRST_MARK: Final = 0xF0000
LAST_MARK: Final = 0x10FFFD
MARKS: Final = re.compile("[\U000f0000-\U0010fffd]")
"""Planes 15 and 16. A page's own such characters are icons of fonts and leave the text."""

LINE_BREAK: Final = "\x0b"
"""Stands for `<br>`; parsing leaves no such character in a page's text."""

_HIDDEN_STYLE: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HIDDEN_CLASSES: Final = ("sr-only", "visually-hidden", "visuallyhidden", "screen-reader")


@dataclass(slots=True, eq=False)
class Box:
    """A block-level element, or one whose text is silent."""

    element: Any
    tag: str
    parent: "Box | None"
    first: int
    """Index of the first paragraph inside."""
    last: int = 0
    """Index after the last paragraph inside."""
    silent: bool = False
    """Text inside is not shown."""
    hidden: bool = False
    """Nothing inside is shown."""
    side: bool | None = None
    """Whether it stands beside the content, once that was asked (`selection.is_side`)."""

    def ancestors(self) -> Iterator["Box"]:
        """The box itself and all around it, inner ones first."""
        box: Box | None = self
        while box is not None:
            yield box
            box = box.parent

    def inside(self, tags: frozenset[str]) -> "Box | None":
        """The nearest box, itself included, of one of these tags."""
        return next((box for box in self.ancestors() if box.tag in tags), None)


@dataclass(slots=True, eq=False)
class Run:
    """Text of one text node."""

    text: str
    mark: int
    """0 for white space, -1 beyond the last mark."""
    linked: bool

    @property
    def size(self) -> int:
        """Letters and signs, white space not counted."""
        return len("".join(self.text.split()))


_SPACE: Final = Run(" ", 0, linked=False)
_BREAK: Final = Run(LINE_BREAK, 0, linked=False)


@dataclass(slots=True, eq=False)
class Picture:
    """An image element at its place."""

    number: int
    """Among the page's image elements."""
    element: Any
    box: Box
    block: int
    """Index of the paragraph that it stands in."""
    hidden: bool


@dataclass(slots=True, eq=False)
class Block:
    """A paragraph: runs of text and images between two block boundaries."""

    box: Box
    pieces: list[Run | Picture]
    chars: int = 0
    """Letters and signs, white space not counted."""
    linked: int = 0
    """Of them those inside links."""
    kept: int = 0
    """Of them those that the extractor kept."""


@dataclass(slots=True, eq=False)
class Layout:
    """A page as paragraphs in reading order."""

    blocks: list[Block] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    text_links: set[str] = field(default_factory=set)
    """Targets of links that have text."""
    markup: list[Any] = field(default_factory=list)
    """Scripts, styles and drawings: dead weight for an extractor."""
    chars: list[int] = field(default_factory=list)
    """Characters before each paragraph, and after the last."""
    linked: list[int] = field(default_factory=list)
    """Of them those inside links."""


def lay_out(root: Any) -> Layout:
    """The paragraphs and images of a tree, which gets marked on the way."""
    return _Pass(root).layout


class _Pass:
    """State of the walk: open boxes, the paragraph being filled, the link that is open."""

    def __init__(self, root: Any) -> None:
        self.layout = Layout()
        self.next_mark = FIRST_MARK
        self.box = Box(root, "", None, 0)
        self.home = self.box
        """The block-level box that text goes to."""
        self.pieces: list[Run | Picture] = []
        self.has_text = False
        self.links = 0
        self.target = ""
        """Of the link that is open, until text was seen in it."""
        for event, element in etree.iterwalk(root, events=("start", "end")):
            if event == "start":
                self._start(element)
            else:
                self._end(element)
        self._flush()
        blocks = self.layout.blocks
        self.box.last = len(blocks)
        self.layout.chars = list(accumulate((block.chars for block in blocks), initial=0))
        self.layout.linked = list(accumulate((block.linked for block in blocks), initial=0))

    def _start(self, element: Any) -> None:
        tag = element.tag
        if tag in BLOCK:
            self._start_block(element, tag)
        elif tag in SILENT:
            self._start_silent(element, tag)
        elif tag == "br":
            self.pieces.append(_BREAK)
        else:
            if tag == "a":
                self.links += 1
                self.target = element.get("href") or ""
            if _is_hidden(element):
                self._open(element, tag, silent=True)
        text = element.text
        if text and not self.box.silent:
            element.text = self._run(text)

    def _start_block(self, element: Any, tag: str) -> None:
        silent = self.box.silent
        if not silent:
            self._flush()
        self._open(element, tag, silent=silent)
        if not self.box.silent:
            self.home = self.box

    def _start_silent(self, element: Any, tag: str) -> None:
        if tag in IMAGES:
            self._picture(element)
        elif tag in MARKUP and "json" not in (element.get("type") or ""):
            self.layout.markup.append(element)
        self._open(element, tag, silent=True)

    def _end(self, element: Any) -> None:
        box = self.box
        if box.element is element:
            self._close(box)
        if element.tag == "a":
            self.links -= 1
            self.target = ""
        text = element.tail
        if text and not self.box.silent:
            element.tail = self._run(text)

    def _open(self, element: Any, tag: str, *, silent: bool) -> None:
        hidden = self.box.hidden or tag == "template" or _is_hidden(element)
        first = len(self.layout.blocks)
        self.box = Box(element, tag, self.box, first, 0, silent or hidden, hidden)

    def _close(self, box: Box) -> None:
        if box is self.home:
            self._flush()
        box.last = len(self.layout.blocks)
        if box.parent is not None:
            if box is self.home:
                self.home = box.parent
            self.box = box.parent

    def _picture(self, element: Any) -> None:
        number, block = len(self.layout.pictures), len(self.layout.blocks)
        hidden = self.box.hidden or _is_hidden(element)
        picture = Picture(number, element, self.box, block, hidden)
        self.layout.pictures.append(picture)
        self.pieces.append(picture)
        self.has_text = True

    def _run(self, text: str) -> str:
        """Note a run of text, and give it back with its mark."""
        if text.isspace():
            self.pieces.append(_SPACE)
            return text
        self.has_text = True
        if self.target:
            self.layout.text_links.add(self.target)
            self.target = ""
        mark = self.next_mark
        if mark > LAST_MARK:
            self.pieces.append(Run(text, -1, self.links > 0))
            return text
        self.next_mark = mark + 1
        self.pieces.append(Run(text, mark, self.links > 0))
        start = len(text) - len(text.lstrip())
        return f"{text[:start]}{chr(mark)}{text[start:]}"

    def _flush(self) -> None:
        pieces = self.pieces
        if not pieces:
            return
        self.pieces = []
        if not self.has_text:
            return
        self.has_text = False
        block = Block(self.home, pieces)
        for piece in pieces:
            if isinstance(piece, Run) and piece.mark:
                size = piece.size
                block.chars += size
                if piece.linked:
                    block.linked += size
        self.layout.blocks.append(block)


def _is_hidden(element: Any) -> bool:
    get = element.get
    if get("hidden") is not None:
        return True
    if (style := get("style")) and _HIDDEN_STYLE.search(style):
        return True
    classes = get("class")
    return bool(classes) and any(name in classes for name in _HIDDEN_CLASSES)
