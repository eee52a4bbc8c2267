"""The part of a page with most running text, to tell where an extractor chose the wrong one."""

from typing import Final

from openm3w.pipeline.extraction.layout import Block, Box, Layout
from openm3w.pipeline.extraction.select import is_side

MIN_PARAGRAPH_CHARS: Final = 40
"""Shorter paragraphs are labels."""

MAX_LINK_SHARE: Final = 0.3

MIN_TEXT_CHARS: Final = 500
"""Less running text than this proves nothing."""

MIN_KEPT_SHARE: Final = 0.2
"""An extraction with less than this of the part's running text chose another part."""


def agreement(layout: Layout) -> float:
    ps=[b for b in layout.blocks if _is_running_text(b)]
    sc={}
    for b in ps:
        q=b.box.parent or b.box
        sc[q]=sc.get(q,0)+b.chars
        if q.parent is not None: sc[q.parent]=sc.get(q.parent,0)+b.chars/2
    if not sc: return 0.0
    best=max(sc,key=lambda x:(sc[x],-x.first))
    ins=[b for b in ps if best in b.box.ancestors()]
    return sum(b.kept for b in ins)/max(1,sum(b.chars for b in ins))


def correct(layout: Layout) -> None:
    """Replace the extractor's choice where it left out most of the page's running text."""
    paragraphs = [block for block in layout.blocks if _is_running_text(block)]
    scores = dict[Box, float]()
    for block in paragraphs:
        parent = block.box.parent or block.box
        scores[parent] = scores.get(parent, 0) + block.chars
        if parent.parent is not None:
            scores[parent.parent] = scores.get(parent.parent, 0) + block.chars / 2
    if not scores:
        return
    best = max(scores, key=lambda box: (scores[box], -box.first))
    inside = [b for b in paragraphs if best in b.box.ancestors()]
    total = sum(block.chars for block in inside)
    if total < MIN_TEXT_CHARS or sum(b.kept for b in inside) > MIN_KEPT_SHARE * total:
        return
    kept = sum(block.kept for block in layout.blocks)
    running = sum(block.kept for block in paragraphs)
    if running > total and running * 2 > kept:
        return
    for block in layout.blocks:
        block.kept = 0
    for block in layout.blocks[best.first : best.last]:
        if 2 * block.linked <= block.chars and not any(
            is_side(box) for box in _between(block.box, best)
        ):
            block.kept = block.chars


def _is_running_text(block: Block) -> bool:
    return (
        block.chars >= MIN_PARAGRAPH_CHARS
        and block.linked <= MAX_LINK_SHARE * block.chars
        and not any(is_side(box) for box in block.box.ancestors())
    )


def _between(box: Box, outer: Box) -> list[Box]:
    boxes = list[Box]()
    for ancestor in box.ancestors():
        if ancestor is outer:
            break
        boxes.append(ancestor)
    return boxes
