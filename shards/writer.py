"""One shard: samples to a tar whose bytes depend on nothing but the samples.

Beside `NAME.tar` stands `NAME.tar.idx`: the byte offset of each sample and of the end, as
little-endian uint64, which is the index that Megatron-Energon reads.
"""

import hashlib
import io
import struct
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from openm3w.shards import commit
from openm3w.shards.sample import Kind, Sample, encode_sample


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardEntry:
    """A manifest's row about one shard."""

    url: str
    """Path relative to the manifest."""
    split: str
    nsamples: int
    filesize: int
    """Bytes."""
    sha256: str
    images: int
    characters: int
    """Unicode code points of all texts."""
    max_images: int
    """Largest number of images in one sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A sample as it stands in a tar, and what a manifest counts of it."""

    key: str
    members: Sequence[tuple[str, bytes]]
    """Full names and bytes, in order."""
    images: int
    characters: int


class _HashingFile:
    """Passes writes on and keeps their digest; what tarfile needs of a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self.size += len(data)
        return self._file.write(data)

    def tell(self) -> int:
        return self.size


def write_shard(
    root: Path, url: str, samples: Iterable[Sample], *, kind: Kind, split: str
) -> ShardEntry:
    """Commits `root/url` and its index, and returns the manifest's row.

    Samples are written in the order given; that order is the caller's promise of determinism.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
        ValueError: a key is not well formed or comes twice, or images and bytes do not match.
    """
    return write_packed(root, url, (_packed(sample, kind) for sample in samples), split=split)


def write_packed(root: Path, url: str, samples: Iterable[Packed], *, split: str) -> ShardEntry:
    """As `write_shard`, of samples that are members already.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
        ValueError: a key comes twice.
    """
    nsamples = images = characters = max_images = 0
    offsets: list[int] = []
    keys: set[str] = set()
    with commit.committed(root / url) as file:
        hashing = _HashingFile(file)
        with tarfile.open(fileobj=hashing, mode="w", format=tarfile.USTAR_FORMAT) as tar:  # type: ignore[call-overload]
            for sample in samples:
                if sample.key in keys:
                    raise ValueError(f"{url}: two samples have the key {sample.key}")
                keys.add(sample.key)
                offsets.append(tar.offset)
                for name, data in sample.members:
                    add_member(tar, name, data)
                nsamples += 1
                images += sample.images
                characters += sample.characters
                max_images = max(max_images, sample.images)
            offsets.append(tar.offset)
    commit.write_bytes(root / f"{url}.idx", index_bytes(offsets))
    return ShardEntry(
        url=url,
        split=split,
        nsamples=nsamples,
        filesize=hashing.size,
        sha256=hashing.sha256.hexdigest(),
        images=images,
        characters=characters,
        max_images=max_images,
    )


def index_bytes(offsets: Sequence[int]) -> bytes:
    """The index of a tar: where each sample begins, and where the last one ends."""
    return struct.pack(f"<{len(offsets)}Q", *offsets)


def _packed(sample: Sample, kind: Kind) -> Packed:
    return Packed(
        key=sample.key,
        members=encode_sample(sample, kind),
        images=len(sample.images),
        characters=sample.document.num_characters,
    )


def add_member(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """Adds a file to a tar: nothing in its header but its name and size tells it from another."""
    # TarInfo's defaults are what we want: mtime 0, owner 0, no names, mode 0644.
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))
