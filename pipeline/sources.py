"""`--input` values to archive files, each with a name that does not depend on this machine."""

import errno
import glob
import gzip
import hashlib
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from openm3w.errors import InputError, NotBuiltError

REMOTE_PREFIXES = ("http://", "https://", "s3://", "gs://", "hdfs://", "azfs://")
_ARCHIVE_STARTS = (b"WARC/", b"filedesc://")
_HEAD_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One archive file."""

    name: str
    """Path relative to the input that the user named; part of ids, so never absolute."""
    path: Path
    digest: str
    """16 hex digits over size, beginning and end: tells a changed file from the same one."""

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
    if path.name.lower().endswith((".warc", ".warc.gz", ".arc", ".arc.gz")):
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
    what: str = "WARC or ARC file",
    option: str = "--input ",
) -> Sources:
    """Archives, or other files that `accepts` knows, behind files, folders, globs and path lists.

    A folder is searched to all depths, hidden files and folders aside, and its files of other kinds
    are skipped, those that cannot be read are told; a file named by itself must be accepted.
    `option` stands before the value in messages.

    Raises:
        InputError: nothing is there, or a named file is empty, cannot be read or is no archive.
        NotBuiltError: a remote address, or a WACZ file.
    """
    found, skipped, unreadable = list[Source](), list[str](), list[str]()
    for value in inputs:
        named = Path(value).is_file()
        for path, base in _expand(value, option, unreadable):
            name = _name(path.relative_to(base))
            try:
                if not _may_be_file(path):
                    skipped.append(name)
                    continue
                if accepts(path):
                    found.append(Source(name=name, path=path, digest=_digest(path)))
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
        raise InputError(f"no {what} behind {option}{' '.join(inputs)}{why}")
    return Sources(
        archives=tuple(_distinct(found)),
        skipped=tuple(sorted(skipped)),
        unreadable=tuple(unreadable),
    )


def unreadable_file(path: Path, error: OSError) -> str:
    """A line that says why a file cannot be read."""
    if error.errno in (errno.ENOENT, errno.ELOOP) and path.is_symlink():
        return f"{path}: is a link to nothing"
    return f"{path}: cannot be read: {error.strerror or error}"


def _expand(value: str, option: str, unreadable: list[str]) -> Iterator[tuple[Path, Path]]:
    """Files behind one input value, each with the folder that its name is relative to."""
    if value.startswith(REMOTE_PREFIXES):
        raise NotBuiltError(
            f"{option}{value}: reading remote archives is not built yet; copy it here"
        )
    path = Path(value)
    if not value:
        raise InputError(f"{option}'': an empty name; is a variable of the shell not set?")
    if path.is_dir():
        files = _files_in(path, unreadable)
        if not files and not unreadable:
            raise InputError(f"{option}{value}: the folder is empty")
        yield from ((file, path) for file in files)
    elif path.is_file():
        yield from _named_file(path, option)
    else:
        matches = [Path(match) for match in sorted(glob.glob(value, recursive=True))]  # noqa: PTH207
        if path in matches or not any(map(_may_be_file, matches)):
            raise InputError(f"{option}{value}: {_no_file(value)}")
        yield from ((match, match.parent) for match in matches)


def _no_file(value: str) -> str:
    """Why there is no file behind a name."""
    path = Path(value)
    if value == "-" or path.exists():
        what = "standard input" if value == "-" else "a pipe or a device"
        return f"{what} is not read; save it to a file and name that"
    if path.is_symlink():
        return "is a link to nothing"
    return "no such file or folder, and the pattern matches nothing"


def _files_in(folder: Path, unreadable: list[str]) -> list[Path]:
    """All below a folder that is no folder itself but hidden ones, in order."""

    def failed(error: OSError) -> None:
        unreadable.append(unreadable_file(Path(error.filename), error))

    found = list[Path]()
    for root, folders, names in os.walk(folder, onerror=failed):
        folders[:] = [name for name in folders if not name.startswith(".")]
        shown = [name for name in names if not name.startswith(".")]
        found.extend(Path(root, name) for name in shown)
        # Links are not followed: they may lead back here.
        found.extend(path for path in (Path(root, name) for name in folders) if path.is_symlink())
    return sorted(found)


def _may_be_file(path: Path) -> bool:
    """A file, or what only opening it will tell: a link to nothing, a file in a closed folder."""
    try:
        return path.is_file() or not path.exists()
    except OSError:
        return True


def _named_file(path: Path, option: str) -> Iterator[tuple[Path, Path]]:
    if path.stat().st_size == 0:
        raise InputError(f"{option}{path}: the file is empty")
    if path.suffix == ".wacz":
        raise NotBuiltError(f"{option}{path}: WACZ is not read yet; unzip it and name its archive/")
    if path.name.endswith((".paths", ".paths.gz")):
        yield from _listed(path)
    else:
        yield path, path.parent


def _listed(path: Path) -> Iterator[tuple[Path, Path]]:
    """Files of a `warc.paths` list; relative ones stand beside the list."""
    try:
        data = path.read_bytes()
        text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: the list of paths cannot be read: {error}") from error
    for line in filter(None, text.decode("utf-8", "replace").splitlines()):
        file = path.parent / line
        if not file.is_file():
            raise InputError(
                f"{path}: lists {line}, which is not beside it; fetching from a crawl is not "
                "built yet, so place the files there first"
            )
        # What the list names by an absolute path is named by its last part: names hold no machine.
        yield file, file.parent if Path(line).is_absolute() else path.parent


def _name(path: Path) -> str:
    """A path as text that can be stored; of names that are not UTF-8 the bytes are spelled out."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _digest(path: Path) -> str:
    size = path.stat().st_size
    digest = hashlib.blake2b(str(size).encode(), digest_size=8)
    with path.open("rb") as file:
        digest.update(file.read(_HEAD_BYTES))
        file.seek(max(0, size - _HEAD_BYTES))
        digest.update(file.read(_HEAD_BYTES))
    return digest.hexdigest()


def _distinct(found: Iterable[Source]) -> list[Source]:
    """The same file once, and equal names of different files told apart by what they hold."""
    by_path = dict[str, Source]()
    for source in found:
        by_path.setdefault(os.path.realpath(source.path), source)
    once = list(by_path.values())
    # Two files may be alike in all that the digest looks at, or to the last byte.
    for tell in (_by_digest, _by_content, _by_order):
        alike = Counter(source.name for source in once)
        seen = Counter[str]()
        for place, source in enumerate(once):
            if alike[source.name] > 1:
                seen[source.name] += 1
                once[place] = replace(source, name=source.name + tell(source, seen[source.name]))
    return sorted(once, key=lambda source: source.name)


def _by_digest(source: Source, _: int) -> str:
    return f"~{source.digest}"


def _by_content(source: Source, _: int) -> str:
    with source.path.open("rb") as file:
        return f"~{hashlib.file_digest(file, _short_hash).hexdigest()}"


def _by_order(_: Source, number: int) -> str:
    return f"~{number}"


def _short_hash() -> "hashlib.blake2b":
    return hashlib.blake2b(digest_size=8)
