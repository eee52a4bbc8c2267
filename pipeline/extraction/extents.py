"""How far the elements of a page reach, and how much text each holds, before it is laid out."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import accumulate
from operator import itemgetter
from typing import Final

from openm3w.pipeline.extraction.tags import CLOSES_PARAGRAPH
from openm3w.pipeline.extraction.tokens import Token

MIN_SHARE_CHARS: Final = 20
"""Shorter texts are labels, and do not count where shares of a page's text are compared."""

_ENDS_PARAGRAPH: Final = CLOSES_PARAGRAPH | {"/p"}


class Extents:
    """Looks ahead in a page's tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        names, texts = (map(itemgetter(column), tokens) for column in (1, 3))
        self._names = [*map(str.lower, names)]
        sizes = [size if size > MIN_SHARE_CHARS else 0 for size in map(len, texts)]
        self._chars = list(accumulate(sizes, initial=0))
        """Characters before each token, and after the last; those of labels not counted."""
        self._ends: dict[str, dict[int, int]] = {}
        """By tag: for each start tag the index of the end tag of its element."""

    @property
    def num_chars(self) -> int:
        """Characters of the page, labels not counted."""
        return self._chars[-1]

    def chars(self, start: int, end: int) -> int:
        """Characters that follow these tags, labels not counted."""
        return self._chars[end] - self._chars[start]

    def end(self, tag: str, number: int) -> int:
        """Index of the tag that ends the element which begins at a token.

        Where none does, the element counts as empty.
        """
        if tag == "p":
            return self._end_of_paragraph(number)
        if tag not in self._ends:  # all at once, or pages without end tags would take long
            self._ends[tag] = self._all_ends(tag)
        return self._ends[tag].get(number, number)

    def _end_of_paragraph(self, number: int) -> int:
        names = self._names
        for position in range(number + 1, len(names)):
            if names[position] in _ENDS_PARAGRAPH:
                return position
        return number

    def _all_ends(self, tag: str) -> dict[int, int]:
        ends = dict[int, int]()
        opened = list[int]()
        for position in sorted([*self._positions(tag), *self._positions(f"/{tag}")]):
            if self._names[position] == tag:
                opened.append(position)
            elif opened:
                ends[opened.pop()] = position
        return ends

    def _positions(self, name: str) -> Iterator[int]:
        at = -1
        with suppress(ValueError):
            while True:
                at = self._names.index(name, at + 1)
                yield at
