"""Files of this machine behind what a user names: files, folders, patterns and lists of paths."""

import errno
import glob
import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from openm3w.errors import InputError, NotBuiltError


def unreadable_file(path: Path, error: OSError) -> str:
    """A line that says why a file cannot be read."""
    if error.errno in (errno.ENOENT, errno.ELOOP) and path.is_symlink():
        return f"{path}: is a link to nothing"
    return f"{path}: cannot be read: {error.strerror or error}"


def expand(value: str, option: str, unreadable: list[str]) -> Iterator[tuple[Path, Path]]:
    """Files behind one input value, each with the folder that its name is relative to.

    `unreadable` gets a line for each folder that cannot be listed; `option` stands before the value
    in messages.

    Raises:
        InputError: nothing is there, or a named file is empty or no file.
        NotBuiltError: a WACZ file.
    """
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
        if path in matches or not any(map(may_be_file, matches)):
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


def may_be_file(path: Path) -> bool:
    """Whether this is a file, or may be one: a link to nothing, a file in a closed folder."""
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
