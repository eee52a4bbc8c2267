"""What was found of a shard, so that a run that was killed does not read it again.

Beside the output, in `OUTPUT.work/adopted`: for each shard the hashes of its samples, and then a
sidecar that says what tar, table and statistics it is of, by their sizes and times.
"""

import hashlib
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from openm3w.pipeline.captions import adopt_counts
from openm3w.pipeline.captions.adopt_tar import read_contents
from openm3w.shards import commit, funnel
from openm3w.shards.funnel import Stage

VERSION = 2
"""Raised when a shard is judged in another way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a shard that is whole."""

    nsamples: int
    characters: int
    filesize: int
    sha256: str
    samples_sha256: str
    has_ids: bool
    stage: dict[str, Any]
    """Of the funnel."""
    hashes: Path
    """See `Contents.hashes`."""

    @property
    def funnel(self) -> Stage:
        return funnel.from_json(self.stage)

    def load_hashes(self) -> "np.ndarray[Any, np.dtype[np.uint64]]":
        """`uint64[nsamples, 2]`: of the keys, and of the samples with their keys."""
        return np.fromfile(self.hashes, dtype="<u8").reshape(-1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The folder of what was found; safe to use from several threads for different shards."""

    root: Path
    can_index: bool = True
    """Whether the folder of the shards can be written; else they may be without an index."""

    def recall(self, tar: Path) -> Facts | None:
        """What was found of a shard, if neither it nor what stands beside it has changed."""
        path = self._path(tar)
        value = commit.read_json(path) or {}
        hashes, index = path.with_suffix(".hashes"), adopt_counts.index_path(tar)
        if value.get("version") != VERSION or value.get("of") != _stamps(tar):
            return None
        facts = Facts(**value["facts"], hashes=hashes)
        sizes = {hashes: 16 * facts.nsamples}
        if self.can_index or os.path.lexists(index):
            sizes[index] = 8 * (facts.nsamples + 1)
        whole = all(p.is_file() and p.stat().st_size == size for p, size in sizes.items())
        return facts if whole else None

    def check(self, tar: Path, *, described: bool) -> Facts:
        """Reads a shard, writes its index where it can, and remembers what was found.

        Raises:
            UnfitShardError: it cannot be adopted.
            OutputError: index or folder cannot be written.
        """
        stamps, path = _stamps(tar), self._path(tar)
        contents = read_contents(tar)
        stage = adopt_counts.check_counts(tar, contents.nsamples, described=described)
        adopt_counts.write_index(tar, contents, can_write=self.can_index)
        facts = Facts(
            nsamples=contents.nsamples,
            characters=contents.characters,
            filesize=stamps[tar.name][0],
            sha256=contents.sha256,
            samples_sha256=contents.samples_sha256,
            has_ids=contents.has_ids,
            stage=funnel.to_json(stage),
            hashes=path.with_suffix(".hashes"),
        )
        commit.write_bytes(facts.hashes, contents.hashes)
        found = {name: value for name, value in asdict(facts).items() if name != "hashes"}
        commit.write_json(path, {"version": VERSION, "of": stamps, "facts": found})
        return facts

    def _path(self, tar: Path) -> Path:
        where = hashlib.blake2b(str(tar.resolve()).encode(errors="surrogateescape"), digest_size=8)
        return self.root / f"{tar.stem}-{where.hexdigest()}.json"


def _stamps(tar: Path) -> dict[str, list[int]]:
    """Size and time of change, in nanoseconds, of the files that decide about a shard."""
    found = {}
    for path in adopt_counts.beside(tar):
        if path.is_file():
            stat = path.stat()
            found[path.name] = [stat.st_size, stat.st_mtime_ns]
    return found
