"""Files that appear whole or not at all.

Every output is written under a name unique to the attempt, synced, and renamed: two attempts at
the same file never mix, and a reader never sees half of one. A sidecar written after the file
says that it is complete and what it was made from.
"""

import contextlib
import errno
import json
import os
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from openm3w.errors import OutputError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)

_MAX_LINKS = 40
"""As Linux has it."""


@contextlib.contextmanager
def committed(
    path: Path,
    *,
    option: str = "--output",
    named: Callable[[], str] | None = None,
    through_link: bool = False,
) -> Iterator[BinaryIO]:
    """Opens a temporary file beside `path` that takes its name when the block ends well.

    A link is replaced itself: under a name that we make up, in a folder that others filled, it may
    lead to any file of the user's. With `through_link`, for a file that a user names, it stays and
    what it leads to is replaced. `option` is what a user would name to write elsewhere. `named` is
    asked once the block has ended, and says what the file is called instead, in the same folder: a
    name may be made of what was written.

    Raises:
        OutputError: the disk is full, or the folder cannot be written, or `path` is a device or a
            pipe; nothing is left behind.
    """
    if through_link or not path.is_symlink():
        _check_file(path)
        path = Path(os.path.realpath(path)) if path.is_symlink() else path
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = temporary.open("xb")
    except OSError as error:
        raise _output_error(path, error, option) from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if named is not None:
            path = path.with_name(named())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        # The block may read other files; their errors name the file and are not ours to explain.
        ours = (temporary, path, path.parent)
        if error.filename is not None and Path(error.filename) not in ours:
            raise
        raise _output_error(path, error, option) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Has errors of a block that writes to `path` otherwise than by `committed` said as its are.

    Raises:
        OutputError: the disk is full, or the folder cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise _output_error(path, error, "--output") from error


def _check_file(path: Path) -> None:
    if path.exists() and not path.is_file() and not path.is_dir():
        # Root could rename a file over /dev/null, for everyone on the machine.
        raise OutputError(f"{path}: is a device or a pipe; name a file instead")
    if _is_descriptor(path):
        # Its own name is lost: renamed over what it leads to, a file of the caller's would be gone.
        raise OutputError(f"{path}: is an open file of a process; name a file instead")


def _is_descriptor(path: Path) -> bool:
    """Whether a path leads through /proc/self/fd, /dev/fd or their like, as /dev/stdout does."""
    for _ in range(_MAX_LINKS):
        folder = os.path.realpath(path.parent)
        if folder == "/dev/fd" or re.fullmatch("/proc/.+/fd", folder):
            return True
        if not path.is_symlink():
            return False
        path = Path(folder, path.readlink())
    return False


def check_place(path: Path) -> None:
    """Looks whether a file can stand where a user wants it.

    `committed` makes the folders of a build's own files; for a file that a user names that would
    hide a mistyped name.

    Raises:
        OutputError: its folder is not there, or it is a folder itself.
    """
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file in it")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}; create it or name another")


def check_folder(path: Path) -> None:
    """Looks whether a folder that we name ourselves is none of somewhere else.

    Raises:
        OutputError: it is a link.
    """
    if path.is_symlink():
        raise OutputError(f"{path}: is a link, through which nothing is written; remove it")


def write_bytes(path: Path, data: bytes, *, through_link: bool = False) -> None:
    """Commits `data` under `path`; `through_link` as in `committed`."""
    with committed(path, through_link=through_link) as file:
        file.write(data)


def write_json(
    path: Path,
    value: Mapping[str, Any],
    *,
    indent: int | None = 1,
    through_link: bool = False,
) -> None:
    """Commits `value` as UTF-8 JSON with keys in the order given."""
    text = json.dumps(value, ensure_ascii=False, indent=indent) + "\n"
    write_bytes(path, text.encode(), through_link=through_link)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in `path`, or None where there is no such file or it does not parse."""
    try:
        return parse_json(path.read_bytes())
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


def parse_json(data: bytes) -> dict[str, Any] | None:
    """The object that a file holds, or None where it does not parse or is no object."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):  # no JSON, or deeper than any of ours
        return None
    return value if isinstance(value, dict) else None


def _output_error(path: Path, error: OSError, option: str) -> OutputError:
    return OutputError(
        f"{path}: cannot be written: {error.strerror or error}; {advice(error)}choose "
        f"another {option}, then run the same command again"
    )


def advice(error: Exception) -> str:
    """What may help, but for another place, where a file cannot be written: `... or `, or ""."""
    number = getattr(error, "errno", None)
    if number in _FULL:
        return "free some space or "
    return "see that this account may write there or " if number in _FORBIDDEN else ""


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder outlive a crash of the machine."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
