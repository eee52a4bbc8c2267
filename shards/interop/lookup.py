"""Where the bytes of images are that a table names, and which ids have been seen.

Both are on disk, in SQLite: a set of hundreds of millions of images has more names than memory.
"""

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from openm3w.errors import InputError, OutputError
from openm3w.shards.interop import tables
from openm3w.shards.interop.archives import Members, grouped
from openm3w.shards.interop.links import check_links
from openm3w.shards.interop.pictures import MAX_BYTES
from openm3w.shards.interop.rows import text
from openm3w.shards.sample import IMAGE_FORMATS

_MAX_JSON = 1 << 20
"""Bytes of the .json beside an image."""
_SUFFIXES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "avif")
assert len(_SUFFIXES) == len(IMAGE_FORMATS) + 1  # noqa: S101 -- jpg and jpeg are one


class Lookup:
    """Images by name, and ids; its file goes with it. A context manager."""

    def __init__(self, file: Path) -> None:
        """Makes the file.

        Raises:
            OutputError: it cannot be written, as by every method: its disk is full.
        """
        self._file = file
        with _told_of(file):
            self._base = sqlite3.connect(file, isolation_level=None)
            self._base.execute("PRAGMA journal_mode = OFF")
            self._base.execute("PRAGMA synchronous = OFF")
            self._base.execute("BEGIN")
            self._base.execute("CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID")
            self._base.execute("CREATE TABLE places (number INTEGER PRIMARY KEY, path BLOB)")
            self._base.execute(
                "CREATE TABLE images (name BLOB PRIMARY KEY, place INTEGER, offset INTEGER, "
                "size INTEGER) WITHOUT ROWID"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._base.close()
        self._file.unlink(missing_ok=True)

    def is_new(self, own_id: str) -> bool:
        """Whether this id was never asked for before."""
        with _told_of(self._file):
            done = self._base.execute("INSERT OR IGNORE INTO seen VALUES (?)", (_hash(own_id),))
        return done.rowcount == 1

    def add(self, places: Sequence[Path]) -> int:
        """Notes the images of folders and tar files, and returns how many there are.

        An image is found by its file's name, by that within the folder, and, where a `.json` of
        img2dataset's stands beside it, by the `url` and the `sha256` in there. Of two with one name
        the first counts.

        Raises:
            InputError: there is no such folder or tar, it is damaged, or has no images; a link
                leads out of it.
        """
        added = 0
        for place in places:
            before = added
            check_links(place)
            for path in _archives(place):
                with Members(path) as members, _told_of(self._file):
                    added += self._add(path, place, members)
            if added == before:
                raise InputError(f"{place}: no images in it, neither as files nor in tar files")
        return added

    def find(self, names: Iterable[str]) -> bytes | None:
        """The bytes of the first of these names that an image has."""
        for name in names:
            with _told_of(self._file):
                found = self._base.execute(
                    "SELECT path, offset, size FROM images JOIN places ON place = number "
                    "WHERE name = ?",
                    (_hash(name),),
                ).fetchone()
            if found is not None:
                path, offset, size = found
                with Path(os.fsdecode(path)).open("rb") as file:
                    file.seek(offset)
                    # One byte more than an image may have tells that it is too large.
                    return file.read(min(size, MAX_BYTES + 1))
        return None

    def _add(self, path: Path, place: Path, members: Members) -> int:
        added = 0
        number = self._place(path) if path.is_file() else 0
        for _, suffixes in grouped(members):
            image = next((suffixes[end] for end in _SUFFIXES if end in suffixes), None)
            if image is None:
                # `name.000.jpg`: the images of our own samples.
                for suffix, name in suffixes.items():
                    if suffix.rpartition(".")[2] in _SUFFIXES:
                        self._note(path, number, members, name, _file_names(path, place, name))
                        added += 1
                continue
            names = [*_file_names(path, place, image)]
            if "json" in suffixes:
                names += _told(members, suffixes["json"])
            self._note(path, number, members, image, names)
            added += 1
        return added

    def _place(self, path: Path) -> int:
        done = self._base.execute("INSERT INTO places (path) VALUES (?)", (os.fsencode(path),))
        return int(done.lastrowid or 0)

    def _note(
        self, path: Path, number: int, members: Members, member: str, names: Iterable[str]
    ) -> None:
        offset, size = members.place(member)
        place = number or self._place(path / member)
        self._base.executemany(
            "INSERT OR IGNORE INTO images VALUES (?, ?, ?, ?)",
            [(_hash(name), place, offset, size) for name in names],
        )


@contextlib.contextmanager
def _told_of(file: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise OutputError(
            f"{file.parent}: what is where cannot be noted: {error}; free some space or choose "
            "another --output, then run the same command again"
        ) from error


def _archives(place: Path) -> Iterator[Path]:
    """The tar files of a place, and its folders that have files."""
    if place.is_file():
        yield place
        return
    if not place.is_dir():
        raise InputError(f"{place}: no such folder or tar file")
    tars = sorted(place.rglob("*.tar"))
    yield from tars
    if not tars:
        yield place
        yield from sorted(path for path in place.rglob("*") if path.is_dir())


def _file_names(path: Path, place: Path, member: str) -> Iterator[str]:
    """A member's own name and its file's; of a file in a folder, that below `place` too."""
    yield member
    yield member.rpartition("/")[2]
    if path.is_dir() and path != place:
        yield (path.relative_to(place) / member).as_posix()


def _told(members: Members, name: str) -> Iterator[str]:
    if members.place(name)[1] > _MAX_JSON:
        return
    value = tables.json_object(members.read(name) or b"")
    if isinstance(value, dict):
        if url := text(value.get("url")):
            yield url
        if digest := text(value.get("sha256")):
            yield f"sha256:{digest}"


def _hash(name: str) -> bytes:
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
