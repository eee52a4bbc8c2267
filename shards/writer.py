"""One shard: samples to a tar whose bytes depend on nothing but the samples.

Beside `NAME.tar` stands `NAME.tar.idx`: the byte offset of each sample and of the end, as
little-endian uint64, which is the index that Megatron-Energon reads.
"""

import hashlib
import io
import struct
import tarfile
from collections.abc import Iterable
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
                for name, data in encode_sample(sample, kind):
                    add_member(tar, name, data)
                nsamples += 1
                images += len(sample.images)
                characters += sample.document.num_characters
                max_images = max(max_images, len(sample.images))
            offsets.append(tar.offset)
    commit.write_bytes(root / f"{url}.idx", struct.pack(f"<{len(offsets)}Q", *offsets))
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


def add_member(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """Adds a file to a tar, with nothing in its header that is of the machine or the day."""
    # TarInfo's defaults are what we want: mtime 0, owner 0, no names, mode 0644.
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))
