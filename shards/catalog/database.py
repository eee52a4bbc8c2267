"""The SQLite file that facts are in: made where it is not there, and for its owner alone."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from openm3w.shards.catalog.filling import TABLES

_WAIT_SECONDS = 60.0
"""For another process that fills the same file: a shard is one transaction."""

_ROOTS = "CREATE TABLE IF NOT EXISTS roots (root TEXT PRIMARY KEY);"
"""The places whose documents are in the file, by which a deletion request finds it."""


def connect(file: Path, roots: Sequence[str]) -> sqlite3.Connection:
    """A connection to the file, which has all tables, and notes `roots`.

    Raises:
        sqlite3.DatabaseError: it is no database, or cannot be read.
        OSError: it cannot be made.
    """
    _make_private(file)
    connection = sqlite3.connect(file, timeout=_WAIT_SECONDS, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(TABLES + _ROOTS)
        noted = connection.execute("SELECT count(*) FROM roots").fetchone()[0]
        if noted < len(set(roots)):
            values = [(root.encode("utf-8", "replace").decode(),) for root in roots]
            connection.executemany("INSERT OR IGNORE INTO roots VALUES (?)", values)
    except BaseException:
        connection.close()
        raise
    return connection


def identity(file: Path) -> tuple[int, int] | None:
    """What tells a file from a later one of its name; None where there is none."""
    try:
        about = file.stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino


def _make_private(file: Path) -> None:
    """Nobody else may read the file, whoever may read the folder.

    SQLite gives what it writes beside a file the same permissions (os_unix.c, findCreateFileMode).
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # One that is there is not opened: closing it would end SQLite's own locks in this process
    # (sqlite.org/howtocorrupt.html, 2.2).
    with suppress(FileExistsError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    if file.stat().st_mode & 0o077:
        file.chmod(0o600)
