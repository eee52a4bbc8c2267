"""One pass over a tar that others wrote: its samples, where they stand, and what it hashes to.

Tar readers stop without a word at a damaged header, and nobody says that no key comes twice. So
every sample is read as our readers will read it.
"""

import hashlib
import os
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from openm3w.errors import ShardError
from openm3w.pipeline.images.headers import sniff
from openm3w.shards.captioned import IMAGE_SUFFIXES, caption_of
from openm3w.shards.reader import SUFFIXES
from openm3w.shards.sample import IMAGE_FORMATS, decode_sample

Kind = Literal["damaged", "unfinished", "not_captions", "duplicate"]

_CHUNK = 1 << 20
_BUFFER = 1 << 15
"""Bytes; tarfile copies what is left of it at each read, so that a large one costs more."""
_ID = re.compile("[0-9a-f]{32}")


class UnfitShardError(ShardError):
    """A shard that cannot be adopted; the message says what to do."""

    def __init__(
        self, kind: Kind, message: str, what_to_do: str = "make or fetch the shard again"
    ) -> None:
        super().__init__(f"{message}; {what_to_do}")
        self.kind = kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What one pass over a tar finds."""

    offsets: tuple[int, ...]
    """Of each sample, and of the end."""
    characters: int
    sha256: str
    """Of the tar."""
    samples_sha256: str
    """Of images and captions, whatever their keys and their order are."""
    hashes: bytes
    """Two little-endian uint64 for each sample: of its key, and of key, image and caption."""
    has_ids: bool
    """Whether all keys are ids of documents, and so unique wherever they stand."""

    @property
    def nsamples(self) -> int:
        return len(self.offsets) - 1


def read_contents(path: Path) -> Contents:
    """Reads every sample of a tar once.

    Raises:
        UnfitShardError: the tar or a sample is damaged, or a sample is no captioned image.
    """
    offsets, contents, hashes, seen = list[int](), list[bytes](), bytearray(), set[str]()
    characters = end = 0
    has_ids = True
    digest = hashlib.sha256()
    for key, members, start, stop in _samples(path, digest):
        if key in seen:
            raise UnfitShardError(
                "not_captions",
                f"{path}: two samples have the key {key!r}, or its members are not together",
                "write the shard again with webdataset's ShardWriter",
            )
        seen.add(key)
        try:
            sample = decode_sample(key, members, "caption")
        except ShardError as error:
            raise UnfitShardError("not_captions", f"{path}: {error}") from error
        _check_image(path, key, sample.images[0])
        content = _hash(sample.images[0], caption_of(sample.document).encode("utf-8", "replace"))
        contents.append(content)
        hashes += _hash(key.encode("utf-8", "surrogateescape"))
        hashes += _hash(key.encode("utf-8", "surrogateescape"), content)
        offsets.append(start)
        end, characters = stop, characters + sample.document.num_characters
        has_ids = has_ids and _ID.fullmatch(key) is not None
    return Contents(
        offsets=(*offsets, end),
        characters=characters,
        sha256=digest.hexdigest(),
        samples_sha256=hashlib.sha256(b"".join(sorted(contents))).hexdigest(),
        hashes=bytes(hashes),
        has_ids=has_ids,
    )


def _check_image(path: Path, key: str, data: bytes) -> None:
    """A download that failed is often an empty file, or a page of HTML."""
    if sniff(data) in IMAGE_FORMATS:
        return
    what = f"begins as none of {', '.join(IMAGE_FORMATS)}" if data else "has 0 bytes"
    message = f"{path}: the image of sample {key!r} {what}"
    raise UnfitShardError("not_captions", message, "write the shard again without the sample")


def _hash(*parts: bytes) -> bytes:
    """64 bits: among 10^8 samples two that differ are taken for equal with odds of 1 to 3,700."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        digest.update(len(part).to_bytes(8))
        digest.update(part)
    return digest.digest()


def _samples(path: Path, digest: Any) -> Iterator[tuple[str, dict[str, bytes], int, int]]:
    """Key, members, and where the sample begins and ends, of neighbouring members."""
    key, members, start, stop = "", dict[str, bytes](), 0, 0
    for name, data, begin, end in _members(path, digest):
        this, _, suffix = name.partition(".")
        if members and this != key:
            yield key, members, start, stop
            members = {}
        if not members:
            key, start = this, begin
        if suffix in members:
            raise UnfitShardError(
                "not_captions",
                f"{path}: two members are named {name!r}",
                "a key is of one sample only; write the shard again",
            )
        if not this or suffix.rpartition(".")[2] not in SUFFIXES:
            raise UnfitShardError(
                "not_captions",
                f"{path}: unexpected member {name!r}",
                f"a name is a key without a dot, a dot, and json, txt, cls or "
                f"{', '.join(IMAGE_SUFFIXES)}; write the shard again",
            )
        members[suffix], stop = data, end
    if members:
        yield key, members, start, stop


class _Hashed:
    """A file that is read once from its beginning, and its digest."""

    def __init__(self, file: BinaryIO, digest: Any) -> None:
        self._file, self._digest = file, digest

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        return data


def _members(path: Path, digest: Any) -> Iterator[tuple[str, bytes, int, int]]:
    end = 0
    try:
        with path.open("rb") as file:
            size, hashed = os.fstat(file.fileno()).st_size, _Hashed(file, digest)
            with tarfile.open(fileobj=hashed, mode="r|", bufsize=_BUFFER) as tar:  # type: ignore[call-overload]
                while (member := tar.next()) is not None:
                    end = member.offset_data + -(-member.size // 512) * 512
                    if end > size:
                        raise UnfitShardError(
                            "damaged", f"{path}: member {member.name!r} is cut off"
                        )
                    if not member.isdir():
                        yield member.name, _bytes(path, tar, member), member.offset, end
                    # tarfile keeps every header it saw; a shard may have a million.
                    tar.members.clear()
            while hashed.read(_CHUNK):
                pass
            _check_rest(path, file, end)
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise UnfitShardError("damaged", f"{path}: the tar is damaged: {error}") from error


def _bytes(path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    content = tar.extractfile(member) if member.isreg() else None
    data = content.read() if content else b""
    if content is None or len(data) != member.size:
        raise UnfitShardError("damaged", f"{path}: member {member.name!r} is no file")
    return data


def _check_rest(path: Path, file: BinaryIO, end: int) -> None:
    """Tarfile stops without a word at a damaged header; after the last member are only zeros."""
    file.seek(end)
    while piece := file.read(_CHUNK):
        if piece.strip(b"\0"):
            raise UnfitShardError(
                "damaged", f"{path}: a damaged header at byte {end}, and more data after it"
            )
