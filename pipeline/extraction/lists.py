"""What stands in front of items of lists: their indent, and a hyphen or their number."""

import re
from functools import cached_property
from typing import Final

from openm3w.pipeline.extraction.attributes import attributes
from openm3w.pipeline.extraction.boxes import Box, Layout
from openm3w.pipeline.extraction.tags import LISTS

INDENT: Final = "  "
MAX_INDENT: Final = 8
"""Lists around a list that set it further in; where more are open nobody closed them."""

_INTEGER: Final = re.compile(r"[ \t\n\f\r]*+([+-]?\d{1,9})(?!\d)")


class Lists:
    """The lists of a page; each is looked at once."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.nesting = dict[Box, tuple[int, Box]]()
        """By list: how many stand around each other up to it, and the outermost of them."""
        self.marked = set[Box]()

    def mark(self, item: Box) -> str:
        """What stands in front of the first text of an item; "" before the others."""
        if item in self.marked:
            return ""
        self.marked.add(item)
        owner = _list_of(item)
        if owner is None:
            return "- " if item.tag == "li" else ""
        indent = INDENT * min(self._nesting(owner)[0] - 1, MAX_INDENT)
        if item.tag == "dt":
            return indent
        if item.tag == "dd":
            return indent + INDENT
        return indent + (f"{self._numbers[item]}. " if owner.tag == "ol" else "- ")

    def outermost(self, item: Box | None) -> Box | None:
        """The outermost list around an item, or the item itself."""
        owner = _list_of(item) if item is not None else None
        return item if owner is None else self._nesting(owner)[1]

    def _nesting(self, owner: Box) -> tuple[int, Box]:
        way = list[Box]()
        around: Box | None = owner
        while around is not None and around not in self.nesting:
            way.append(around)
            around = _list_of(around)
        above, outer = self.nesting[around] if around is not None else (0, way[-1])
        for depth, inner in enumerate(reversed(way), above + 1):
            self.nesting[inner] = depth, outer
        return self.nesting[owner]

    @cached_property
    def _numbers(self) -> dict[Box, int]:
        """The number of each item, as browsers count: items without text count too."""
        items = dict[Box, list[Box]]()
        for box in self.layout.boxes:
            if box.tag == "li" and not box.hidden:
                owner = _list_of(box)
                if owner is not None and owner.tag == "ol":
                    items.setdefault(owner, []).append(box)
        numbers = dict[Box, int]()
        for owner, inside in items.items():
            found = attributes(owner.written)
            step = -1 if "reversed" in found else 1
            number = _integer(found.get("start", ""), 1 if step > 0 else len(inside))
            for item in inside:
                number = _integer(item.get("value"), number)
                numbers[item] = number
                number += step
        return numbers


def _list_of(box: Box) -> Box | None:
    """The list around an item, or around another list."""
    return box.parent.inside(LISTS) if box.parent is not None else None


def _integer(text: str, default: int) -> int:
    found = _INTEGER.match(text)
    return int(found[1]) if found is not None else default
