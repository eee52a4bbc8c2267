"""Indexes of tars made again, where they are missing or of another tar."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from openm3w.errors import ShardError
from openm3w.shards import commit, reader
from openm3w.shards.locking import only_writer
from openm3w.shards.manifest import Manifest
from openm3w.shards.writer import index_bytes

State = Literal["right", "missing", "wrong", "damaged"]

_END = 1024
"""Bytes of zeros that end a tar (POSIX.1-1988)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A tar and its index as they were found."""

    path: Path
    state: State
    """`damaged`: the tar is, so that its index is left as it is."""
    samples: int = 0
    why: str = ""
    """Of a damaged tar."""


def repair_dataset(dataset: Manifest, *, dry_run: bool = False) -> Iterator[Looked]:
    """Writes the indexes of all shards of a dataset that are missing or wrong.

    A shard that is not the one that the manifest lists gets none.

    Raises:
        OutputError: an index cannot be written, or something else is writing to the dataset.
    """
    if dry_run:
        yield from _repair_shards(dataset, dry_run=True)
        return
    with only_writer(dataset.folder, in_place=True):
        yield from _repair_shards(dataset, dry_run=False)


def _repair_shards(dataset: Manifest, *, dry_run: bool) -> Iterator[Looked]:
    for shard in dataset.shards:
        path = dataset.folder / shard.url
        try:
            reader.check_shard(dataset, shard, verify="full")
        except ShardError as error:
            yield Looked(path=path, state="damaged", why=str(error))
        else:
            yield repair(path, samples=shard.nsamples, dry_run=dry_run)


def repair(path: Path, *, samples: int | None = None, dry_run: bool = False) -> Looked:
    """Writes the index of one tar where it is missing or wrong; `samples`: that it must have.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        offsets = _offsets(path, samples)
    except ShardError as error:
        return Looked(path=path, state="damaged", why=str(error))
    index = path.with_name(f"{path.name}.idx")
    state: State = "missing"
    right = index_bytes(offsets)
    if index.is_file():
        state = "right" if index.read_bytes() == right else "wrong"
    if state != "right" and not dry_run:
        commit.write_bytes(index, right)
    return Looked(path=path, state=state, samples=len(offsets) - 1)


def _offsets(path: Path, samples: int | None) -> Sequence[int]:
    """Where the samples of a tar begin, and the end of the last one.

    Raises:
        ShardError: it is damaged: a header that does not read looks like the end of a tar, but
            zeros follow upon that.
    """
    offsets = reader.scan_offsets(path)
    with path.open("rb") as file:
        file.seek(offsets[-1])
        end = list(map(any, iter(lambda: file.read(_END), b"")))
    found = len(offsets) - 1
    if not end or any(end):
        raise ShardError(f"{path}: damaged after {found} samples; no index is made")
    if samples not in (None, found):
        raise ShardError(f"{path}: {found} samples, the manifest says {samples}")
    return offsets
