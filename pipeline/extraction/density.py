"""The part of a page with most running text, to tell where an extractor chose the wrong one."""

from dataclasses import dataclass
from typing import Final

from openm3w.pipeline.extraction.layout import Block, Box, Layout
from openm3w.pipeline.extraction.selection import is_side

MIN_PARAGRAPH_CHARS: Final = 40
"""Shorter paragraphs are labels."""

MAX_LINK_SHARE: Final = 0.3

MAX_SIDE_SHARE: Final = 0.4
"""A part with more of the page's text than this is no sidebar, whatever its class says."""

MIN_TEXT_CHARS: Final = 500
"""Less running text than this proves nothing."""

MIN_KEPT_SHARE: Final = 0.2
"""An extraction with less than this of the part's running text chose another part."""


@dataclass(slots=True, eq=False)
class RunningText:
    """The part of a page with most running text."""

    box: Box
    paragraphs: list[Block]
    """Those of the part."""
    others: list[Block]
    """Running text elsewhere on the page."""
    sides: "_Sides"

    @property
    def chars(self) -> int:
        return sum(block.chars for block in self.paragraphs)

    @property
    def kept_share(self) -> float:
        """Of its characters those that the extractor kept."""
        return sum(block.kept for block in self.paragraphs) / max(1, self.chars)


def running_text(layout: Layout) -> RunningText | None:
    """The box whose paragraphs hold most text outside links, scored as readability does."""
    sides = _Sides(layout)
    paragraphs = [
        block
        for block in layout.blocks
        if block.chars >= MIN_PARAGRAPH_CHARS
        and block.linked <= MAX_LINK_SHARE * block.chars
        and not sides.around(block.box)
    ]
    scores = dict[Box, float]()
    for block in paragraphs:
        parent = block.box.parent or block.box
        scores[parent] = scores.get(parent, 0) + block.chars
        if parent.parent is not None:
            scores[parent.parent] = scores.get(parent.parent, 0) + block.chars / 2
    if not scores:
        return None
    best = max(scores, key=lambda box: (scores[box], -box.first))
    inside = [block for block in paragraphs if best in block.box.ancestors()]
    others = [block for block in paragraphs if best not in block.box.ancestors()]
    return RunningText(best, inside, others, sides)


def correct(layout: Layout, running: RunningText) -> None:
    """Replace the extractor's choice where it left out nearly all of the running text."""
    elsewhere = sum(block.kept for block in running.others)
    enough = MIN_TEXT_CHARS if any(block.kept for block in layout.blocks) else MIN_PARAGRAPH_CHARS
    if running.chars < enough or elsewhere > running.chars:
        return
    if running.kept_share > MIN_KEPT_SHARE:
        return
    for block in layout.blocks:
        block.kept = 0
    for block in layout.blocks[running.box.first : running.box.last]:
        if 2 * block.linked <= block.chars and not running.sides.around(block.box):
            block.kept = block.chars


class _Sides:
    """Which boxes stand beside the content, by their names and their share of the text."""

    def __init__(self, layout: Layout) -> None:
        self.chars = layout.chars
        self.known = dict[Box, bool]()

    def around(self, box: Box) -> bool:
        """Whether this box or one around it stands beside the content."""
        path = list[Box]()
        verdict = False
        for ancestor in box.ancestors():
            if ancestor in self.known:
                verdict = self.known[ancestor]
                break
            path.append(ancestor)
        for ancestor in reversed(path):
            verdict = verdict or self._is_side(ancestor)
            self.known[ancestor] = verdict
        return verdict

    def _is_side(self, box: Box) -> bool:
        chars = self.chars[box.last] - self.chars[box.first]
        return chars <= MAX_SIDE_SHARE * self.chars[-1] and is_side(box)
