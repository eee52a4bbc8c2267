"""`--input` values to files, each with a name that does not depend on this machine."""

import hashlib
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from openm3w.errors import InputError, NotBuiltError
from openm3w.pipeline import remote as remotes
from openm3w.pipeline.local import expand, may_be_file, unreadable_file
from openm3w.pipeline.remote import HEAD_BYTES, File, Found, RemoteFile
from openm3w.shards.uris import is_remote, local_path, shown

ARCHIVE_SUFFIXES = (".warc", ".warc.gz", ".arc", ".arc.gz")
_NO_REMOTE = "reading remote archives is not built yet; copy it here"
_ARCHIVE_STARTS = (b"WARC/", b"filedesc://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One archive or table."""

    name: str
    """Path relative to the input that the user named; part of ids, so never absolute."""
    file: File
    digest: str
    """16 hex digits that tell a changed file from the same one: over size, beginning and end, or,
    elsewhere, over size and the tag that the store gives the content."""

    @property
    def path(self) -> Path:
        """The file, for what reads files of this machine alone.

        Raises:
            NotBuiltError: it is somewhere else.
        """
        if isinstance(self.file, RemoteFile):
            raise NotBuiltError(f"{self.file}: {_NO_REMOTE}")
        return self.file

    @property
    def unit(self) -> str:
        """File name, without suffix, of everything committed for this source."""
        return hashlib.blake2b(self.name.encode(), digest_size=6).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What was found, in the order of names."""

    archives: tuple[Source, ...]
    skipped: tuple[str, ...]
    """What folders, patterns and lists name that is no archive: files, pipes, links to folders."""
    unreadable: tuple[str, ...] = ()
    """Files and folders in named folders, and why each cannot be read."""


def looks_like_archive(path: Path) -> bool:
    """Whether a file is WARC or ARC by its name or its first bytes."""
    if path.name.lower().endswith(ARCHIVE_SUFFIXES):
        return True
    with path.open("rb") as file:
        head = file.read(4096)
    if head[:2] == b"\x1f\x8b":
        try:
            head = zlib.decompressobj(31).decompress(head, 64)
        except zlib.error:
            return False
    return head.startswith(_ARCHIVE_STARTS)


def find_sources(
    inputs: Iterable[str],
    *,
    accepts: Callable[[Path], bool] = looks_like_archive,
    remote: Callable[[Found], bool] | None = None,
    what: str = "WARC or ARC file",
    option: str = "--input ",
) -> Sources:
    """Archives, or other files that `accepts` knows, behind files, folders, globs and path lists.

    A folder is searched to all depths, hidden files and folders aside, and its files of other kinds
    are skipped, those that cannot be read are told; a file named by itself must be accepted.
    `remote` is asked for files at URIs; without it there may be none. `option` stands before the
    value in messages.

    Raises:
        InputError: nothing is there, or a named file is empty, cannot be read or is no archive.
        NotBuiltError: a remote address without `remote`, or a WACZ file.
        MissingError: the package for the protocol of a remote address is not installed.
    """
    found, skipped, unreadable = list[Source](), list[str](), list[str]()
    for value in map(local_path, inputs):
        if is_remote(value):
            _find_remote(value, remote, what, option, found, skipped)
            continue
        named = Path(value).is_file()
        for path, base in expand(value, option, unreadable):
            name = _name(path.relative_to(base))
            try:
                if not may_be_file(path):
                    skipped.append(name)
                    continue
                if accepts(path):
                    found.append(Source(name=name, file=path, digest=_digest(path)))
                    continue
            except OSError as error:
                if named:
                    raise InputError(f"{option}{unreadable_file(path, error)}") from error
                unreadable.append(unreadable_file(path, error))
                continue
            if path == Path(value):
                raise InputError(f"{path}: not a {what} (by name and first bytes)")
            skipped.append(name)
    if not found:
        why = "".join(f"; {note}" for note in unreadable[:1])
        raise InputError(f"no {what} behind {option}{' '.join(map(shown, inputs))}{why}")
    return Sources(
        archives=tuple(_distinct(found)),
        skipped=tuple(sorted(skipped)),
        unreadable=tuple(unreadable),
    )


def _find_remote(
    uri: str,
    accepts: Callable[[Found], bool] | None,
    what: str,
    option: str,
    found: list[Source],
    skipped: list[str],
) -> None:
    if accepts is None:
        raise NotBuiltError(f"{option}{shown(uri)}: {_NO_REMOTE}")
    for one in remotes.find(uri, option):
        if accepts(one):
            found.append(Source(name=one.name, file=one.file, digest=one.digest()))
        elif one.alone:
            raise InputError(f"{one.file}: not a {what} (by name and first bytes)")
        else:
            skipped.append(one.name)


def _name(path: Path) -> str:
    """A path as text that can be stored; of names that are not UTF-8 the bytes are spelled out."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _digest(path: Path) -> str:
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=8)
    with path.open("rb") as file:
        digest.update(file.read(HEAD_BYTES))
        file.seek(max(0, size - HEAD_BYTES))
        digest.update(file.read(HEAD_BYTES))
    return digest.hexdigest()


def _distinct(found: Iterable[Source]) -> list[Source]:
    """The same file once, and equal names of different files told apart by what they hold."""
    by_place = dict[str, Source]()
    for source in found:
        by_place.setdefault(_place(source.file), source)
    once = list(by_place.values())
    # Two files may be alike in all that the digest looks at, or to the last byte.
    for tell in (_by_digest, _by_content, _by_order):
        alike = Counter(source.name for source in once)
        seen = Counter[str]()
        for place, source in enumerate(once):
            if alike[source.name] > 1:
                seen[source.name] += 1
                once[place] = replace(source, name=source.name + tell(source, seen[source.name]))
    return sorted(once, key=lambda source: source.name)


def _place(file: File) -> str:
    return file.uri if isinstance(file, RemoteFile) else os.path.realpath(file)


def _by_digest(source: Source, _: int) -> str:
    return f"~{source.digest}"


def _by_content(source: Source, _: int) -> str:
    if isinstance(source.file, RemoteFile):  # is not read whole for a name
        return f"~{hashlib.blake2b(source.file.uri.encode(), digest_size=8).hexdigest()}"
    with source.file.open("rb") as file:
        return f"~{hashlib.file_digest(file, _short_hash).hexdigest()}"


def _by_order(_: Source, number: int) -> str:
    return f"~{number}"


def _short_hash() -> "hashlib.blake2b":
    return hashlib.blake2b(digest_size=8)
