"""Members of a tar that are read in memory, strictly: what is odd is an error, never skipped.

tarfile stops without a word at a header that it cannot read, follows what extension headers say
of names and sizes, and takes ten times as long. Here a header's checksum must be right, only
regular files are taken (ustar: IEEE Std 1003.1-1988, section 10.1.1), and nothing but zeros may
follow the end mark. Nothing is ever extracted to disk.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from openm3w.errors import ShardError
from openm3w.shards.files import OpenFile

BLOCK = 512
_ZEROS = bytes(BLOCK)

MAX_MEMBERS = 10_000
"""Of one sample (ours): ten times as many images as our names have digits for."""
MAX_MEMBER_BYTES = 1 << 30
"""Of one member (ours): an image has 20 MB at most, the longest text of the Pile some 100."""
MAX_EXTENSION_BYTES = 1 << 16
"""Of an extension header with a long name or with times, as webdataset's and GNU's tar write
(ours)."""
_NAMES = (b"path",)
_HARMLESS = (b"mtime", b"atime", b"ctime", b"uid", b"gid", b"uname", b"gname", b"comment")
"""Records of a pax header (IEEE Std 1003.1-2001, "pax Header Block") that change no bytes of ours.
Others, `size` and GNU's sparse maps among them, would."""


class Member(NamedTuple):
    """A regular file of a tar."""

    name: str
    offset: int
    """Of its first header."""
    size: int
    """Bytes."""
    data: bytes
    """b"" where it is passed over."""


class Part:
    """Reads a file from byte `at` up to `end`, in blocks; whatever is passed over is not read."""

    def __init__(
        self,
        file: OpenFile,
        start: int = 0,
        end: int | None = None,
        *,
        block: int | None = None,
        holds: int = 0,
    ) -> None:
        """`holds`: the byte up to which members stand, as an index says; no end mark is before."""
        self.file, self.at, self.holds = file, start, holds
        self.end = file.size if end is None else end
        self.last = start
        """Where the last member so far ends."""
        self._block = block or file.block
        self._buffer, self._begin = b"", start

    def read(self, count: int) -> bytes:
        """The next `count` bytes, fewer at the end."""
        start = self.at - self._begin
        data = self._buffer[start : start + count]
        self.at += len(data)
        if len(data) == count or self.at >= self.end:
            return data
        missing = count - len(data)
        stop = min(self.at + max(missing, self._block), self.end)
        self._buffer, self._begin = self.file.read(self.at, stop), self.at
        self.at += min(missing, len(self._buffer))
        return data + self._buffer[:missing]

    def skip(self, count: int) -> None:
        """Passes over `count` bytes."""
        self.at += count


def all_of(name: str) -> bool:
    """Wants the bytes of every member."""
    del name
    return True


def none_of(name: str) -> bool:
    """Wants the bytes of no member."""
    del name
    return False


def samples(part: Part, *, plain: bool) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Neighbouring members with one key: the key, and their bytes by suffix.

    Raises:
        ShardError: as `members`; also where a name comes twice, or a sample has too many.
    """
    key, found = "", dict[str, bytes]()
    for name, _, _, data in members(part, plain=plain):
        this, _, suffix = name.partition(".")
        if found and this != key:
            yield key, found
            found = {}
        key = this
        if suffix in found:
            raise _damaged(part, f"two members are named {name!r}")
        if len(found) == MAX_MEMBERS:
            raise _damaged(part, f"sample {key!r} has more than {MAX_MEMBERS:,} members")
        found[suffix] = data
    if found:
        yield key, found


def members(part: Part, *, plain: bool, wanted: Callable[[str], bool] = all_of) -> Iterator[Member]:
    """The members in order; the bytes of those whose names are not `wanted` are passed over.

    `plain`: no extension header is taken, as we write none.

    Raises:
        ShardError: a header is damaged, or a member is cut off or no regular file.
    """
    name, offset = None, part.at
    while header := part.read(BLOCK):
        if header == _ZEROS:
            _check_end(part)
            break
        kind, size = _parse(part, header)
        if kind in b"xL" and not plain:
            name = _long_name(part, kind, _payload(part, size)) or name
            continue
        if kind == b"5" and not plain:  # a folder, as GNU's tar writes of what it is given
            part.skip(size + -size % BLOCK)
        elif kind not in b"0\0":
            raise _damaged(part, f"{_name(header)!r} is no regular file of a shard; refused")
        else:
            name, data = name or _name(header), b""
            if wanted(name):
                data = _payload(part, size)
            else:
                _check_size(part, size)
                part.skip(size + -size % BLOCK)
            part.last = part.at
            yield Member(name, offset, size, data)
        name, offset = None, part.at


def _parse(part: Part, header: bytes) -> tuple[bytes, int]:
    """Kind and size of what a header is of."""
    try:
        said = int(header[148:156].strip(b" \0"), 8)
        size = int(header[124:136].strip(b" \0") or b"0", 8)
    except ValueError:
        said = size = -1
    # The sum counts its own field as eight spaces.
    if len(header) < BLOCK or sum(header) - sum(header[148:156]) + 8 * 32 != said or size < 0:
        raise _damaged(part, f"no whole header before byte {part.at}")
    if header[257:262] != b"ustar":
        raise _damaged(part, f"the header before byte {part.at} is not of ustar's form")
    return header[156:157], size


def _name(header: bytes) -> str:
    name = header[:100].partition(b"\0")[0]
    # GNU's tar, whose magic ends otherwise, has times in the place of the prefix.
    if header[262:263] == b"\0" and header[345:346] != b"\0":
        name = header[345:500].partition(b"\0")[0] + b"/" + name
    return name.decode("utf-8", "surrogateescape")


def _check_size(part: Part, size: int) -> None:
    # A damaged size may ask for gigabytes of memory before the end is met.
    if part.at + size > part.end:
        raise _damaged(part, f"a member at byte {part.at} reaches past the end of the file")
    if size > MAX_MEMBER_BYTES:
        raise _damaged(part, f"a member at byte {part.at} has {size:,} bytes; refused")


def _payload(part: Part, size: int) -> bytes:
    _check_size(part, size)
    data = part.read(size)
    if len(data) < size:
        raise _damaged(part, f"a member before byte {part.at} is cut off")
    part.skip(-size % BLOCK)
    return data


def _check_end(part: Part) -> None:
    # Zeros in the place of a last member look like the end of the tar.
    if (mark := part.at - BLOCK) < part.holds:
        raise _damaged(part, f"ends at byte {mark}, and samples reach to {part.holds}")
    while rest := part.read(part.file.block):
        if rest.count(0) != len(rest):
            raise _damaged(part, f"data follows the end mark, before byte {part.at}")


def _long_name(part: Part, kind: bytes, data: bytes) -> str | None:
    """The name that an extension header gives to the next member; None where it gives none."""
    if len(data) > MAX_EXTENSION_BYTES:
        raise _damaged(part, f"an extension header of {len(data):,} bytes; refused")
    if kind == b"L":
        return data.partition(b"\0")[0].decode("utf-8", "surrogateescape")
    name = None
    while data:
        length, _, _ = data.partition(b" ")
        said = int(length) if length.isdigit() and len(length) < 8 else 0
        record = data[:said]
        word, _, value = record[len(length) + 1 : -1].partition(b"=")
        if len(record) < said or not record.endswith(b"\n") or word not in (*_NAMES, *_HARMLESS):
            shown = word[:40].decode("utf-8", "replace")
            raise _damaged(part, f"an extension header sets {shown!r}; refused")
        if word in _NAMES:
            name = value.decode("utf-8", "surrogateescape")
        data = data[len(record) :]
    return name


def _damaged(part: Part, what: str) -> ShardError:
    return ShardError(f"{part.file.location}: {what}: damaged", reason="damaged_tar")
