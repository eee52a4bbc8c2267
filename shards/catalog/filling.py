"""Documents to the tables that `facts` asks."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from openm3w.errors import ShardError
from openm3w.shards.catalog.numbered import Part
from openm3w.shards.catalog.stats import domain
from openm3w.shards.catalog.values import measures_of, pictures_of, words_of
from openm3w.shards.document import Document

TABLES = """
CREATE TABLE IF NOT EXISTS shards (at INTEGER PRIMARY KEY, fault TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
  number INTEGER PRIMARY KEY, key TEXT, kind TEXT, dataset TEXT, split TEXT, title TEXT, url TEXT,
  domain TEXT, language TEXT, images INTEGER, characters INTEGER, similarity REAL, dropped TEXT,
  pictures TEXT);
CREATE TABLE IF NOT EXISTS names (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS scores (
  name INTEGER, value REAL, number INTEGER, image INTEGER,
  PRIMARY KEY (name, value, number, image)) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (
  text, content='', tokenize='unicode61 remove_diacritics 2');
"""

ROW = (
    "number, key, kind, dataset, split, title, url, domain, language, images, characters, "
    "similarity, dropped"
)
"""The columns of a document in a list."""

_BATCH = 2000
"""Documents between two reports of progress."""

Progress = Callable[[int, int], None]
"""Documents read so far, and of how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A part that is to be read."""

    at: int
    """Its place among the parts."""
    part: Part
    total: int
    """Documents of all parts."""


class _StoppedError(Exception):
    """Somebody wants no more."""


def fill_part(
    connection: sqlite3.Connection,
    work: Work,
    on_progress: Progress | None = None,
    stop: Callable[[], bool] | None = None,
) -> bool:
    """Reads one part as one transaction; False where `stop` ended it, and nothing is there of it.

    A part that is damaged is noted with its fault, and nothing else of it.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _is_done(connection, work):  # by another process, while we waited
            connection.execute("ROLLBACK")
            return True
        fault = ""
        connection.execute("SAVEPOINT shard")
        try:
            _add_all(connection, work, on_progress, stop)
        except (ShardError, OSError) as error:
            connection.execute("ROLLBACK TO shard")
            fault = str(error)
        connection.execute("INSERT INTO shards VALUES (?, ?)", (work.at, fault))
        connection.execute("COMMIT")
    except _StoppedError:
        connection.execute("ROLLBACK")
        return False
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if on_progress is not None:
        on_progress(work.part.first + work.part.size, work.total)
    return True


def _add_all(
    connection: sqlite3.Connection,
    work: Work,
    on_progress: Progress | None,
    stop: Callable[[], bool] | None,
) -> None:
    names: dict[str, int] = {}
    for number, (key, document) in enumerate(work.part.documents(), work.part.first):
        if (number - work.part.first) % _BATCH == 0:
            if stop is not None and stop():
                raise _StoppedError
            if on_progress is not None:
                on_progress(number, work.total)
        if key not in work.part.excluded:
            _add(connection, work.part, number, key, document, names)


def _add(
    connection: sqlite3.Connection,
    part: Part,
    number: int,
    key: str,
    document: Document,
    names: dict[str, int],
) -> None:
    measures = [(name, image, float(value)) for name, image, value in measures_of(document)]
    similarities = [value for name, _, value in measures if name == "similarity"]
    images = document.images
    url = document.url or (images[0].url if images else "")
    row = (
        number,
        key,
        part.kind,
        part.dataset,
        part.split,
        document.title,
        url,
        domain(url),
        document.signals.language,
        len(images),
        document.num_characters,
        max(similarities, default=None),
        document.dropped,
        pictures_of(document),
    )
    marks = ", ".join("?" * len(row))
    connection.execute(
        f"INSERT INTO documents ({ROW}, pictures) VALUES ({marks})", tuple(map(_storable, row))
    )
    connection.executemany(
        "INSERT OR IGNORE INTO scores VALUES (?, ?, ?, ?)",
        [(_name(connection, name, names), value, number, image) for name, image, value in measures],
    )
    words = (number, words_of(document))
    connection.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", words)


def _storable(value: str | float | None) -> str | float | None:
    """SQLite takes no halves of surrogate pairs, which JSON may hold."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return value


def _name(connection: sqlite3.Connection, name: str, names: dict[str, int]) -> int:
    if name not in names:
        known = _storable(name)
        connection.execute("INSERT OR IGNORE INTO names (name) VALUES (?)", (known,))
        row = connection.execute("SELECT id FROM names WHERE name = ?", (known,)).fetchone()
        names[name] = int(row[0])
    return names[name]


def _is_done(connection: sqlite3.Connection, work: Work) -> bool:
    found = connection.execute("SELECT 1 FROM shards WHERE at = ?", (work.at,))
    return found.fetchone() is not None
