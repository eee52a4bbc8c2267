"""What an engine chose of a page's paragraphs, and the boxes that this choice spans."""

from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from openm3w.pipeline.extraction.boxes import Block, Box, Layout

MIN_PARAGRAPH_CHARS: Final = 40
"""Shorter paragraphs are labels."""

MAX_ADDED_LINK_SHARE: Final = 0.3
"""Of the text that a wider content box adds."""

MAX_LABEL_CHARS: Final = 400
"""Text that may stand beside an image in a part without kept text: captions, credits."""


@dataclass(eq=False)
class Selection:
    """What was chosen of a layout."""

    core: Box | None = None
    """What holds the content: the heart, widened by what belongs to it."""
    heart: Box | None = None
    """The smallest box that holds most of the content's text."""
    texts: set[int] = field(default_factory=set)
    """Indices of the paragraphs that are content."""

    @cached_property
    def order(self) -> list[int]:
        """The same indices, sorted."""
        return sorted(self.texts)

    def has_text(self, box: Box) -> bool:
        """Whether a box holds a paragraph that is content."""
        position = bisect_left(self.order, box.first)
        return position < len(self.order) and self.order[position] < box.last

    def num_chars(self, layout: Layout) -> int:
        """Characters of the content."""
        return sum(layout.blocks[index].chars for index in self.texts)

    @cached_property
    def first(self) -> int:
        """The first paragraph of the content inside the core."""
        start = self.core.first if self.core is not None else 0
        position = bisect_left(self.order, start)
        return self.order[min(position, len(self.order) - 1)] if self.order else 0


def is_text(block: Block) -> bool:
    """Whether a paragraph holds words rather than links."""
    return bool(block.chars) and 2 * block.linked <= block.chars and not block.box.side


def widen(heart: Box, layout: Layout) -> Box:
    """The heart, or a larger box around it that adds text rather than links.

    Where most text stands in one section, the introduction before it and the figures of the
    other sections count too.
    """
    chars, linked = layout.chars, layout.linked
    core = heart
    while core.parent is not None and core.parent.parent is not None:
        around = core.parent
        inside = chars[core.last] - chars[core.first]
        added = chars[around.last] - chars[around.first] - inside
        links = linked[around.last] - linked[around.first]
        links -= linked[core.last] - linked[core.first]
        if links > MAX_ADDED_LINK_SHARE * added or added > max(inside, MAX_LABEL_CHARS):
            break
        core = around
    return core


def smallest_box(layout: Layout, weights: list[float], share: float) -> Box:
    """The smallest box that holds such a share of all weights, given each box's own.

    `weights` gains those of the boxes inside.
    """
    bound = share * sum(weights)
    for box in reversed(layout.boxes):
        if box.parent is not None and box.parent.parent is not None:
            weights[box.parent.number] += weights[box.number]
    large = [box for box in layout.boxes if weights[box.number] >= bound]
    if not large or bound <= 0:
        return layout.body
    return min(large, key=lambda box: (box.last - box.first, -box.number))
