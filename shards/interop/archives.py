"""Members by name of a tar, or files by name of a folder: where others keep samples.

Only headers are read until a member is asked for. Links, devices and folders are no members.
"""

import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Self

from openm3w.errors import InputError

MAX_MEMBER = 256 << 20
"""Bytes; a multi-frame TIFF of a long PDF is below."""
MAX_MEMBERS = 5_000_000
"""Of one tar: their names are held in memory while it is read."""
_CHUNK = 1 << 20


class Members:
    """The members of one tar or folder; a context manager."""

    def __init__(self, path: Path) -> None:
        """Reads all headers.

        Raises:
            InputError: the tar is damaged or cut off, or has too many members.
        """
        self.path = path
        self._file: BinaryIO | None = None if path.is_dir() else path.open("rb")
        try:
            self.repeated: list[str] = []
            """Names that came before; the first member of a name counts."""
            self._places = (
                _files(path) if self._file is None else _headers(path, self._file, self.repeated)
            )
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def __iter__(self) -> Iterator[str]:
        """Names in the order in which they stand in a tar; sorted, of a folder."""
        return iter(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def place(self, name: str) -> tuple[int, int]:
        """Offset of a member in its tar, and its size."""
        return self._places[name]

    def read(self, name: str) -> bytes | None:
        """The bytes of a member; None where there is none of that name, or it is too large."""
        offset, size = self._places.get(name, (0, MAX_MEMBER + 1))
        if size > MAX_MEMBER:
            return None
        if self._file is None:
            return (self.path / name).read_bytes()
        self._file.seek(offset)
        return self._file.read(size)


def grouped(members: Members) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Keys with their members, as webdataset groups neighbours.

    Of each the members: what follows the first dot of the file's name -> the member's name.
    """
    current: str | None = None
    suffixes: dict[str, str] = {}
    for name in members:
        folder, slash, last = name.rpartition("/")
        stem, _, suffix = last.partition(".")
        key = f"{folder}{slash}{stem}"
        if key != current:
            if current is not None:
                yield current, suffixes
            current, suffixes = key, {}
        suffixes[suffix.lower()] = name
    if current is not None:
        yield current, suffixes


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name[0] != ".")
    return {path.name: (0, path.stat().st_size) for path in paths}


def _headers(path: Path, file: BinaryIO, repeated: list[str]) -> dict[str, tuple[int, int]]:
    places: dict[str, tuple[int, int]] = {}
    size = os.fstat(file.fileno()).st_size
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while (member := tar.next()) is not None:
                if member.name in places:
                    repeated.append(member.name)
                elif member.isreg() and not member.issparse():
                    places[member.name] = (member.offset_data, member.size)
                if member.offset_data + member.size > size:
                    raise InputError(f"{path}: member {member.name!r} is cut off; fetch it again")
                if len(places) + len(repeated) > MAX_MEMBERS:
                    raise InputError(f"{path}: more than {MAX_MEMBERS:,} members; split it")
                # tarfile keeps every header it saw.
                tar.members.clear()  # type: ignore[attr-defined]
            end = tar.offset
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise InputError(f"{path}: no tar file, or damaged: {error}") from error
    _check_end(path, file, end)
    return places


def _check_end(path: Path, file: BinaryIO, end: int) -> None:
    """Tarfile stops without a word at a damaged header; behind the last one are zeros only."""
    file.seek(end)
    rest = file.read(_CHUNK)
    if len(rest) < tarfile.BLOCKSIZE:
        raise InputError(f"{path}: ends without the mark of a tar's end, cut off; fetch it again")
    while rest:
        if rest.strip(b"\0"):
            raise InputError(f"{path}: damaged at byte {end:,} or after it; fetch it again")
        rest = file.read(_CHUNK)
