"""Overlapping runs of words as a set of numbers: what near duplicates are compared by.

The text is folded (NFKC, lower case, words of letters, digits and marks; everything else only
divides them), and every run of `words` words becomes one number of 32 bits. Where a script puts no
spaces between words, characters are counted instead, at the weights of `openm3w.filters.words`:
two characters of Han or kana make a word, four of Thai, Lao, Khmer, Burmese or Tibetan. So a
5-gram is 5 English words, 10 Chinese characters or 20 Thai ones, and of a mixed text what adds up
to 5.

All of it is arithmetic on arrays: no string is made for a word. A run's number is a polynomial
over its characters modulo 2^64, taken as a difference of prefix sums, mixed, and for signatures
cut to its upper 32 bits.
"""

import functools
import sys
import unicodedata
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from openm3w.filters.words import HAN_AND_KANA, SOUTH_EAST_ASIAN

DEFAULT_WORDS = 5
"""FineWeb (Penedo et al., 2024, arXiv:2406.17557) and OBELICS (arXiv:2306.16527) take 5-grams."""

_RUNS_AT_A_TIME = 1 << 14  # bounds memory at some 2 MB whatever the text's length

_DIVIDER, _LETTER, _HAN, _ASIAN = range(4)
_QUARTER_WORDS = np.array([0, 4, 2, 1], dtype=np.int64)  # by class; a letter's word counts once

_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
_FIRST = np.uint64(0xD1B54A32D192ED03)  # added where a word begins: "a bc" is not "ab c"


def shingles(text: str, words: int = DEFAULT_WORDS) -> NDArray[np.uint32]:
    """uint32[n] numbers of the runs of `words` words, in their order, repetitions included.

    A text of fewer words is one run; one without any letter or digit has none.
    """
    return (Folded.of(text).runs(4 * words)[0] >> np.uint64(32)).astype(np.uint32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A folded text, whose runs of several lengths can be taken."""

    characters: NDArray[np.uint32]
    """Code points of its letters, digits and marks."""
    edges: NDArray[np.intp]
    """Where each unit, a word or a character that counts as a part of one, begins; and the end."""
    weights: NDArray[np.int64]
    """Quarters of a word that each unit counts."""

    @classmethod
    def of(cls, text: str) -> Self:
        points, classes = _folded(text)
        letters = classes == _LETTER
        begins = classes != _DIVIDER
        kept = np.flatnonzero(begins)
        begins[1:] &= ~(letters[1:] & letters[:-1])  # a letter behind a letter begins no word
        units = np.flatnonzero(begins[kept])
        return cls(
            characters=points[kept],
            edges=np.append(units, kept.size),
            weights=_QUARTER_WORDS[classes[kept[units]]],
        )

    @property
    def quarters(self) -> int:
        """Length in quarters of a word."""
        return int(self.weights.sum())

    def runs(self, quarters: int) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
        """Numbers uint64[n] of the runs of this length, and the unit after the last of each.

        The n-th begins at the n-th unit. A text that is not as long is one run, one without a unit
        has none. Of 10^7 known numbers one in 10^12 others is equal to one by chance.
        """
        if not self.weights.size:
            return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.intp)
        starts, ends = _runs(self.weights, quarters)
        return _run_hashes(self.characters, self.edges, starts, ends), ends


def _folded(text: str) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Code points of the folded text, and the class of each."""
    if text.isascii():
        points = np.frombuffer(text.lower().encode(), dtype=np.uint8).astype(np.uint32)
    else:
        folded = unicodedata.normalize("NFKC", text).lower()
        points = np.frombuffer(folded.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return points, _classes().take(points)


@functools.cache
def _classes() -> NDArray[np.uint8]:
    """The class of each code point; some 0.2 s, once in a process."""
    table = np.zeros(sys.maxunicode + 1, dtype=np.uint8)
    # Planes 4 to 13 are unassigned, those above hold tags and private use.
    for point in range(0x40000):
        if unicodedata.category(chr(point))[0] in "LNM":
            table[point] = _LETTER
    for ranges, kind in ((HAN_AND_KANA, _HAN), (SOUTH_EAST_ASIAN, _ASIAN)):
        for first, last in _spans(ranges):
            span = table[first : last + 1]
            span[span == _LETTER] = kind
    return table


def _spans(ranges: str) -> list[tuple[int, int]]:
    """First and last code point of each range in the inside of a regular expression's brackets."""
    pieces = ranges.replace("-", "")
    if len(pieces) % 2:
        raise ValueError(f"expected only ranges, as a-z, in {ranges!r}")
    return [(ord(pieces[at]), ord(pieces[at + 1])) for at in range(0, len(pieces), 2)]


def _runs(weights: NDArray[np.int64], wanted: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """First unit of each run and the one after its last: the shortest runs that weigh enough."""
    total = np.concatenate(([0], np.cumsum(weights)))
    if total[-1] < wanted:
        return np.zeros(1, dtype=np.intp), np.full(1, weights.size, dtype=np.intp)
    if total[-1] == 4 * weights.size:  # words between spaces alone, as in most texts
        length = wanted // 4
        return np.arange(weights.size - length + 1), np.arange(length, weights.size + 1)
    starts = np.arange(int(np.searchsorted(total, total[-1] - wanted, side="right")))
    return starts, np.searchsorted(total, total[starts] + wanted)


def _run_hashes(
    characters: NDArray[np.uint32],
    edges: NDArray[np.intp],
    starts: NDArray[np.intp],
    ends: NDArray[np.intp],
) -> NDArray[np.uint64]:
    """uint64[n] for the runs of units start:end, both ascending; a unit begins at its edge."""
    found = np.empty(starts.size, dtype=np.uint64)
    for at in range(0, starts.size, _RUNS_AT_A_TIME):
        some = slice(at, at + _RUNS_AT_A_TIME)
        begin, end = edges[starts[some]], edges[ends[some]]
        first, last = int(begin[0]), int(end[-1])
        powers, inverses = _powers(last - first)
        values = characters[first:last].astype(np.uint64)
        values[edges[starts[at] : ends[some][-1]] - first] += _FIRST
        values *= powers
        prefix = np.zeros(last - first + 1, dtype=np.uint64)
        np.cumsum(values, out=prefix[1:])
        sums = (prefix[end - first] - prefix[begin - first]) * inverses[begin - first]
        found[some] = mixed(sums)
    return found


def _powers(count: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """The first `count` powers of the base and, modulo 2^64, of its inverse."""
    size = max(1 << 12, 1 << (count - 1).bit_length())
    # Larger tables are for texts of very long words, and not worth keeping.
    make = _kept_powers if size <= 1 << 18 else _new_powers
    powers, inverses = make(size)
    return powers[:count], inverses[:count]


def _new_powers(size: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    tables = []
    for base in (_BASE, pow(_BASE, -1, 1 << 64)):
        table = np.full(size, base, dtype=np.uint64)
        table[0] = 1
        tables.append(np.cumprod(table, dtype=np.uint64))
    return tables[0], tables[1]


_kept_powers = functools.cache(_new_powers)


def mixed(numbers: NDArray[np.uint32] | NDArray[np.uint64]) -> NDArray[np.uint64]:
    """uint64 numbers whose bits depend on all bits of these: splitmix64 (Steele et al., 2014)."""
    made = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    made = (made ^ (made >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    made = (made ^ (made >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return made ^ (made >> np.uint64(31))
