"""Which paragraphs of a page are content as trafilatura sees it: the reference engine.

The page goes to trafilatura as its tokens, written out again without scripts, styles and
drawings. In front of each run of text stands a mark, one character of the supplementary private
use planes, a different one for each; trafilatura carries them along, and what it returns tells
exactly which runs it kept, without comparing texts.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import lxml.html
from lxml import etree
from trafilatura import bare_extraction

from openm3w.pipeline.extraction.boxes import Block, Box, Layout
from openm3w.pipeline.extraction.selection import (
    Selection,
    is_text,
    smallest_box,
    widen,
)
from openm3w.pipeline.extraction.tags import HEADINGS, LISTS, VERBATIM

# trafilatura logs every page without content as an error; here that is an outcome, and counted.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

CORE_SHARE: Final = 0.8
"""The heart is the smallest box that holds this share of the text that was kept."""

FIRST_MARK: Final = 0xF0000
LAST_MARK: Final = 0x10FFFD
_MARKS: Final = re.compile("[\U000f0000-\U0010fffd]")
_NOT_XML: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff\U000f0000-\U0010ffff]"
)
_REFERENCE: Final = re.compile("&#[0-9a-zA-Z]+;?")
_MARKUP: Final = frozenset(("link", "meta"))


def choose_text(layout: Layout) -> Selection:
    """The paragraphs of which trafilatura's standard mode keeps most, and what it misses there."""
    blocks = layout.blocks
    kept = _kept_chars(layout)
    texts = {index for index, chars in enumerate(kept) if chars * 2 > blocks[index].chars}
    if not texts:
        return Selection()
    weights = [0.0] * len(layout.boxes)
    for index in texts:
        if blocks[index].box.parent is not None:
            weights[blocks[index].box.number] += kept[index]
    heart = smallest_box(layout, weights, CORE_SHARE)
    chosen = Selection(widen(heart, layout), heart, set(texts))
    texts.update(_items(blocks, chosen))
    texts.update(_dropped_between(blocks, chosen))
    return Selection(chosen.core, heart, texts)


def _kept_chars(layout: Layout) -> list[int]:
    """Of each paragraph the characters that trafilatura kept."""
    sizes = list[tuple[int, int]]()
    html = "".join(_marked(layout, sizes))
    kept = [0] * len(layout.blocks)
    for mark in _kept_marks(html):
        if 0 <= mark < len(sizes):
            block, size = sizes[mark]
            kept[block] += size
    return [min(chars, block.chars) for chars, block in zip(kept, layout.blocks, strict=True)]


def _marked(layout: Layout, sizes: list[tuple[int, int]]) -> Iterator[str]:
    """The page's markup with marks; `sizes` gains paragraph and characters of each marked run."""
    blocks = layout.blocks
    current = 0
    for number, (_, name, written, text) in enumerate(layout.tokens):
        while current < len(blocks) and blocks[current].last_token <= number:
            current += 1
        if name and name not in _MARKUP:
            yield f"<{name}{written}>"
        if text.isspace() or not text:
            yield text
            continue
        clean = _REFERENCE.sub(_without_control, _NOT_XML.sub(" ", text)).replace("<", "&lt;")
        if current < len(blocks) and FIRST_MARK + len(sizes) <= LAST_MARK:
            start = len(clean) - len(clean.lstrip())
            yield f"{clean[:start]}{chr(FIRST_MARK + len(sizes))}{clean[start:]}"
            sizes.append((current, len(" ".join(text.split()))))
        else:
            yield clean


def _without_control(match: re.Match[str]) -> str:
    digits = match[0][2:].rstrip(";")
    base = 16 if digits[:1] in "xX" else 10
    try:
        code = int(digits.lstrip("xX")[:12], base)
    except ValueError:
        return match[0]
    allowed = 0 < code <= LAST_MARK and not _NOT_XML.match(chr(code))
    return match[0] if allowed else " "


def _kept_marks(html: str) -> Iterable[int]:
    # `huge_tree` keeps what is nested deeper than 256 levels, which libxml2 drops otherwise.
    parser = lxml.html.HTMLParser(encoding="utf-8", huge_tree=True, collect_ids=False)
    try:
        root = lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
        document: Any = bare_extraction(root, include_comments=False)
    except (
        etree.LxmlError,
        RecursionError,
        ValueError,
        TypeError,
        AttributeError,
        AssertionError,
        IndexError,
    ):
        # trafilatura recurses over nested lists and trips over some odd trees; such a page
        # counts as one without content.
        return ()
    if document is None:
        return ()
    return [ord(mark) - FIRST_MARK for mark in _MARKS.findall("".join(document.body.itertext()))]


def _items(blocks: list[Block], chosen: Selection) -> Iterable[int]:
    """Items left out of lists of which most was kept: trafilatura drops nested links."""
    done = set[Box]()
    for index in chosen.order:
        lists = [box for box in blocks[index].box.ancestors() if box.tag in LISTS]
        if not lists or lists[-1] in done:
            continue
        outer = lists[-1]
        done.add(outer)
        inside = range(outer.first, outer.last)
        kept = sum(blocks[i].chars for i in inside if i in chosen.texts)
        if 2 * kept > sum(blocks[i].chars for i in inside):
            yield from (i for i in inside if blocks[i].chars)


def _dropped_between(blocks: list[Block], chosen: Selection) -> Iterable[int]:
    """Headings and code dropped between kept paragraphs of the same part."""
    for index in range(chosen.first + 1, chosen.order[-1]):
        block = blocks[index]
        if index in chosen.texts or not is_text(block):
            continue
        heading = block.box.inside(HEADINGS)
        if heading is None and block.box.inside(VERBATIM) is None:
            continue
        around = (heading or block.box).parent
        if around is not None and any(
            i in chosen.texts for i in range(index + 1, min(index + 3, around.last))
        ):
            yield index
