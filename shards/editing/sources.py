"""All samples of some datasets as one row, numbered from 0, read as they stand in their tars."""

import bisect
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from openm3w.errors import ShardError
from openm3w.shards import reader
from openm3w.shards.manifest import Manifest
from openm3w.shards.opened import OpenShard
from openm3w.shards.ordering import is_split
from openm3w.shards.sample import KEY, Sample
from openm3w.shards.writer import Packed, ShardEntry

_MAX_NAME = 100
"""Bytes of a name in a tar header (POSIX.1-1988, ustar); ours are shorter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A sample, decoded and as it is written again."""

    sample: Sample
    packed: Packed


class Sources:
    """The samples of datasets of one kind.

    Raises:
        ShardError: a split is called what no file can be.
    """

    def __init__(self, parts: Sequence[Manifest]) -> None:
        self.parts = tuple(parts)
        self.shards = [(part, shard) for part in parts for shard in part.shards]
        _check_splits(self.shards)
        self._ends = list(itertools.accumulate(shard.nsamples for _, shard in self.shards))
        # Each is an open file and an index in memory; a shuffle asks for them in any order.
        self._open = lru_cache(maxsize=64)(self._opened)

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def check(self) -> None:
        """Holds every shard against its digest: damage is not to get a digest of its own.

        Raises:
            ShardError: one is missing or damaged.
        """
        for part, shard in self.shards:
            reader.check_shard(part, shard, verify="full")

    def numbers(self, at: int) -> range:
        """The numbers of the samples of shard `at`."""
        return range(self._ends[at] - self.shards[at][1].nsamples, self._ends[at])

    def read_keys(self) -> Iterator[str]:
        """The key of every sample, in order.

        Raises:
            ShardError: a shard is missing, or its index is of another tar.
        """
        for part, shard in self.shards:
            yield from reader.read_keys(part, shard)

    def sizes(self) -> Iterator[int]:
        """Bytes of every sample in its tar, headers and padding included, in order."""
        for at in range(len(self.shards)):
            offsets = self._open(at).offsets
            yield from (end - start for start, end in itertools.pairwise(offsets))

    def read(self, number: int) -> Copied:
        """Sample `number`, by one ranged read.

        Raises:
            ShardError: it does not decode, or could not be written again.
        """
        at = bisect.bisect_right(self._ends, number)
        part, shard = self.shards[at]
        opened = self._open(at)
        key, members = opened.read(number - self._ends[at] + shard.nsamples)
        sample, where = opened.decode(key, members), opened.location
        names = [f"{key}.{suffix}" for suffix in members]
        if part.keys == "own" and not KEY.fullmatch(key):
            raise ShardError(f"{where}: key {key!r} is not well formed")
        if too_long := next((n for n in names if len(n.encode(errors="replace")) > _MAX_NAME), ""):
            raise ShardError(f"{where}: the name {too_long!r} is longer than a tar header takes")
        packed = Packed(
            key=key,
            members=list(zip(names, members.values(), strict=True)),
            images=len(sample.images),
            characters=sample.document.num_characters,
        )
        return Copied(sample=sample, packed=packed)

    def _opened(self, at: int) -> OpenShard:
        return OpenShard(*self.shards[at])


def _check_splits(shards: Sequence[tuple[Manifest, ShardEntry]]) -> None:
    for part, shard in shards:
        if not is_split(shard.split):
            raise ShardError(
                f"{part.root}: {shard.split!r} is no name of a split: letters, digits, ., - and _"
            )
