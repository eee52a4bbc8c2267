"""Which paragraphs are captions of which images."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from openm3w.pipeline.extraction.boxes import Block, Box, Layout, Picture
from openm3w.pipeline.extraction.tags import names

MAX_CAPTION_CHARS: Final = 1_000
"""Longer texts beside an image are paragraphs of their own."""

MAX_FIGURE_LEVELS: Final = 6
"""Boxes between an image and the figure that holds it and its caption."""

MAX_FIGURE_BLOCKS: Final = 40
"""Paragraphs inside a figure; what holds more is a part of the page, whatever its class says."""

MAX_GAP: Final = 3
"""Paragraphs, all empty but the last, from an image to a caption that stands in no figure."""

MAX_NAMES_CHARS: Final = 1_000
"""Of class and id; pages have been seen with thousands of utility classes."""

CAPTION_LEVELS: Final = 2
"""Boxes around a caption's paragraph that may be called so."""

_FIGURE_CLASS: Final = re.compile(
    r"(?:^|[\s_-])(?:figure|caption|thumb|image|photo|picture|illustration"
    r"|gallery-?item|media)",
    re.IGNORECASE,
)
_CAPTION_CLASS: Final = re.compile(
    r"caption|legende?s?(?![a-z])|bildunter|im(?:g|age)-?desc", re.IGNORECASE
)
_TITLE_CLASS: Final = re.compile(r"(?:^|\s)title(?:\s|$)", re.IGNORECASE)
_FIGURE: Final = names("figure")
_FIGURE_ONLY: Final = re.compile(r"(?:^|\s)figure(?:\s|$)", re.IGNORECASE)


@dataclass(slots=True, eq=False)
class Captions:
    """Captions found on a page."""

    blocks: dict[Picture, tuple[int, ...]] = field(default_factory=dict)
    """The paragraphs that describe an image, in their order."""
    moved: dict[int, Picture] = field(default_factory=dict)
    """For each such paragraph the image that it is placed after: the last of its figure."""


def find_captions(layout: Layout, pictures: list[Picture], core: Box | None) -> Captions:
    """Captions of these images: `<figcaption>`, and what classes call a caption.

    DocBook's figures put a title paragraph before the image; it counts too.
    """
    captions = Captions()
    figures = _Figures(layout, pictures, core)
    for picture in pictures:
        found = figures.caption(picture) or _next_caption(picture, layout, core)
        if found:
            captions.blocks[picture] = found
            captions.moved.update(dict.fromkeys(found, picture))
    return captions


class _Figures:
    """Boxes around images that hold captions too; each box is looked at once."""

    def __init__(self, layout: Layout, pictures: list[Picture], core: Box | None) -> None:
        self.layout = layout
        self.core = core
        self.places = sorted(picture.block for picture in pictures)
        self.found = dict[Box, tuple[int, ...]]()
        """The captions in a box, none where it is no figure."""
        self.named = dict[Box, tuple[int, int, int]]()
        """Numbers of the nearest boxes that are called a caption and a title, and that are a
        figure; itself included, -1 where there is none inside the core."""

    def caption(self, picture: Picture) -> tuple[int, ...]:
        """The paragraphs that describe an image in the smallest figure that has any."""
        for level, box in enumerate(picture.box.ancestors()):
            if (
                box is self.core
                or level > MAX_FIGURE_LEVELS
                or box.last - box.first > MAX_FIGURE_BLOCKS
            ):
                break
            if box not in self.found:
                self.found[box] = self._captions(box)
            if self.found[box]:
                return self.found[box]
        return ()

    def _captions(self, figure: Box) -> tuple[int, ...]:
        if not _is_figure(figure):
            return ()
        blocks, has_title = self.layout.blocks, bool(_FIGURE_ONLY.search(_class(figure)))
        found = list[int]()
        for index in range(figure.first, figure.last):
            caption, title, own = self._named(blocks[index].box)
            called = max(caption, title if has_title else -1)
            # Of a figure inside this one the caption is its own.
            if called > figure.number >= own and blocks[index].chars:
                found.append(index)
        is_short = sum(blocks[index].chars for index in found) <= MAX_CAPTION_CHARS
        return tuple(found) if is_short else ()

    def _named(self, box: Box) -> tuple[int, int, int]:
        way = list[Box]()
        around: Box | None = box
        while around is not None and around is not self.core and around not in self.named:
            way.append(around)
            around = around.parent
        caption, title, figure = (
            self.named.get(around, (-1, -1, -1)) if around is not None else (-1, -1, -1)
        )
        for inner in reversed(way):
            if inner.tag == "figcaption" or is_caption_name(inner.names):
                caption = inner.number
            if _TITLE_CLASS.search(_class(inner)):
                title = inner.number
            if _has_own_caption(inner) or (_is_figure(inner) and _holds(inner, self.places)):
                figure = inner.number
            self.named[inner] = (caption, title, figure)
        return caption, title, figure


def captions_of_text(layout: Layout, part: Box, texts: set[int]) -> Iterator[int]:
    """Captions of figures that hold these texts and no image: a source, the name of a listing."""
    captions = [box for box in layout.boxes[part.number : part.end] if box.tag == "figcaption"]
    if not captions:
        return
    places, order = [picture.block for picture in layout.pictures], sorted(texts)
    for caption in captions:
        figure = caption.inside(_FIGURE)
        if figure is None or figure.side or _holds(figure, places) or not _holds(figure, order):
            continue
        inside = range(caption.first, caption.last)
        yield from (index for index in inside if layout.blocks[index].chars)


def _is_figure(box: Box) -> bool:
    return box.tag == "figure" or bool(_FIGURE_CLASS.search(_class(box)))


def _has_own_caption(box: Box) -> bool:
    """Whether captions inside are its own; themes write `<figure class=caption>` for a caption."""
    return box.tag == "figure" and not is_caption_name(box.names)


def _holds(box: Box, places: list[int]) -> bool:
    """Whether some of these paragraphs, in their order, stand in a box."""
    return bisect_left(places, box.first) < bisect_left(places, box.last)


def _next_caption(picture: Picture, layout: Layout, core: Box | None) -> tuple[int, ...]:
    """The text right after an image, where its name says that it is a caption of something."""
    last = min(picture.block + MAX_GAP + 1, core.last if core else len(layout.blocks))
    for index in range(picture.block, last):
        block = layout.blocks[index]
        if block.chars:
            if index == picture.block or block.chars > MAX_CAPTION_CHARS or block.box.side:
                return ()
            figure = block.box.inside(_FIGURE)
            if figure is not None and figure.first > picture.block and _has_own_caption(figure):
                return ()
            return (index,) if is_caption(block) else ()
    return ()


def is_caption_name(names: str) -> bool:
    """Whether class and id call a part a caption."""
    return bool(names) and _is_caption_name(names[:MAX_NAMES_CHARS])


@lru_cache(maxsize=1 << 12)
def _is_caption_name(names: str) -> bool:
    return bool(_CAPTION_CLASS.search(names))


def is_caption(block: Block) -> bool:
    """Whether a paragraph describes an image, by the names of what it stands in."""
    for level, box in enumerate(block.box.ancestors()):
        if box.tag == "figcaption":
            return True
        if is_caption_name(box.names):
            return True
        if level == CAPTION_LEVELS:
            break
    return False


def _class(box: Box) -> str:
    return box.get("class")
