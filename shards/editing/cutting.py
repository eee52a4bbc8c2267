"""Which samples come into which new shard, and in which order."""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from openm3w.shards.editing.keeping import Kept
from openm3w.shards.editing.sources import Sources
from openm3w.shards.ordering import HASH_RANGE, order_hash, shard_url, split_by
from openm3w.shards.sample import Sample

_BLOCK, _RECORD = 512, 10_240
"""Bytes of a tar: it ends with two empty blocks and is padded to whole records (POSIX.1-1988)."""

_HELD_OUT = ("train", "val")
"""Splits among which a new hold-out is chosen; others, as `test`, stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A new shard."""

    split: str
    index: int
    numbers: "array[int]"
    """Of its samples in the sources, in order: 8 bytes for each."""

    @property
    def url(self) -> str:
        return shard_url(self.split, self.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a shard becomes; a sample that is larger by itself has a shard of its own."""

    samples: int = 0
    """At most so many, where not 0."""
    tar_bytes: int = 0
    """At most so many bytes of tar, where not 0."""


def as_cut(sources: Sources, kept: Kept) -> list[Cut]:
    """Shards as they are, with new numbers; one of which nothing is left is none."""
    cuts: list[Cut] = []
    seen: Counter[str] = Counter()
    for at, (_, shard) in enumerate(sources.shards):
        if numbers := kept.of(sources.numbers(at)):
            cuts.append(Cut(split=shard.split, index=seen[shard.split], numbers=numbers))
            seen[shard.split] += 1
    return _in_order(cuts)


def recut(sources: Sources, size: Size, splits: Mapping[str, "array[int]"]) -> list[Cut]:
    """Shards of this size, the samples of each split in their order."""
    sizes = array("Q", sources.sizes()) if size.tar_bytes else None
    return _in_order(
        Cut(split=split, index=index, numbers=run)
        for split, numbers in splits.items()
        for index, run in enumerate(_runs(numbers, size, sizes))
    )


def shuffled(sources: Sources, kept: Kept, seed: int, samples_per_shard: int) -> list[Cut]:
    """A permutation of each split by a hash of seed and key, into as many shards as before.

    It is the order in which builds write: `samples_per_shard` 0 and a build's own seed give the
    shards of the build. Takes 33 bytes of memory for each sample.
    """
    hashes = array("Q", (order_hash(key, seed) for key in sources.read_keys()))
    cuts: list[Cut] = []
    for split, numbers in splits_as_are(sources, kept).items():
        before = sum(bool(shard.nsamples) for _, shard in sources.shards if shard.split == split)
        number = -(-len(numbers) // samples_per_shard) if samples_per_shard else before
        buckets = [array("Q") for _ in range(number)]
        for each in numbers:
            buckets[hashes[each] * number // HASH_RANGE].append(each)
        cuts += [
            Cut(
                split=split, index=index, numbers=array("Q", sorted(bucket, key=hashes.__getitem__))
            )
            for index, bucket in enumerate(buckets)
            if bucket
        ]
    return _in_order(cuts)


def splits_as_are(sources: Sources, kept: Kept) -> dict[str, "array[int]"]:
    """The samples of each split, in order."""
    splits: dict[str, array[int]] = {}
    for at, (_, shard) in enumerate(sources.shards):
        splits.setdefault(shard.split, array("Q")).extend(kept.of(sources.numbers(at)))
    return splits


def held_out(
    sources: Sources, kept: Kept, group: Callable[[Sample], str], val_share: float, seed: int
) -> dict[str, "array[int]"]:
    """As `splits_as_are`, train and val chosen anew: samples of one group are in one split.

    Reads every sample once.

    Raises:
        ShardError: one does not decode.
    """
    splits: dict[str, array[int]] = {}
    for before, numbers in splits_as_are(sources, kept).items():
        for number in numbers:
            split = before
            if before in _HELD_OUT:
                split = split_by(group(sources.read(number).sample), val_share, seed)
            splits.setdefault(split, array("Q")).append(number)
    return splits


def _runs(numbers: "array[int]", size: Size, sizes: "array[int] | None") -> Iterator["array[int]"]:
    run, held = array("Q"), 0
    for number in numbers:
        more = sizes[number] if sizes else 0
        full = 0 < size.samples <= len(run)
        if run and (full or 0 < size.tar_bytes < _tar_bytes(held + more)):
            yield run
            run, held = array("Q"), 0
        run.append(number)
        held += more
    if run:
        yield run


def _tar_bytes(members: int) -> int:
    return -(-(members + 2 * _BLOCK) // _RECORD) * _RECORD


def _in_order(cuts: Iterable[Cut]) -> list[Cut]:
    return sorted(cuts, key=lambda cut: (cut.split, cut.index))
