"""What can be asked of all documents at once: lists by condition, words, numbers for histograms.

Opening a dataset reads nothing but its manifest. `Facts.fill` then reads every document's JSON
once, shard by shard, into an SQLite file in the user's cache folder; until it is done, answers are
of the shards read so far. The file is named by what was opened and by the fingerprint of the data:
data that changed, as by a deletion request, has another, and the old one is removed. Whoever still
has it open goes on with an empty one.
"""

import sqlite3
import threading
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from openm3w.shards.catalog import cache, conditions, database, filling
from openm3w.shards.catalog.filling import Progress
from openm3w.shards.catalog.numbered import Numbered
from openm3w.shards.catalog.query import COLUMNS, Query
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.catalog.values import DOCUMENT
from openm3w.shards.manifest import Manifest

_SCHEMA = 4
"""Of the tables; a file of another one is not read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A document in a list."""

    number: int
    """In the `Catalog` of the same manifests, or what else they are facts of; from 0."""
    key: str
    kind: str
    dataset: str
    split: str
    title: str
    url: str
    domain: str
    language: str
    images: int
    characters: int
    similarity: float | None
    """The largest of its images; None where none has one."""
    dropped: str


class Facts:
    """The facts of all documents of several datasets, without those on their exclude lists.

    Every thread may ask; each has a connection of its own.
    """

    def __init__(self, samples: Numbered, file: Path) -> None:
        self._samples, self.file = samples, file
        self._local, self._making = threading.local(), threading.Lock()
        self._connect()

    @classmethod
    def open(
        cls, manifests: Sequence[Manifest], *, split: str | None = None, folder: Path | None = None
    ) -> Self:
        """The facts of datasets as they are so far; see `of`."""
        return cls.of(Catalog(manifests, split), folder=folder)

    @classmethod
    def of(cls, samples: Numbered, *, folder: Path | None = None) -> Self:
        """The facts as they are so far; `folder` is for tests, and else the user's cache folder.

        Where that cannot be written, they are kept in a temporary folder.
        """
        place = cache.usable(folder or cache.folder())
        state = [str(_SCHEMA), *samples.state]
        name = cache.file_name(samples.roots, state, chosen=samples.chosen)
        cache.remove_older(place, name)
        try:
            return cls(samples, place / name)
        except sqlite3.DatabaseError:  # damaged, or no database; it holds nothing of its own
            (place / name).unlink(missing_ok=True)
            return cls(samples, place / name)

    def __len__(self) -> int:
        """How many documents have been read, without the excluded ones."""
        return self.count(Query())

    @property
    def complete(self) -> bool:
        """Whether every shard was read, or found damaged."""
        (done,) = self._connect().execute("SELECT count(*) FROM shards").fetchone()
        return bool(done == len(self._samples.parts()))

    @property
    def faults(self) -> tuple[str, ...]:
        """One line for each shard that could not be read."""
        rows = self._connect().execute("SELECT fault FROM shards WHERE fault != '' ORDER BY at")
        return tuple(fault for (fault,) in rows)

    def fill(
        self, on_progress: Progress | None = None, stop: Callable[[], bool] | None = None
    ) -> bool:
        """Reads the shards that were not read yet; False where `stop` ended it before.

        A shard is one transaction: what was read stays, whenever this ends.
        """
        while not self.complete:  # again, where the file was removed meanwhile
            done = {at for (at,) in self._connect().execute("SELECT at FROM shards")}
            for at, part in enumerate(self._samples.parts()):
                if at in done:
                    continue
                work = filling.Work(at=at, part=part, total=len(self._samples))
                if not filling.fill_part(self._connect(), work, on_progress, stop):
                    return False
        return True

    def rows(self, query: Query | None = None, limit: int = 100, offset: int = 0) -> list[Row]:
        """Documents that a query finds, in their order."""
        where, values = conditions.where(query or Query())
        sql = f"SELECT {filling.ROW} FROM documents WHERE {where} ORDER BY number LIMIT ? OFFSET ?"
        return [Row(**row) for row in self._connect().execute(sql, (*values, limit, offset))]

    def at(self, numbers: Sequence[int]) -> dict[int, Row]:
        """The documents of these numbers, by number; those that were not read yet are missing."""
        marks = ", ".join("?" * len(numbers))
        sql = f"SELECT {filling.ROW} FROM documents WHERE number IN ({marks})"
        found = self._connect().execute(sql, tuple(numbers))
        return {row["number"]: Row(**row) for row in found}

    def numbers(self, query: Query) -> "array[int]":
        """The numbers of all documents that a query finds, ascending."""
        where, values = conditions.where(query)
        found = self._connect().execute(
            f"SELECT number FROM documents WHERE {where} ORDER BY number", values
        )
        return array("Q", (row["number"] for row in found))

    def keys(self, query: Query) -> list[tuple[int, str]]:
        """Number and key of all documents that a query finds, in their order."""
        where, values = conditions.where(query)
        sql = f"SELECT number, key FROM documents WHERE {where} ORDER BY number"
        return [(row["number"], row["key"]) for row in self._connect().execute(sql, values)]

    def count(self, query: Query | None = None) -> int:
        """How many documents a query finds."""
        where, values = conditions.where(query or Query())
        sql = f"SELECT count(*) FROM documents WHERE {where}"
        return int(self._connect().execute(sql, values).fetchone()[0])

    def counts(self, column: str, query: Query | None = None) -> list[tuple[str, int]]:
        """Documents by a column of `Row`, the most frequent first, equals by name.

        Raises:
            KeyError: there is no such column.
        """
        if column not in Row.__dataclass_fields__:
            raise KeyError(column)
        where, values = conditions.where(query or Query())
        sql = f"SELECT {column} AS name, count(*) AS n FROM documents WHERE {where} GROUP BY name"
        found = self._connect().execute(f"{sql} ORDER BY n DESC, name", values)
        return [(str(row["name"]), row["n"]) for row in found]

    def measures(self) -> tuple[str, ...]:
        """Names of all numbers: of the documents, then of scores and images."""
        rows = self._connect().execute("SELECT name FROM names ORDER BY name")
        return (*COLUMNS, *(name for (name,) in rows))

    def is_of_images(self, measure: str) -> bool:
        """Whether a measure is of images, each of which has its own, and not of documents."""
        sql = (
            "SELECT 1 FROM scores WHERE name = (SELECT id FROM names WHERE name = ?) "
            "AND image != ? LIMIT 1"
        )
        found = self._connect().execute(sql, (measure, DOCUMENT))
        return measure not in COLUMNS and found.fetchone() is not None

    def values(self, measure: str, query: Query | None = None) -> "array[float]":
        """All values of a measure, ascending: one a document, or one for each image that has it."""
        where, values = conditions.where(query or Query())
        if measure in COLUMNS:
            sql = f"SELECT {measure} AS value FROM documents WHERE {where} ORDER BY value"
        else:
            sql = "SELECT value FROM scores WHERE name = (SELECT id FROM names WHERE name = ?)"
            if query:
                sql += f" AND number IN (SELECT number FROM documents WHERE {where})"
            sql, values = f"{sql} ORDER BY value", (measure, *(values if query else ()))
        return array("d", (row["value"] for row in self._connect().execute(sql, values)))

    def close(self) -> None:
        """Closes this thread's connection."""
        _, connection = self._local.__dict__.pop("opened", (None, None))
        if connection is not None:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        """This thread's connection to the file that is there now."""
        before, connection = getattr(self._local, "opened", (None, None))
        if connection is None or before != database.identity(self.file):
            self.close()
            with self._making:
                connection = database.connect(self.file, self._samples.roots)
                self._local.opened = database.identity(self.file), connection
        made: sqlite3.Connection = connection
        return made
