"""Which paragraphs of a page are content, from the text itself: no other extractor is asked.

The heart of a page is the smallest box that holds most of its running text, once what stands
beside the content by its name (`sides`) is put away. What is content inside is told paragraph by
paragraph: from the first to the last running text everything but lists of links, credits, and
headings of what was left out.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from openm3w.pipeline.extraction.asides import is_aside
from openm3w.pipeline.extraction.boxes import Block, Box, Layout
from openm3w.pipeline.extraction.captions import captions_of_text
from openm3w.pipeline.extraction.endings import drop_end_matter, drop_introductions
from openm3w.pipeline.extraction.headings import (
    has_words,
    headlines,
    standfirst,
    title_above,
    titles,
)
from openm3w.pipeline.extraction.selection import (
    MIN_PARAGRAPH_CHARS,
    Selection,
    is_text,
    smallest_box,
    widen,
)
from openm3w.pipeline.extraction.tags import HEADINGS, ITEMS, LISTS, TABLE, names

MIN_DENSE_CHARS: Final = 16
"""Of a paragraph in Chinese, Japanese or Korean, where a letter is a syllable or a word."""

_DENSE: Final = re.compile(
    r"(?:[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3][\u3000-\u303f\uff00-\uffef 0-9]?){12}"
)

MAX_LINK_SHARE: Final = 0.3
"""Of the characters of running text."""

MIN_GROUP_TEXT: Final = 0.4
"""Of the characters of a list or table, outside of links: references, publications, facts."""

CORE_SHARE: Final = 0.75
"""The heart is the smallest box that holds this share of the running text."""

ITEM_WEIGHT: Final = 0.1
"""Of running text in items of lists, where streams of other articles stand, and comments."""

MIN_FLOWING_CHARS: Final = 500
"""With less running text outside lists a page is made of lists, and they count in full."""

_GROUPS: Final = LISTS | TABLE
_PARTS_OF_BOXES: Final = _GROUPS | names("p li dd dt tbody thead tfoot tr")
_LINKED: Final = names("p pre")
_FLOW: Final = names("p li pre blockquote dd td")


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
    texts.update(index for index in range(first, last) if has_words(blocks[index]))
    texts.update(_gaps(blocks, sorted(texts)))
    listed, labels = _groups(layout, heart, first, last)
    texts = (texts - labels) | listed
    texts.update(_same_box(blocks, core, last))
    texts.update(headlines(blocks, texts, core, range(first, last + 1)))
    texts.update(titles(blocks, core, first))
    texts.update(standfirst(blocks, core))
    texts.update(title_above(layout, core))
    texts = {index for index in texts if not is_aside(blocks[index])}
    return texts | set(captions_of_text(layout, core, texts))


def _gaps(blocks: list[Block], order: list[int]) -> Iterable[int]:
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
