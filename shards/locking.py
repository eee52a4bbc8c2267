"""One writer at a time in an output folder.

Two builds that write other documents under the same names would each replace the other's shards.
"""

import contextlib
import errno
import fcntl
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from openm3w.errors import OutputError

LOCK_NAME = ".lock"
"""In an output while a build writes to it, and after one that was killed.

It holds the number of the process and the name of its machine."""

_TRIES = 100
"""A build that ends takes its lock away; so often in the same moment none does."""

_HELD = (errno.EAGAIN, errno.EACCES)

_LOOKS, _WAIT_S = 3, 0.02
"""`holder_of` has the lock itself for some microseconds; who is refused looks so often again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who writes to an output; as far as the lock says."""

    pid: int
    """0 where it does not say."""
    host: str


def holder_of(output: Path) -> Holder | None:
    """The process that has the output for itself now, or None.

    None also where its file system has no locks, or none that other machines see.
    """
    try:
        descriptor = os.open(output / LOCK_NAME, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _HELD:
            return None
        pid, _, host = os.read(descriptor, 512).decode(errors="replace").strip().partition(" ")
        return Holder(pid=int(pid) if pid.isdecimal() else 0, host=host)
    finally:
        os.close(descriptor)
    return None


@contextlib.contextmanager
def only_writer(output: Path, *, in_place: bool = False) -> Iterator[bool]:
    """Keeps every other build out of `output`, which is created, while the block runs.

    Of a command that changes a dataset where it is (`in_place`) nobody is told to write elsewhere.

    The lock is the operating system's (`flock`), so it ends with its process, however that ends.
    NFS of Linux has it for all machines that mount the folder; other network file systems have it
    for one machine only, or not at all. There, and in a folder that cannot be written, the block
    runs without, and is given False: `publish` looks at claim and shards again before it says that
    a build is whole.

    Raises:
        OutputError: another build writes to it, or its lock is a link.
    """
    if (output / LOCK_NAME).is_symlink():
        raise OutputError(f"{output / LOCK_NAME}: is a link, and no lock of ours; remove it")
    made = not output.exists()
    descriptor = _locked(output / LOCK_NAME, "" if in_place else "choose another --output")
    try:
        yield descriptor is not None
    finally:
        if descriptor is not None:
            # Before it is given up, or it would be the next one's; and it may be, where somebody
            # removed the folder.
            if _is_at(descriptor, output / LOCK_NAME):
                (output / LOCK_NAME).unlink(missing_ok=True)
            os.close(descriptor)
        if made:
            with contextlib.suppress(OSError):  # not empty, as a build leaves it
                output.rmdir()


def is_lock(path: Path) -> bool:
    """Whether a file of an output is only this module's."""
    return path.name == LOCK_NAME


def _locked(path: Path, elsewhere: str) -> int | None:
    """An open file that is locked, or None where there are no locks."""
    looks = 0
    for _ in range(_TRIES):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except FileNotFoundError as error:  # the folder around it is there, and takes none
            raise OutputError(
                f"{path.parent}: cannot be created: {error.strerror}"
                + (f"; {elsewhere}" if elsewhere else "")
            ) from error
        except OSError:  # writing will fail, and says why
            return None
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        except FileNotFoundError:  # the folder of a build that ended just now
            continue
        except OSError:  # writing will fail, and says why
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()} {platform.node()}\n".encode())
                return descriptor
            os.close(descriptor)  # of a build that ended just now
        except OSError as error:
            os.close(descriptor)
            if error.errno not in _HELD:
                return None
            if looks < _LOOKS:
                looks += 1
                time.sleep(_WAIT_S)
                continue
            raise OutputError(
                f"{path.parent}: another {'build' if elsewhere else 'command'} is writing to it; "
                "wait until it has ended" + (f", or {elsewhere}" if elsewhere else "")
            ) from error
    raise OutputError(f"{path.parent}: another build takes it away again and again; wait for it")


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
