"""Which samples of the sources are taken: not the excluded ones, and each key once."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from openm3w.errors import InputError
from openm3w.shards.editing.sources import Sources
from openm3w.shards.ordering import order_hash
from openm3w.shards.terminal import clean_line, counted

OnDuplicate = Literal["fail", "skip"]

_BUCKETS = 256
"""Hashes are looked at in so many parts: a set of them takes ten times the memory of an array."""


@dataclass(slots=True, kw_only=True)
class Kept:
    """A mark for each sample of the sources, and how many were left out for what."""

    marks: bytearray
    """1 where the sample is taken."""
    left_out: dict[str, int] = field(default_factory=dict)

    def of(self, numbers: Iterable[int]) -> "array[int]":
        """Those of the numbers that are taken."""
        return array("Q", (number for number in numbers if self.marks[number]))


def choose(sources: Sources, *, on_duplicate: OnDuplicate = "fail", across: bool) -> Kept:
    """Applies the exclude lists, and looks for keys that come twice.

    What one part excludes is in none of the parts whose keys are ours: the key is made from the
    document's id. Of a key that comes twice the first sample is taken. `across`: keys that others
    wrote must be unique in all shards too, since samples of several come into one.

    Raises:
        InputError: a key comes twice, and `on_duplicate` is `fail`.
        ShardError: a shard is missing or damaged.
    """
    kept = Kept(marks=bytearray(b"\1" * len(sources)))
    excluded = _leave_out_excluded(sources, kept)
    foreign = any(part.keys == "foreign" for part in sources.parts)
    again = list(_repeated(sources, kept)) if across or not foreign else []
    if again and on_duplicate == "fail":
        _, key = again[0]
        raise InputError(
            f"{counted(len(again), 'sample')} with a key that an earlier one has, the first "
            f"{clean_line(key)}; {_advice(foreign=foreign, across=across)}"
        )
    for number, _ in again:
        kept.marks[number] = 0
    kept.left_out = {
        name: n for name, n in (("excluded", excluded), ("duplicates", len(again))) if n
    }
    return kept


def _advice(*, foreign: bool, across: bool) -> str:
    if across and not foreign:
        return "that is a damaged dataset, of which `m3w shards verify` names all"
    if foreign:
        return (
            "these shards are of others, whose keys are unique in their shard only, and would "
            "come into one; `m3w shards merge` leaves shards as they are cut"
        )
    return "take the first of each with --on-duplicate skip"


def _leave_out_excluded(sources: Sources, kept: Kept) -> int:
    ours = {key for part in sources.parts if part.keys == "own" for key in part.exclude}
    if not any(part.exclude for part in sources.parts):
        return 0
    lists = {id(part): ours if part.keys == "own" else set(part.exclude) for part in sources.parts}
    numbers = enumerate(sources.read_keys())
    count = 0
    for part, shard in sources.shards:
        excluded = lists[id(part)]
        for _ in range(shard.nsamples):
            number, key = next(numbers)
            if key in excluded:
                kept.marks[number] = 0
                count += 1
    return count


def _repeated(sources: Sources, kept: Kept) -> Iterator[tuple[int, str]]:
    """Samples whose key one before them has, by 8 bytes of memory for each sample."""
    buckets = [array("Q") for _ in range(_BUCKETS)]
    for _, key in _taken(sources, kept):
        digits = order_hash(key, 0)
        buckets[digits % _BUCKETS].append(digits)
    twice = {digits for bucket in buckets for digits in _twice(bucket)}
    seen: set[str] = set()
    for number, key in _taken(sources, kept) if twice else ():
        if order_hash(key, 0) in twice:
            if key in seen:
                yield number, key
            seen.add(key)


def _taken(sources: Sources, kept: Kept) -> Iterator[tuple[int, str]]:
    return ((number, key) for number, key in enumerate(sources.read_keys()) if kept.marks[number])


def _twice(values: Iterable[int]) -> set[int]:
    seen: set[int] = set()
    twice: set[int] = set()
    for value in values:
        (twice if value in seen else seen).add(value)
    return twice
