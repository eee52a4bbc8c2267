"""How a number is spread over documents or pictures, and what a threshold on it would keep."""

import itertools
import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from openm3w.shards.catalog.facts import Facts
from openm3w.shards.catalog.query import Query, Range

Keep = Literal["least", "most"]
"""Whether values of at least, or of at most, the threshold are kept; it is inside."""

_BARS: Final = 40
"""About how many a histogram has; a bar stays wide enough to be pointed at."""

_SPREAD: Final = 50.0
"""Largest value to median from which on bars are of equal ratio; else most are empty."""

_SMALLEST: Final = 1e-300
"""Beside zero: powers of ten below have no digits left."""
_NARROWEST: Final = 1e-12
"""A bar's width to the largest value; a float has 16 digits."""

_MOST_BARS: Final = 150
"""Of equal ratio: seven powers of ten by the whole series; beyond, some steps are left out."""

# Renard's series R20 (ISO 3): steps of equal ratio that are short to say.
_RENARD: Final = (
    1.0, 1.12, 1.25, 1.4, 1.6, 1.8, 2.0, 2.24, 2.5, 2.8, 3.15, 3.55, 4.0, 4.5, 5.0, 5.6, 6.3, 7.1,
    8.0, 9.0,
)  # fmt: skip
_ROUND: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Counts between edges: `counts[i]` are of values from `edges[i]` up to `edges[i + 1]`.

    The last bar has its upper edge too.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    is_log: bool = False
    """Edges are of equal ratio, not of equal difference."""

    def share(self, value: float) -> float:
        """Where a value lies between the first edge and the last: 0 to 1."""
        low, high = self.edges[0], self.edges[-1]
        value = min(max(value, low), high)
        if self.is_log:
            return (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
        return (value - low) / (high - low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Of documents or pictures: all = kept + lost + without."""

    kept: int
    lost: int
    """Whose value is on the other side of the threshold."""
    without: int
    """That have no such value."""

    @property
    def all(self) -> int:
        return self.kept + self.lost + self.without


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a threshold would keep."""

    documents: Part
    images: Part


def histogram(*samples: Sequence[float], bars: int = _BARS) -> list[Histogram]:
    """Each of several ascending samples over the same edges; [] where all are empty."""
    filled = [sample for sample in samples if sample]
    if not filled:
        return []
    low, high = min(sample[0] for sample in filled), max(sample[-1] for sample in filled)
    median = max(sample[len(sample) // 2] for sample in filled)
    is_log = low >= _SMALLEST and median > 0 and high / median >= _SPREAD
    is_whole = all(value.is_integer() for sample in filled for value in sample)
    edges = _ratios(low, high) if is_log else _steps(low, high, bars, is_whole=is_whole)
    return [
        Histogram(edges=edges, counts=tuple(_counts(sample, edges)), is_log=is_log)
        for sample in samples
    ]


def outcome(facts: Facts, measure: str, at: float, keep: Keep, query: Query) -> Outcome:
    """What would be kept of the documents that `query` finds; every number is counted from all.

    By a number of pictures each is judged by its own, and a document stays with one that is kept;
    by a number of documents the pictures follow their document.
    """
    bounds = Range(low=at) if keep == "least" else Range(high=at)
    kept, valued = _with(query, measure, bounds), _with(query, measure, Range())
    documents = _part(facts.count(query), facts.count(valued), facts.count(kept))
    num_images = _images(facts, query)
    if facts.is_of_images(measure):
        values = facts.values(measure, query)
        below = bisect_left(values, at) if keep == "least" else bisect_right(values, at)
        num_kept = len(values) - below if keep == "least" else below
        return Outcome(documents=documents, images=_part(num_images, len(values), num_kept))
    images = _part(num_images, _images(facts, valued), _images(facts, kept))
    return Outcome(documents=documents, images=images)


def _part(total: int, valued: int, kept: int) -> Part:
    return Part(kept=kept, lost=valued - kept, without=total - valued)


def _with(query: Query, measure: str, bounds: Range) -> Query:
    return replace(query, ranges=(*query.ranges, (measure, bounds)))


def _images(facts: Facts, query: Query) -> int:
    return int(sum(facts.values("images", query)))


def _counts(values: Sequence[float], edges: Sequence[float]) -> Iterator[int]:
    places = [bisect_left(values, edge) for edge in edges[:-1]] + [len(values)]
    return (after - before for before, after in itertools.pairwise(places))


def _steps(low: float, high: float, bars: int, *, is_whole: bool) -> tuple[float, ...]:
    """Edges of equal difference at round numbers."""
    size = max(abs(low), abs(high))
    # Edges of a shorter step would be one number: values may differ in their last bit.
    step = max((high - low if high > low else size) / bars, size * _NARROWEST, _SMALLEST)
    step = _round_up(step if size else 1.0)
    if is_whole:
        step = max(1.0, math.ceil(step))
    first, last = math.floor(low / step), math.floor(high / step) + 1
    # A step that is a power of ten below 1 is divided by, so that 0.3 is no 0.30000000000000004.
    whole = round(1 / step) if step < 1 else 0
    return tuple(
        at / whole if whole and math.isclose(whole * step, 1) else at * step
        for at in range(first, last + 1)
    )


def _round_up(step: float) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in _ROUND if power * factor >= step * (1 - 1e-9))


def _ratios(low: float, high: float) -> tuple[float, ...]:
    """Edges of equal ratio, from one at or below `low` to the first above `high`."""
    first = math.floor(math.log10(low))
    series = [
        float(f"{factor}e{power}")
        for power in range(first, math.floor(math.log10(high)) + 2)
        for factor in _RENARD
    ]
    edges = series[bisect_right(series, low) - 1 : bisect_right(series, high) + 1]
    every = math.ceil(len(edges) / _MOST_BARS)
    return (*edges[:-1:every], edges[-1])
