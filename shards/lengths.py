"""How many images and tokens each sample of a shard has: `NAME.tar.lengths`, made on demand.

A header that says what the numbers are, then columns of them: see docs/shard-format.md. Who packs
or balances samples needs no tokenizer for it, and no look into the tar.
"""

import json
import struct
import sys
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from openm3w.errors import ShardError
from openm3w.shards import commit, reader
from openm3w.shards.document import Document
from openm3w.shards.manifest import Manifest
from openm3w.shards.members import dump
from openm3w.shards.writer import ShardEntry

# Python 3.11 cannot subscript array at run time.
Counts: TypeAlias = "array[int]"

SUFFIX = ".lengths"
_MAGIC = b"M3WLEN\0\1"
"""Seven bytes of a name, and the version."""
_HEAD = struct.Struct("<8sI")
_WORD = 4
"""Bytes of a number: little-endian uint32."""
_MAX_HEADER = 1 << 20
_IMAGES, _TOKENS = "images", "tokens"


@dataclass(frozen=True, slots=True, order=True)
class TokenizerName:
    """Which tokenizer counted."""

    sha256: str
    """Of its file; that tells two tokenizers apart, whatever they are called."""
    name: str = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Numbers for each sample, in the order of the shard, those on the exclude list among them."""

    images: Counts
    """uint32[N]."""
    tokens: Mapping[TokenizerName, Counts] = field(default_factory=dict)
    """uint32[N] for each tokenizer: text tokens alone, no specials and no image slots."""

    @property
    def nsamples(self) -> int:
        return len(self.images)

    def tokens_of(self, sha256: str) -> "Counts | None":
        """The counts of the tokenizer whose file has this digest."""
        return self.tokens.get(TokenizerName(sha256, ""))


def read_lengths(manifest: Manifest, shard: ShardEntry) -> Lengths | None:
    """What stands beside a shard; None where nobody counted yet.

    Raises:
        ShardError: the file is damaged, or of another state of the shard.
    """
    path = manifest.root / f"{shard.url}{SUFFIX}"
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        return _decoded(data, shard)
    except (KeyError, TypeError, ValueError, struct.error) as error:
        raise ShardError(f"{path}: {error}; count once more with `m3w shards tokens`") from error


def count_lengths(
    manifest: Manifest,
    shard: ShardEntry,
    tokenizer: TokenizerName,
    count: Callable[[Document], int],
) -> Lengths:
    """Reads a shard once and counts; what other tokenizers counted of the same shard is kept.

    Every byte is held against the manifest's digest, since the file that keeps the counts says
    that they are of that tar.

    Raises:
        ShardError: the shard is damaged or missing.
    """
    images, tokens = array("I"), array("I")
    for sample in reader.read_shard(manifest, shard, verify="full"):
        images.append(len(sample.images))
        tokens.append(count(sample.document))
    try:
        before = read_lengths(manifest, shard)
    except ShardError:
        before = None  # of a tar that is no more
    known = dict(before.tokens) if before else {}
    known.pop(tokenizer, None)
    return Lengths(images=images, tokens={**known, tokenizer: tokens})


def write_lengths(manifest: Manifest, shard: ShardEntry, lengths: Lengths) -> None:
    """Commits the file beside a shard.

    Raises:
        OutputError: it cannot be written, or the dataset is of another machine.
        ValueError: there are not as many numbers as samples.
    """
    columns: list[tuple[dict[str, str], Counts]] = [({"name": _IMAGES}, lengths.images)]
    for tokenizer, counts in sorted(lengths.tokens.items()):
        about = {"name": _TOKENS, "tokenizer": tokenizer.name, "sha256": tokenizer.sha256}
        columns.append((about, counts))
    for about, counts in columns:
        if len(counts) != shard.nsamples:
            raise ValueError(f"{about['name']}: {len(counts)} numbers, {shard.nsamples} samples")
    header = dump(
        {
            "shard_sha256": shard.sha256,
            "nsamples": shard.nsamples,
            "columns": [about for about, _ in columns],
        }
    )
    header += b" " * (-(_HEAD.size + len(header)) % _WORD)
    parts = [_HEAD.pack(_MAGIC, len(header)), header, *(_bytes(counts) for _, counts in columns)]
    commit.write_bytes(manifest.folder / f"{shard.url}{SUFFIX}", b"".join(parts))


def _decoded(data: bytes, shard: ShardEntry) -> Lengths:
    magic, size = _HEAD.unpack_from(data)
    start = _HEAD.size + size
    if magic != _MAGIC or size > _MAX_HEADER or start > len(data):
        raise ValueError("no lengths of this version")
    header = json.loads(data[_HEAD.size : start])
    if (header["shard_sha256"], header["nsamples"]) != (shard.sha256, shard.nsamples):
        raise ValueError("of another tar than the manifest's")
    about: list[Mapping[str, Any]] = header["columns"]
    width = shard.nsamples * _WORD
    if len(data) != start + len(about) * width or [it["name"] for it in about[:1]] != [_IMAGES]:
        raise ValueError(f"{len(data):,} bytes do not hold what its header says: damaged")
    columns = [_counts(data[start + at * width : start + (at + 1) * width])
               for at in range(len(about))]  # fmt: skip
    tokens = {
        TokenizerName(str(it["sha256"]), str(it["tokenizer"])): counts
        for it, counts in zip(about[1:], columns[1:], strict=True)
        if it["name"] == _TOKENS  # others are of a later version
    }
    return Lengths(images=columns[0], tokens=tokens)


def _bytes(counts: Counts) -> bytes:
    return _swapped(counts).tobytes()


def _counts(data: bytes) -> Counts:
    counts = array("I")
    counts.frombytes(data)
    return _swapped(counts)


def _swapped(counts: Counts) -> Counts:
    """Little-endian, and back."""
    if sys.byteorder == "big":
        counts = counts[:]
        counts.byteswap()
    return counts
