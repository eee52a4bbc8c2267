"""All samples of a manifest or a mixture as one numbered row, read one at a time.

Opening costs no more than the manifests: a number leads to shard and place by the counts, and
the `.tar.idx` from there to the bytes.
"""

import bisect
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from openm3w.errors import InputError, ShardError
from openm3w.shards.catalog.bare import is_bare
from openm3w.shards.catalog.numbered import Numbered, Part, Shown
from openm3w.shards.catalog.skimming import skim
from openm3w.shards.document import Document
from openm3w.shards.manifest import Manifest
from openm3w.shards.opened import OpenShard, Verify
from openm3w.shards.reader import check_shard
from openm3w.shards.storage import RemotePath
from openm3w.shards.writer import ShardEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sample stands."""

    manifest: Manifest
    shard: ShardEntry
    index: int
    """In the shard."""


class Catalog(Numbered):
    """The samples of datasets, or of one split of them."""

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
        self._manifests, self._split, self._verify = tuple(manifests), split, verify
        self._ends = list(itertools.accumulate(shard.nsamples for _, shard in self._shards))
        self._excluded = {id(manifest): frozenset(manifest.exclude) for manifest in manifests}
        # A few open shards, each with its index of 8 bytes a sample, serve whoever pages around.
        self._open = lru_cache(maxsize=8)(self._open_shard)
        if not self._shards:
            splits = sorted({shard.split for manifest in manifests for shard in manifest.shards})
            where = f"split {split!r}; there are: {', '.join(splits)}" if split else "it"
            raise InputError(f"the manifest has no samples in {where}")

    def __len__(self) -> int:
        return self._ends[-1]

    def is_hidden(self, number: int, key: str) -> bool:
        """See `Numbered`."""
        return key in self._excluded[id(self.place(number).manifest)]

    @property
    def hides_any(self) -> bool:
        """See `Numbered`."""
        return any(self._excluded.values())

    @property
    def roots(self) -> Sequence[str]:
        """The folders of the datasets; of a tar alone the tar, which others stand beside."""
        return [
            str((each.root / each.shards[0].url if is_bare(each) else each.root).resolve())
            for each in self._manifests
        ]

    @property
    def manifests(self) -> Sequence[Manifest]:
        """See `Numbered`."""
        return self._manifests

    @property
    def chosen(self) -> str:
        """The split, where one was asked for."""
        return self._split or ""

    @property
    def state(self) -> Sequence[str]:
        """Of what hashes the shards are, or when they were written, and what is excluded."""
        # Names and places stand beside the fingerprint, which knows of neither.
        return [
            f"{m.name} {m.fingerprint} {[_state(m, shard) for shard in m.shards]} {self._split}"
            for m in self._manifests
        ]

    def parts(self) -> Sequence[Part]:
        """One for each shard that holds a sample."""
        return [
            Part(
                first=end - shard.nsamples,
                size=shard.nsamples,
                kind=manifest.kind,
                dataset=manifest.name,
                split=shard.split,
                documents=partial(_documents, manifest, shard),
                excluded=self._excluded[id(manifest)],
            )
            for end, (manifest, shard) in zip(self._ends, self._shards, strict=True)
        ]

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

    def keys(self) -> Iterator[str]:
        """All keys in order, the excluded ones too, from headers alone."""
        for manifest, shard in self._shards:
            yield from OpenShard(manifest, shard).keys()

    def _open_shard(self, at: int) -> OpenShard:
        return OpenShard(*self._shards[at], verify=self._verify)


def _documents(manifest: Manifest, shard: ShardEntry) -> Iterator[tuple[str, Document]]:
    """Key and document of each sample of a shard.

    Raises:
        ShardError: it is damaged, or has not as many as the manifest says.
    """
    path = check_shard(manifest, shard, verify="quick")
    seen = 0
    for found in skim(path, manifest.kind):
        seen += 1
        yield found
    if seen != shard.nsamples:
        raise ShardError(f"{path}: {seen} samples, the manifest says {shard.nsamples}: damaged")


def _state(dataset: Manifest, shard: ShardEntry) -> str:
    """What tells a shard from another; of one without a digest, when it was written."""
    path = dataset.root / shard.url
    if shard.sha256 or isinstance(path, RemotePath):
        return shard.url
    about = path.stat()
    return f"{shard.url} {about.st_size} {about.st_mtime_ns}"
