"""A folder that appears whole or not at all."""

import contextlib
import errno
import fcntl
import glob
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from openm3w.errors import OutputError
from openm3w.shards import commit

_THERE = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
_HELD = (errno.EAGAIN, errno.EACCES)
_TRIES = 100
"""Of folders that another attempt takes away as soon as they are made."""


@contextlib.contextmanager
def whole_folder(output: Path) -> Iterator[Path]:
    """An empty folder beside `output` that takes its name when the block ends well.

    What attempts have left that were killed is removed; those that still run hold a lock on theirs.

    Raises:
        OutputError: something is at `output` already, or it cannot be written; nothing is left.
    """
    check_free(output)
    parent = output.absolute().parent
    _remove_left(parent, output.name)
    try:
        folder, lock = _locked_folder(parent, output.name)
    except OSError as error:
        raise _error(output, error) from error
    try:
        yield folder
        try:
            folder.rename(output)
            commit.sync_folder(parent)
        except OSError as error:
            if error.errno in _THERE:
                raise OutputError(
                    f"{output}: something else was written there; choose another --output"
                ) from error
            raise _error(output, error) from error
    finally:
        os.close(lock)
        shutil.rmtree(folder, ignore_errors=True)


def check_free(output: Path) -> None:
    """Looks whether a folder can be made here.

    Raises:
        OutputError: something is there, and be it a link.
    """
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise OutputError(f"{output}: is no folder; choose another --output")
    if output.is_dir() and any(output.iterdir()):
        raise OutputError(f"{output}: holds something else; choose another --output")


def _locked_folder(parent: Path, name: str) -> tuple[Path, int]:
    """A new folder and its lock; without one where the file system has none."""
    for _ in range(_TRIES):
        folder = parent / f".{name}.{uuid.uuid4().hex}.tmp"
        folder.mkdir(parents=True)
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _HELD:
                return folder, lock
        else:
            if folder.is_dir():
                return folder, lock
        # Another attempt took it for one that was killed, before it had its lock.
        os.close(lock)
    raise OSError(errno.EAGAIN, "another command takes its folder away again and again")


def _remove_left(parent: Path, name: str) -> None:
    for left in parent.glob(f".{glob.escape(name)}.*.tmp"):
        with contextlib.suppress(OSError):
            lock = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left)
            finally:
                os.close(lock)


def _error(output: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{output}: cannot be written: {error.strerror or error}; {commit.advice(error)}choose "
        "another --output, then run the same command again"
    )
