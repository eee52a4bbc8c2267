"""A shard that was found as the manifest has it, and what is read of it by place.

The file that was checked stays open: what takes its name meanwhile is not what is read.
"""

import functools
import hashlib
import itertools
import struct
from collections.abc import Iterator, Sequence
from typing import Literal

from openm3w.errors import ShardError
from openm3w.shards import files, storage, tar, uris
from openm3w.shards.files import OpenFile
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample, decode_sample
from openm3w.shards.storage import Location
from openm3w.shards.writer import ShardEntry

Verify = Literal["full", "quick", "off"]
"""`full`: size, sha256 and count; `quick`: size and count; `off`: count only."""
VERIFY: tuple[Verify, ...] = ("full", "quick", "off")

# What a sample may hold; webdataset's decoder would run a member named `.pyd`. `cls`, a number as
# text, is what its users have beside images, and is not read.
SUFFIXES = frozenset({"json", "txt", "cls", "jpg", "jpeg", "png", "webp"})


class OpenShard:
    """One shard of a dataset, open and checked.

    `full` hashes the whole file before anything of it is given. A file of this machine is then
    read from memory, where the system keeps what was just hashed; one from elsewhere is loaded
    once, into a copy that has no name and is gone with the shard.

    Raises:
        ShardError: the shard is missing, or differs from the manifest.
        InputError: its store or server does not give it.
    """

    def __init__(self, manifest: Manifest, shard: ShardEntry, *, verify: Verify = "quick") -> None:
        self.manifest, self.shard = manifest, shard
        self.location = locate(manifest, shard)
        file = files.open_file(self.location)
        if file is None:
            raise ShardError(
                f"{self.location}: missing; the manifest lists it with {shard.nsamples} samples",
                reason="missing",
            )
        if verify != "off" and file.size != shard.filesize:
            raise ShardError(
                f"{self.location}: {file.size} bytes, the manifest says {shard.filesize}: damaged",
                reason="wrong_size",
            )
        self._is_hashed = verify == "full"
        self.file = _hashed(file, shard) if self._is_hashed else file

    def samples(self) -> Iterator[tuple[str, dict[str, bytes]]]:
        """Key and members of all samples, in one pass.

        Raises:
            ShardError: the tar is damaged, or has another number of samples; at the place where
                that is found, what stands before it having been given.
        """
        seen, keys = 0, set[str]()
        part = tar.Part(self.file, holds=self._end())
        for key, members in tar.samples(part, plain=self._is_ours):
            if key in keys:
                raise self.key_twice(key)
            keys.add(key)
            yield key, self._allowed(key, members)
            seen += 1
        self._check_count(seen, str(self.location))

    def read(self, index: int) -> tuple[str, dict[str, bytes]]:
        """Key and members of the sample at `index`, by one reading of its bytes.

        Raises:
            ShardError: the index does not point at one whole sample.
            IndexError: `index` is outside 0 <= index < nsamples.
        """
        if not 0 <= index < self.shard.nsamples:
            raise IndexError(index)
        start, end = self.offsets[index], self.offsets[index + 1]
        if end > self.file.size:
            raise ShardError(
                f"{self.location}: sample {index} ends at byte {end}, the file before: damaged",
                reason="damaged_index",
            )
        part = tar.Part(self.file, start, end, block=end - start, holds=end)
        found = list(tar.samples(part, plain=self._is_ours))
        if len(found) != 1:
            raise ShardError(
                f"{self.location}: {len(found)} samples from offset {start} to {end}; its .idx is "
                "of another tar",
                reason="damaged_index",
            )
        key, members = found[0]
        return key, self._allowed(key, members)

    def decode(self, key: str, members: dict[str, bytes]) -> Sample:
        """The sample of these members.

        Raises:
            ShardError: a member is missing or does not decode.
        """
        try:
            return decode_sample(key, members, self.manifest.kind)
        except ShardError as error:
            raise ShardError(f"{self.location}: {error}", reason="bad_sample") from error

    def key_twice(self, key: str) -> ShardError:
        """The fault of a key that an earlier sample of this shard has."""
        return ShardError(
            f"{self.location}: key {key!r} occurs a second time; a sample's members stand "
            "together, and keys are unique",
            reason="key_twice",
        )

    @functools.cached_property
    def offsets(self) -> Sequence[int]:
        """Where each sample begins, and where the last one ends.

        From the index beside the tar; where there is none (shards that others wrote), the headers
        of all members are walked.

        Raises:
            ShardError: the shard or its index does not agree with the manifest.
        """
        beside = find_index(self.location)
        offsets = self.scan() if beside is None else beside
        name = str(self.location) if beside is None else f"{self.location}.idx"
        self._check_count(len(offsets) - 1, name)
        return offsets

    def scan(self) -> tuple[int, ...]:
        """What the index of the tar holds, from the headers of its members.

        Raises:
            ShardError: it is no tar, or it is damaged.
        """
        return scan(self.file, plain=self._is_ours)

    def keys(self) -> Iterator[str]:
        """The keys in order; of a file here from one header a sample, no payload is read.

        Raises:
            ShardError: the shard is damaged or its index is of another tar.
        """
        if files.is_remote(self.file):  # a request for each header takes longer than all bytes
            yield from (key for key, _ in _firsts(tar.Part(self.file), plain=self._is_ours))
            return
        for start, end in itertools.pairwise(self.offsets):
            part = tar.Part(self.file, start, min(end, self.file.size), block=tar.BLOCK)
            key, _ = next(_firsts(part, plain=self._is_ours), (None, 0))
            if key is None:
                raise ShardError(
                    f"{self.location}: no sample at offset {start}; its .idx is of another tar",
                    reason="damaged_index",
                )
            yield key

    def _end(self) -> int:
        """Where the last sample ends, as far as an index says; 0 where a digest says more."""
        if self._is_hashed:
            return 0
        try:
            return (find_index(self.location) or (0,))[-1]
        except ShardError:  # a stream does without
            return 0

    @property
    def _is_ours(self) -> bool:
        return self.manifest.keys == "own"

    def _allowed(self, key: str, members: dict[str, bytes]) -> dict[str, bytes]:
        for suffix in members:
            if suffix.rpartition(".")[2] not in SUFFIXES:
                name = f"{key}.{suffix}" if suffix else key
                raise ShardError(
                    f"{self.location}: member {name!r} is no json, text or image; refused",
                    reason="refused_member",
                )
        return members

    def _check_count(self, found: int, name: str) -> None:
        if found != self.shard.nsamples:
            raise ShardError(
                f"{name}: {found} samples, the manifest says {self.shard.nsamples}: damaged",
                reason="wrong_count",
            )


def locate(manifest: Manifest, shard: ShardEntry) -> Location:
    """Where a shard lies: beside its manifest, in whichever folder (adopted shards stay in theirs).

    Raises:
        ShardError: its URL is not relative to the manifest.
    """
    url = shard.url
    if uris.is_uri(url) or url.startswith("/"):
        raise ShardError(
            f"{manifest.root}: the manifest's shard {uris.shown(url)!r} is not relative to it; "
            "refused",
            reason="missing",
        )
    return manifest.root / url


def find_index(location: Location) -> tuple[int, ...] | None:
    """Byte offsets of the samples of a tar, and of its end; None where there is no index.

    Raises:
        ShardError: the index is damaged.
    """
    data = storage.read_if_there(location.with_name(f"{location.name}.idx"))
    if data is None:
        return None
    if len(data) % 8:
        raise ShardError(
            f"{location}.idx: {len(data)} bytes, no whole number of offsets: damaged",
            reason="damaged_index",
        )
    offsets = struct.unpack(f"<{len(data) // 8}Q", data)
    if any(one >= other for one, other in itertools.pairwise(offsets)):
        raise ShardError(
            f"{location}.idx: its offsets do not ascend: damaged", reason="damaged_index"
        )
    return offsets


def scan(file: OpenFile, *, plain: bool) -> tuple[int, ...]:
    """The offsets of the samples of a tar, and of its end, from the headers of its members."""
    part = tar.Part(file, block=_headers_block(file))
    firsts = [offset for _, offset in _firsts(part, plain=plain)]
    return (*firsts, part.last)


def _firsts(part: tar.Part, *, plain: bool) -> Iterator[tuple[str, int]]:
    """Key, and offset of the first header, of each sample."""
    current: str | None = None
    for member in tar.members(part, plain=plain, wanted=tar.none_of):
        key = member.name.partition(".")[0]
        if key != current:
            yield key, member.offset
        current = key


def _headers_block(file: OpenFile) -> int:
    """Headers stand far apart: here a page of the disk is read, elsewhere a block of a request."""
    return file.block if files.is_remote(file) else 4096


def _hashed(file: OpenFile, shard: ShardEntry) -> OpenFile:
    """The file whose sha256 is the manifest's."""
    digest = hashlib.sha256()
    if files.is_remote(file):
        file = files.copied(file, digest.update)
    else:
        for block in files.blocks(file):
            digest.update(block)
    if (found := digest.hexdigest()) != shard.sha256:
        raise ShardError(
            f"{file.location}: sha256 {found[:12]}..., expected {shard.sha256[:12]}...: damaged",
            reason="wrong_sha256",
        )
    return file
