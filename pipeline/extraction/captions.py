"""Which paragraphs are captions of which images."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from openm3w.pipeline.extraction.boxes import Block, Box, Layout, Picture

MAX_CAPTION_CHARS: Final = 1_000
"""Longer texts beside an image are paragraphs of their own."""

MAX_LEVELS: Final = 6
"""Boxes between an image and the figure that holds it and its caption."""

MAX_BLOCKS: Final = 40
"""Paragraphs inside a figure; what holds more is a part of the page, whatever its class says."""

MAX_GAP: Final = 3
"""Paragraphs, all empty but the last, from an image to a caption that stands in no figure."""

MAX_NAME_CHARS: Final = 1_000
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
_FIGURE_ONLY: Final = re.compile(r"(?:^|\s)figure(?:\s|$)", re.IGNORECASE)


MAX_CREDIT_CHARS: Final = 120

_CREDIT: Final = re.compile(
    r"\W{0,2}(?:©|\(c\)\s|copyright\b|(?:fotos?|photos?|bild(?:er|quelle|nachweis)?|images?"
    r"|pictures?|cr[ée]dits?(?: photos?)?|beitragsbild|quellen?|fuentes?|sources?)\s*[:©])",
    re.IGNORECASE,
)


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
    for picture in pictures:
        found = _caption(picture, layout, core) or _next_caption(picture, layout, core)
        if found:
            captions.blocks[picture] = found
            captions.moved.update(dict.fromkeys(found, picture))
    return captions


def _caption(picture: Picture, layout: Layout, core: Box | None) -> tuple[int, ...]:
    for level, box in enumerate(picture.box.ancestors()):
        if box is core or level > MAX_LEVELS or box.last - box.first > MAX_BLOCKS:
            break
        if box.tag != "figure" and not _FIGURE_CLASS.search(_class(box)):
            continue
        found = tuple(
            index
            for index in range(box.first, box.last)
            if layout.blocks[index].chars and _is_caption(layout.blocks[index], box)
        )
        if found and sum(layout.blocks[i].chars for i in found) <= MAX_CAPTION_CHARS:
            return found
    return ()


def _next_caption(picture: Picture, layout: Layout, core: Box | None) -> tuple[int, ...]:
    """The text right after an image, where its name says that it is a caption of something."""
    last = min(picture.block + MAX_GAP + 1, core.last if core else len(layout.blocks))
    for index in range(picture.block, last):
        block = layout.blocks[index]
        if block.chars:
            if index == picture.block or block.chars > MAX_CAPTION_CHARS or block.box.side:
                return ()
            return (index,) if is_caption(block) else ()
    return ()


def is_credit(text: str) -> bool:
    """Whether a line names no more than the maker or the source of an image."""
    return len(text) <= MAX_CREDIT_CHARS and bool(_CREDIT.match(text.strip()))


@lru_cache(maxsize=1 << 12)
def is_caption_name(names: str) -> bool:
    """Whether class and id call a part a caption."""
    return bool(_CAPTION_CLASS.search(names[:MAX_NAME_CHARS]))


def is_caption(block: Block) -> bool:
    """Whether a paragraph describes an image, by the names of what it stands in."""
    for level, box in enumerate(block.box.ancestors()):
        if box.tag == "figcaption":
            return True
        if box.written and is_caption_name(box.names):
            return True
        if level == CAPTION_LEVELS:
            break
    return False


def _is_caption(block: Block, figure: Box) -> bool:
    for box in block.box.ancestors():
        if box is figure:
            return False
        if box.tag == "figcaption" or _CAPTION_CLASS.search(box.names):
            return True
        if _TITLE_CLASS.search(_class(box)) and _FIGURE_ONLY.search(_class(figure)):
            return True
    return False


def _class(box: Box) -> str:
    return box.get("class")
