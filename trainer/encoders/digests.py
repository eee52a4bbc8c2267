"""Digests of files of weights, which say by what a score was made wherever the file lies."""

import functools
import hashlib
from pathlib import Path


def file_digest(path: Path) -> str:
    """16 hex digits of the file's SHA-256.

    A file is read once in a process, as long as its size and its time of change stay the same.

    Raises:
        OSError: it cannot be read.
    """
    about = path.stat()
    return _digest(path.resolve(), about.st_size, about.st_mtime_ns)


def folder_digest(folder: Path) -> str:
    """16 hex digits of the names and contents of a folder's files; hidden ones do not count.

    Raises:
        OSError: one cannot be read.
    """
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    about = "\n".join(f"{path.name} {file_digest(path)}" for path in files)
    return hashlib.sha256(about.encode()).hexdigest()[:16]


@functools.lru_cache(maxsize=1024)
def _digest(path: Path, size: int, changed: int) -> str:  # noqa: ARG001
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]
