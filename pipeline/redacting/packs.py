"""Images taken out of packs: their bytes become zeros, and everything else stays at its place.

A pack is written anew beside itself and renamed. Its size and the places of all other images are as
before, so that tables that point into it stay right, and one who reads it meanwhile reads the file
of before to its end. Disk space is not won back.
"""

import tarfile
from collections.abc import Callable, Collection
from pathlib import Path
from typing import BinaryIO

from openm3w.shards import commit

REMOVED = "removed"
"""Name of a member of which nothing is left."""
_CHUNK = 1 << 20


def blank(path: Path, hashes: Collection[str]) -> int:
    """Blanks the members of a pack that are named by one of these hashes; how many it had.

    Raises:
        OutputError: the store cannot be written.
    """
    return _blank(path, lambda name: name in hashes)


def blank_others(path: Path, hashes: Collection[str]) -> int:
    """Blanks the members that are named by none of these hashes; how many it had.

    Raises:
        OutputError: the store cannot be written.
    """
    return _blank(path, lambda name: name not in hashes and name != REMOVED)


def _blank(path: Path, goes: Callable[[str], bool]) -> int:
    try:
        with path.open("rb") as file:
            found = _places(file, goes)
    except FileNotFoundError:
        return 0
    if found:
        with path.open("rb") as old, commit.committed(path, option="--store") as new:
            for offset, size in found:
                _copy(old, new, offset)
                _write_blank(new, size)
                old.seek(new.tell())
            _copy(old, new, path.stat().st_size)
    return len(found)


def _copy(old: BinaryIO, new: BinaryIO, end: int) -> None:
    """Goes on to copy up to a byte: nothing that goes is written, not for a moment."""
    while left := end - new.tell():
        if not (data := old.read(min(left, _CHUNK))):
            return
        new.write(data)


def places(file: BinaryIO, hashes: Collection[str]) -> list[tuple[int, int]]:
    """Where members with these hashes as names begin, with their headers, and their bytes."""
    return _places(file, lambda name: name in hashes)


def _places(file: BinaryIO, goes: Callable[[str], bool]) -> list[tuple[int, int]]:
    found = []
    with tarfile.open(fileobj=file, mode="r:") as tar:
        while (member := tar.next()) is not None:
            tar.members.clear()  # type: ignore[attr-defined]
            if goes(member.name.partition(".")[0]):
                found.append((member.offset, member.size))
    return found


def overwrite(file: BinaryIO, offset: int, size: int) -> None:
    """A member without name, hash and bytes at the place of another."""
    file.seek(offset)
    _write_blank(file, size)


def _write_blank(file: BinaryIO, size: int) -> None:
    info = tarfile.TarInfo(REMOVED)
    info.size = size
    file.write(info.tobuf(tarfile.USTAR_FORMAT))
    left = size
    while left:
        left -= file.write(bytes(min(left, _CHUNK)))
