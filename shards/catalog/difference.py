"""How the documents of two datasets differ, by what is known of each: see `facts`."""

import sqlite3
from array import array
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from openm3w.shards.catalog.facts import Facts

_ONLY = "SELECT number FROM {one}.documents WHERE key NOT IN (SELECT key FROM {other}.documents)"
_BOTH = "main.documents AS a JOIN b.documents AS b ON a.key = b.key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Numbers of documents, ascending, of what was read of both so far."""

    only_first: Sequence[int]
    only_second: Sequence[int]
    differing: Sequence[tuple[int, int]]
    """In both by their key, with other pictures or in another order: number in each."""
    num_same: int
    """In both with the same pictures."""


def difference(first: Facts, second: Facts) -> Difference:
    """Holds two datasets side by side, document by document, by their keys."""
    with closing(sqlite3.connect(first.file)) as connection:
        connection.execute("ATTACH ? AS b", (str(second.file),))

        def numbers(one: str, other: str) -> Sequence[int]:
            rows = connection.execute(_ONLY.format(one=one, other=other) + " ORDER BY number")
            return array("Q", (number for (number,) in rows))

        differing = connection.execute(
            f"SELECT a.number, b.number FROM {_BOTH} WHERE a.pictures != b.pictures ORDER BY 1, 2"
        ).fetchall()
        (num_both,) = connection.execute(f"SELECT count(*) FROM {_BOTH}").fetchone()
        return Difference(
            only_first=numbers("main", "b"),
            only_second=numbers("b", "main"),
            differing=differing,
            num_same=num_both - len(differing),
        )
