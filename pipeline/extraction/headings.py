"""Which headings are the text's, and what stands between its title and its first paragraph."""

from collections.abc import Iterable
from itertools import accumulate
from typing import Final

from openm3w.pipeline.extraction.asides import is_aside
from openm3w.pipeline.extraction.boxes import Block, Box, Layout
from openm3w.pipeline.extraction.selection import MIN_PARAGRAPH_CHARS, is_text
from openm3w.pipeline.extraction.tags import HEADINGS, names

MAX_HEADING_LINK_SHARE: Final = 0.8
"""Of the characters of a heading that is not the headline of another page."""

MAX_HEAD_BLOCKS: Final = 15
"""Paragraphs between the title of a page and its core: byline, date, buttons."""

MIN_POST_CHARS: Final = 500
"""Of text under a heading that is a link; teasers of other pages have less."""

MAX_TITLE_BLOCKS: Final = 40
"""The same for the page's only h1: among what stands there are menus that no name tells."""

_HEADS: Final = names("header hgroup")
_TITLES: Final = names("h1 h2")


def has_words(block: Block) -> bool:
    """Whether a paragraph, or a heading, holds words rather than links."""
    if block.box.tag in HEADINGS and not block.box.side:
        # Beside a heading's words there may be a link to its editor.
        return bool(block.chars) and block.linked <= MAX_HEADING_LINK_SHARE * block.chars
    return is_text(block)


def headlines(blocks: list[Block], texts: set[int], core: Box, inner: range) -> Iterable[int]:
    """Headings that link to the post whose whole text stands under them, in the same box.

    `inner` are the paragraphs from the first to the last running text.
    """
    before = list(accumulate((b.chars * (i in texts) for i, b in enumerate(blocks)), initial=0))
    end = inner.stop
    for index in range(end - 1, max(core.first, inner.start - MAX_HEAD_BLOCKS) - 1, -1):
        block = blocks[index]
        if block.box.tag not in HEADINGS or has_words(block):
            continue
        around = block.box.parent
        while around is not None and around.tag in _HEADS:
            around = around.parent
        if around is not None and not block.box.side and block.chars:
            below = before[max(index + 1, min(end, around.last))] - before[index + 1]
            if below >= MIN_POST_CHARS:
                yield index
        end = index


def titles(blocks: list[Block], core: Box, first: int) -> Iterable[int]:
    """The headings right before the text, and the title above them."""
    near = True
    for index in range(first - 1, core.first - 1, -1):
        block = blocks[index]
        if block.box.tag in HEADINGS and is_text(block):
            title = block.box.tag in _TITLES
            if near or title:
                yield index
            if title:
                return
        elif block.chars >= MIN_PARAGRAPH_CHARS and not is_aside(block):
            near = False


def standfirst(blocks: list[Block], core: Box) -> Iterable[int]:
    """The introduction between the page's title and the core."""
    start = max(0, core.first - MAX_HEAD_BLOCKS)
    for index in range(core.first - 1, start - 1, -1):
        if blocks[index].box.tag == "h1" and is_text(blocks[index]):
            for below in range(index + 1, core.first):
                if is_text(blocks[below]) and blocks[below].chars >= MIN_PARAGRAPH_CHARS:
                    yield below
            return


def title_above(layout: Layout, core: Box) -> Iterable[int]:
    """The page's title above the core, where it is the only heading of its rank."""
    titles = [
        index
        for index, block in enumerate(layout.blocks[: core.last])
        if block.box.tag == "h1" and is_text(block) and not is_aside(block)
    ]
    if len(titles) == 1 and core.first - MAX_TITLE_BLOCKS <= titles[0] < core.first:
        yield titles[0]
