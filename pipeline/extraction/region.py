"""Which paragraphs of a page are content, from the text itself: no other extractor is asked.

The heart of a page is the smallest box that holds most of its running text, once what stands
beside the content by its name (`sides`) is put away. What is content inside is told paragraph by
paragraph: from the first to the last running text everything but lists of links, credits, and
headings of what was left out.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise
from typing import Final

from openm3w.pipeline.extraction.boxes import Block, Box, Layout
from openm3w.pipeline.extraction.captions import is_caption, is_credit
from openm3w.pipeline.extraction.endings import drop_end_matter, drop_introductions
from openm3w.pipeline.extraction.selection import Selection, is_text, smallest_box, widen
from openm3w.pipeline.extraction.tags import HEADINGS, ITEMS, LISTS, TABLE, names

MIN_PARAGRAPH_CHARS: Final = 40
"""Shorter paragraphs are labels."""

MIN_DENSE_CHARS: Final = 16
"""The same in Chinese, Japanese and Korean, where a letter is a syllable or a word."""

_DENSE: Final = re.compile(
    r"(?:[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3][\u3000-\u303f\uff00-\uffef 0-9]?){12}"
)

MAX_LINK_SHARE: Final = 0.3
"""Of the characters of running text."""

MIN_GROUP_TEXT: Final = 0.4
"""Of the characters of a list or table, outside of links: references, publications, facts."""

MAX_HEADING_LINK_SHARE: Final = 0.8
"""Of the characters of a heading that is not the headline of another page."""

CORE_SHARE: Final = 0.75
"""The heart is the smallest box that holds this share of the running text."""

ITEM_WEIGHT: Final = 0.1
"""Of running text in items of lists, where streams of other articles stand, and comments."""

MIN_FLOWING_CHARS: Final = 500
"""With less running text outside lists a page is made of lists, and they count in full."""

MAX_HEAD_BLOCKS: Final = 15
"""Paragraphs between the title of a page and its core: byline, date, buttons."""

MIN_POST_CHARS: Final = 500
"""Of text under a heading that is a link; teasers of other pages have less."""

MAX_TITLE_BLOCKS: Final = 40
"""The same for the page's only h1: among what stands there are menus that no name tells."""

_GROUPS: Final = LISTS | TABLE
_PARTS_OF_BOXES: Final = _GROUPS | names("p li dd dt tbody thead tfoot tr")
_LINKED: Final = names("p pre")
_FLOW: Final = names("p li pre blockquote dd td")
_HEADS: Final = names("header hgroup")
_TITLES: Final = names("h1 h2")
MAX_BYLINE_CHARS: Final = 120

_BYLINE: Final = re.compile(
    r"\s*(?:(?i:posted|submitted|published|updated|written|last (?:updated|modified|edited))"
    r"\s(?:by|on|in|at)\b|[Bb]y\s+[A-Z][\w.]*(?:\s[A-Z][\w.]*){0,3}\s*$)"
)
"""Who wrote the text, and when: pages in English say it without telling names for it."""


def choose_text(layout: Layout) -> Selection:
    """The paragraphs that are content."""
    heart = _heart(layout)
    if heart is None:  # a page of labels: a few words, a table
        texts = {index for index, block in enumerate(layout.blocks) if is_text(block)}
        return Selection(layout.body, layout.body, texts)
    core = widen(heart, layout)
    texts = _texts(layout, heart, core)
    drop_end_matter(layout, texts)
    drop_introductions(layout, core, texts)
    return Selection(core, heart, texts)


def _heart(layout: Layout) -> Box | None:
    """The smallest box that holds most of the running text."""
    running = [(block, block.box.inside(ITEMS)) for block in layout.blocks if _is_running(block)]
    if not running:
        return None
    flowing = sum(block.chars for block, item in running if item is None)
    item_weight = ITEM_WEIGHT if flowing >= MIN_FLOWING_CHARS else 1.0
    weights = [0.0] * len(layout.boxes)
    for block, item in running:
        if block.box.parent is not None:
            share = 1.0 if item is None else item_weight
            weights[block.box.number] += (block.chars - block.linked) * share
    heart = smallest_box(layout, weights, CORE_SHARE)
    while heart.tag in _PARTS_OF_BOXES and heart.parent is not None:
        heart = heart.parent
    return heart


def _is_running(block: Block) -> bool:
    return (
        _is_long(block)
        and (
            block.linked <= MAX_LINK_SHARE * block.chars
            # In encyclopedias every other word of a paragraph is a link, in documentation every
            # other name of an example.
            or (block.box.tag in _LINKED and block.chars - block.linked >= MIN_PARAGRAPH_CHARS)
        )
        and not block.box.side
        and block.box.tag not in HEADINGS
    )


def _is_long(block: Block) -> bool:
    if block.chars >= MIN_PARAGRAPH_CHARS:
        return True
    return block.chars >= MIN_DENSE_CHARS and _DENSE.search(block.text) is not None


def _texts(layout: Layout, heart: Box, core: Box) -> set[int]:
    blocks = layout.blocks
    texts = {
        index
        for index in range(core.first, core.last)
        if _is_running(blocks[index])
        and (heart.first <= index < heart.last or not blocks[index].box.inside(ITEMS))
    }
    inner = [index for index in texts if heart.first <= index < heart.last]
    first, last = min(inner), max(inner)
    texts.update(index for index in range(first, last) if _has_words(blocks[index]))
    texts.update(_between(blocks, sorted(texts)))
    listed, labels = _groups(layout, heart, first, last)
    texts = (texts - labels) | listed
    texts.update(_same_box(blocks, core, last))
    texts.update(_headlines(blocks, texts, max(core.first, first - MAX_HEAD_BLOCKS), last))
    texts.update(_title(blocks, core, first))
    texts.update(_standfirst(blocks, core))
    texts.update(_title_above(layout, core))
    return {index for index in texts if not _is_aside(blocks[index])}


def _has_words(block: Block) -> bool:
    if block.box.tag in HEADINGS and not block.box.side:
        # Beside a heading's words there may be a link to its editor.
        return bool(block.chars) and block.linked <= MAX_HEADING_LINK_SHARE * block.chars
    return is_text(block)


def _between(blocks: list[Block], order: list[int]) -> Iterable[int]:
    """What stands between two paragraphs of text and is nothing but text itself."""
    for before, after in pairwise(order):
        gap = range(before + 1, after)
        if all(is_text(blocks[index]) for index in gap if blocks[index].chars):
            yield from (index for index in gap if blocks[index].chars)


def _groups(layout: Layout, heart: Box, first: int, last: int) -> tuple[set[int], set[int]]:
    """What lists and tables that are text hold, and what would be left of the others.

    A list with headings that are links is a stream of teasers for other pages.
    """
    blocks = layout.blocks
    listed, labels = set[int](), set[int]()
    for outer in _outer_groups(layout, heart, first, last):
        inside = range(outer.first, outer.last)
        text = sum(
            blocks[index].chars - blocks[index].linked
            for index in inside
            if not blocks[index].box.side
        )
        stream = any(_is_teaser(blocks[index]) for index in inside)
        if text < MIN_GROUP_TEXT * sum(blocks[index].chars for index in inside):
            labels.update(i for i in inside if not _is_running(blocks[i]))
        elif not stream:
            listed.update(i for i in inside if blocks[i].chars and not blocks[i].box.side)
    return listed, labels


def _outer_groups(layout: Layout, heart: Box, first: int, last: int) -> Iterator[Box]:
    """Lists and tables of the heart that stand in no other and hold some of these paragraphs."""
    number = heart.number + 1
    while number < heart.end:
        box = layout.boxes[number]
        if box.first > last:
            return
        if box.tag not in _GROUPS:
            number += 1
            continue
        if box.last > max(first, box.first) and not box.side:
            yield box
        number = box.end


def _is_teaser(block: Block) -> bool:
    return 2 * block.linked > block.chars and block.box.inside(HEADINGS) is not None


def _same_box(blocks: list[Block], core: Box, last: int) -> Iterable[int]:
    """Short paragraphs, tables and lists that end the text: in the box of its last running text."""
    around = blocks[last].box.parent
    table: Box | None = None
    for index in range(last + 1, core.last):
        block = blocks[index]
        if table is None or index >= table.last:
            table = _table_in(around, block, blocks)
        if table is None and (block.box.parent is not around or block.box.tag not in _FLOW):
            return
        if is_text(block):
            yield index
        elif table is not None:
            return


def _table_in(around: Box | None, block: Block, blocks: list[Block]) -> Box | None:
    """The table, or list without links, right inside a box that a paragraph stands in."""
    child = next((box for box in block.box.ancestors() if box.parent is around), None)
    if child is None or child.tag not in _GROUPS:
        return None
    if child.tag in LISTS and any(inside.linked for inside in blocks[child.first : child.last]):
        return None
    return child


def _headlines(blocks: list[Block], texts: set[int], first: int, last: int) -> Iterable[int]:
    """Headings that link to the post whose whole text stands under them, in the same box."""
    before = list(accumulate((b.chars * (i in texts) for i, b in enumerate(blocks)), initial=0))
    end = last + 1
    for index in range(last, first - 1, -1):
        block = blocks[index]
        if block.box.tag not in HEADINGS or _has_words(block):
            continue
        around = block.box.parent
        while around is not None and around.tag in _HEADS:
            around = around.parent
        if around is not None and not block.box.side and block.chars:
            below = before[max(index + 1, min(end, around.last))] - before[index + 1]
            if below >= MIN_POST_CHARS:
                yield index
        end = index


def _title(blocks: list[Block], core: Box, first: int) -> Iterable[int]:
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
        elif block.chars >= MIN_PARAGRAPH_CHARS and not _is_aside(block):
            near = False


def _standfirst(blocks: list[Block], core: Box) -> Iterable[int]:
    """The introduction between the page's title and the core."""
    start = max(0, core.first - MAX_HEAD_BLOCKS)
    for index in range(core.first - 1, start - 1, -1):
        if blocks[index].box.tag == "h1" and is_text(blocks[index]):
            for below in range(index + 1, core.first):
                if is_text(blocks[below]) and blocks[below].chars >= MIN_PARAGRAPH_CHARS:
                    yield below
            return


def _title_above(layout: Layout, core: Box) -> Iterable[int]:
    """The page's title above the core, where it is the only heading of its rank."""
    titles = [
        index
        for index, block in enumerate(layout.blocks[: core.last])
        if block.box.tag == "h1" and is_text(block) and not _is_aside(block)
    ]
    if len(titles) == 1 and core.first - MAX_TITLE_BLOCKS <= titles[0] < core.first:
        yield titles[0]


def _is_aside(block: Block) -> bool:
    """Whether a paragraph is about the text, or belongs to an image and comes back with it."""
    if is_caption(block) or is_credit(block.text):
        return True
    return block.chars <= MAX_BYLINE_CHARS and bool(_BYLINE.match(block.text))
