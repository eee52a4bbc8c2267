"""All samples of a manifest or a mixture as one numbered row, read one at a time.

Opening costs no more than the manifests: a number leads to shard and place by the counts, and
the `.tar.idx` from there to the bytes.
"""

import bisect
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from openm3w.errors import InputError
from openm3w.shards.manifest import Manifest
from openm3w.shards.opened import OpenShard, Verify
from openm3w.shards.sample import Kind, Sample
from openm3w.shards.terminal import clean_line
from openm3w.shards.writer import ShardEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sample stands."""

    manifest: Manifest
    shard: ShardEntry
    index: int
    """In the shard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A sample, and where in what was opened it stands."""

    sample: Sample
    kind: Kind
    dataset: str
    """Name of the dataset, which in a mixture tells where a sample is from."""
    split: str
    number: int
    """Counted from 1."""
    total: int


class Catalog:
    """Samples by number, from 0, and by key. Those on an exclude list keep their number, unseen."""

    def __init__(
        self, manifests: Sequence[Manifest], split: str | None = None, *, verify: Verify = "quick"
    ) -> None:
        chosen = [
            (manifest, shard)
            for manifest in manifests
            for shard in manifest.shards
            if split is None or shard.split == split
        ]
        self._shards = [(manifest, shard) for manifest, shard in chosen if shard.nsamples]
        self._verify = verify
        self._ends = list(itertools.accumulate(shard.nsamples for _, shard in self._shards))
        self._excluded = frozenset(key for manifest in manifests for key in manifest.exclude)
        # A few open shards, each with its index of 8 bytes a sample, serve whoever pages around.
        self._open = lru_cache(maxsize=8)(self._open_shard)
        if not self._shards:
            splits = sorted({shard.split for manifest in manifests for shard in manifest.shards})
            where = f"split {split!r}; there are: {', '.join(splits)}" if split else "it"
            raise InputError(f"the manifest has no samples in {where}")

    def __len__(self) -> int:
        return self._ends[-1]

    @property
    def has_excluded(self) -> bool:
        """Whether there is an exclude list at all."""
        return bool(self._excluded)

    def is_excluded(self, key: str) -> bool:
        """Whether a key is on an exclude list."""
        return key in self._excluded

    @property
    def num_shards(self) -> int:
        """Shards that hold a sample."""
        return len(self._shards)

    def numbered_shards(self) -> Iterator[tuple[int, int, Manifest, ShardEntry]]:
        """Each shard that holds a sample: its place, the number of its first, what it is of."""
        for at, (manifest, shard) in enumerate(self._shards):
            yield at, self._ends[at] - shard.nsamples, manifest, shard

    def place(self, number: int) -> Place:
        """Where sample `number` stands.

        Raises:
            IndexError: `number` is outside 0 <= number < len.
        """
        if not 0 <= number < len(self):
            raise IndexError(number)
        at = bisect.bisect_right(self._ends, number)
        manifest, shard = self._shards[at]
        return Place(manifest=manifest, shard=shard, index=number - self._ends[at] + shard.nsamples)

    def read(self, number: int) -> Shown:
        """Sample `number`, with what a viewer says about where it is from."""
        at = bisect.bisect_right(self._ends, number)
        place = self.place(number)
        opened = self._open(at)
        sample = opened.decode(*opened.read(place.index))
        return Shown(
            sample=sample,
            kind=place.manifest.kind,
            dataset=place.manifest.name,
            split=place.shard.split,
            number=number + 1,
            total=len(self),
        )

    def step(self, number: int, by: int) -> Shown | None:
        """The first sample from `number` in direction `by` (1 or -1) that is not excluded."""
        while 0 <= number < len(self):
            shown = self.read(number)
            if shown.sample.key not in self._excluded:
                return shown
            number += by
        return None

    def walk(self, number: int = 0) -> Iterator[Shown]:
        """All samples from `number` on, without the excluded ones."""
        while (shown := self.step(number, 1)) is not None:
            yield shown
            number = shown.number

    def find(self, wanted: str) -> int:
        """The number of the sample named by a key, the beginning of a key, or a number from 1.

        Raises:
            InputError: none or several have it, or it is on the exclude list.
        """
        if wanted.isdecimal() and not wanted.startswith("0") and int(wanted) <= len(self):
            return int(wanted) - 1
        begin_alike: list[tuple[str, int]] = []
        for number, key in enumerate(self.keys()):
            if key == wanted:
                begin_alike = [(key, number)]
                break
            if wanted and key.startswith(wanted):
                begin_alike.append((key, number))
        return self._only(wanted, begin_alike)

    def _only(self, wanted: str, found: list[tuple[str, int]]) -> int:
        if not found:
            raise InputError(
                f"no sample {clean_line(wanted)!r} among {len(self):,}; "
                f"name a key, its beginning, or a number from 1 to {len(self):,}"
            )
        (key, number), *others = found
        if others:
            raise InputError(
                f"{clean_line(wanted)!r} begins {len(found):,} keys, as {key} and {others[0][0]}; "
                "name more of it"
            )
        if key in self._excluded:
            raise InputError(f"sample {key} is on the exclude list of its manifest")
        return number

    def keys(self) -> Iterator[str]:
        """All keys in order, the excluded ones too, from headers alone."""
        for manifest, shard in self._shards:
            yield from OpenShard(manifest, shard).keys()

    def _open_shard(self, at: int) -> OpenShard:
        return OpenShard(*self._shards[at], verify=self._verify)


def matches(sample: Sample, words: str) -> bool:
    """Whether every one of `words` stands in the sample's title, URL, texts, alts or captions."""
    document = sample.document
    parts = [document.title, document.url, *document.texts]
    parts += [part for image in document.images for part in (image.alt, image.caption)]
    text = "\n".join(parts).casefold()
    return all(word in text for word in words.casefold().split())
