"""Shards to samples, checked against the manifest.

Tar readers stop without a word at a flipped header byte or a cut at a member boundary, so half a
shard can vanish unnoticed; size, digest and sample count of the manifest are what protects. Only
JSON, text and image members are read, never a pickle, and nothing is extracted to disk.
"""

import hashlib
import os
import random
import struct
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from openm3w.errors import ShardError
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Kind, Sample, decode_sample
from openm3w.shards.writer import ShardEntry

Verify = Literal["full", "quick", "off"]
"""`full`: size, sha256 and count; `quick`: size and count; `off`: count only."""

# What a sample may hold; webdataset's decoder would run a member named `.pyd`. `cls`, a number as
# text, is what its users have beside images, and is not read.
SUFFIXES = frozenset({"json", "txt", "cls", "jpg", "jpeg", "png", "webp"})
_CHUNK = 1 << 20


def read_samples(
    manifest: Manifest,
    *,
    split: str | None = None,
    verify: Verify = "quick",
    shuffle_seed: int | None = None,
) -> Iterator[Sample]:
    """All samples of a split (of all splits where None), shard by shard.

    `shuffle_seed` orders the shards; samples inside a shard keep their order.

    Raises:
        ShardError: a shard is missing, damaged or short.
    """
    shards = list(manifest.shards if split is None else manifest.split(split))
    if shuffle_seed is not None:
        random.Random(shuffle_seed).shuffle(shards)
    excluded = frozenset(manifest.exclude)
    for shard in shards:
        for sample in read_shard(manifest, shard, verify=verify):
            if sample.key not in excluded:
                yield sample


def read_shard(
    manifest: Manifest, shard: ShardEntry, *, verify: Verify = "quick"
) -> Iterator[Sample]:
    """The samples of one shard, the excluded ones too.

    Raises:
        ShardError: see `check_shard`; also where the tar ends before its last sample.
    """
    path = check_shard(manifest, shard, verify=verify)
    seen = 0
    for key, members in _grouped(path):
        yield _decode(path, key, members, manifest.kind)
        seen += 1
    if seen != shard.nsamples:
        raise ShardError(f"{path}: {seen} samples, the manifest says {shard.nsamples}: damaged")


def read_sample_at(
    manifest: Manifest, shard: ShardEntry, index: int, *, offsets: Sequence[int] | None = None
) -> Sample:
    """One sample by its place in the shard; `offsets` saves reading the index again.

    Raises:
        ShardError: the index does not point at a sample.
        IndexError: `index` is outside 0 <= index < nsamples.
    """
    key, members = read_members_at(manifest, shard, index, offsets=offsets)
    return _decode(manifest.root / shard.url, key, members, manifest.kind)


def read_members_at(
    manifest: Manifest, shard: ShardEntry, index: int, *, offsets: Sequence[int] | None = None
) -> tuple[str, dict[str, bytes]]:
    """Key and members of one sample as they stand in the tar, as `read_sample_at`."""
    path = check_shard(manifest, shard, verify="quick")
    if not 0 <= index < shard.nsamples:
        raise IndexError(index)
    offsets = offsets or read_offsets(manifest, shard)
    for key, members in _grouped(path, start=offsets[index], end=offsets[index + 1]):
        return key, members
    raise ShardError(f"{path}: no sample at offset {offsets[index]}; its .idx is of another tar")


def read_offsets(manifest: Manifest, shard: ShardEntry) -> tuple[int, ...]:
    """Where each sample of a shard begins, and where the last one ends.

    From the index beside the tar; where there is none (shards that others wrote), the headers of
    all members are walked.

    Raises:
        ShardError: the shard or its index does not agree with the manifest.
    """
    path = check_shard(manifest, shard, verify="quick")
    indexed = path.with_name(f"{path.name}.idx").is_file()
    offsets = read_index(path) if indexed else scan_offsets(path)
    if len(offsets) != shard.nsamples + 1:
        name = f"{path}.idx" if indexed else str(path)
        raise ShardError(
            f"{name}: {len(offsets) - 1} samples, the manifest says {shard.nsamples}: damaged"
        )
    return offsets


def read_keys(manifest: Manifest, shard: ShardEntry) -> Iterator[str]:
    """The keys of a shard in order, from one header a sample: no payload is read.

    Raises:
        ShardError: the shard is missing or its index is of another tar.
    """
    offsets = read_offsets(manifest, shard)
    path = manifest.root / shard.url
    with path.open("rb") as file:
        for offset in offsets[:-1]:
            file.seek(offset)
            try:
                member = tarfile.TarInfo.frombuf(file.read(512), "utf-8", "surrogateescape")
            except tarfile.HeaderError as error:
                raise ShardError(f"{path}: no sample at offset {offset}: {error}") from error
            yield member.name.partition(".")[0]


def scan_offsets(path: Path) -> tuple[int, ...]:
    """What the index of the tar `path` holds, from the headers of its members.

    Raises:
        ShardError: it is no tar, or it is damaged.
    """
    offsets: list[int] = []
    current: str | None = None
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for member in _members(tar, None):
                key = member.name.partition(".")[0]
                if key != current:
                    offsets.append(member.offset)
                current = key
            offsets.append(tar.offset)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise ShardError(f"{path}: the tar is damaged: {error}") from error
    return tuple(offsets)


def read_index(path: Path) -> tuple[int, ...]:
    """Byte offsets of the samples of the tar `path`, and of its end.

    Raises:
        ShardError: there is no index beside the tar.
    """
    try:
        data = path.with_name(f"{path.name}.idx").read_bytes()
    except FileNotFoundError:
        raise ShardError(f"{path}.idx: missing; build the shards again") from None
    if len(data) % 8:
        raise ShardError(f"{path}.idx: {len(data)} bytes, no whole number of offsets: damaged")
    offsets = struct.unpack(f"<{len(data) // 8}Q", data)
    if list(offsets) != sorted(set(offsets)):
        raise ShardError(f"{path}.idx: its offsets do not ascend: damaged")
    return offsets


def check_shard(manifest: Manifest, shard: ShardEntry, *, verify: Verify) -> Path:
    """The shard's path, once its size and, for `full`, its digest were found right.

    Raises:
        ShardError: the shard is missing, or differs from the manifest.
    """
    path = manifest.root / shard.url
    if not path.is_file():
        raise ShardError(f"{path}: missing; the manifest lists it with {shard.nsamples} samples")
    if verify == "off":
        return path
    if (size := path.stat().st_size) != shard.filesize:
        raise ShardError(f"{path}: {size} bytes, the manifest says {shard.filesize}: damaged")
    if verify == "full" and (digest := file_sha256(path)) != shard.sha256:
        raise ShardError(
            f"{path}: sha256 {digest[:12]}..., expected {shard.sha256[:12]}...: damaged"
        )
    return path


def file_sha256(path: Path) -> str:
    """Hex digest of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _decode(path: Path, key: str, members: dict[str, bytes], kind: Kind) -> Sample:
    try:
        return decode_sample(key, members, kind)
    except ShardError as error:
        raise ShardError(f"{path}: {error}") from error


def _grouped(
    path: Path, *, start: int = 0, end: int | None = None
) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Neighbouring members with one key, from byte `start` until byte `end`."""
    current: str | None = None
    members: dict[str, bytes] = {}
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(start)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                for member in _members(tar, end):
                    key, _, suffix = member.name.partition(".")
                    if current is not None and key != current:
                        yield current, members
                        members = {}
                    current = key
                    if suffix in members:
                        raise ShardError(f"{path}: two members are named {member.name!r}")
                    members[_allowed(path, member.name, suffix)] = _bytes(path, tar, member, size)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise ShardError(f"{path}: the tar is damaged: {error}") from error
    if current is not None:
        yield current, members


def _members(tar: tarfile.TarFile, end: int | None) -> Iterator[tarfile.TarInfo]:
    while (member := tar.next()) is not None:
        if end is not None and member.offset >= end:
            return
        if member.isreg():
            yield member
        # tarfile keeps every header it saw; a shard may have a million.
        tar.members.clear()  # type: ignore[attr-defined]


def _allowed(path: Path, name: str, suffix: str) -> str:
    if suffix.rpartition(".")[2] not in SUFFIXES:
        raise ShardError(f"{path}: member {name!r} is no json, text or image; refused")
    return suffix


def _bytes(path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo, tar_size: int) -> bytes:
    # A damaged size field may ask for gigabytes of memory before the end is met.
    if member.offset_data + member.size > tar_size:
        raise ShardError(f"{path}: member {member.name!r} reaches past the end of the file")
    file = tar.extractfile(member)
    data = b"" if file is None else file.read()
    if len(data) != member.size:
        raise ShardError(f"{path}: member {member.name!r} is cut off")
    return data
