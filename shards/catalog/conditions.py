"""A `Query` as the condition of an SQL statement; every value is a parameter."""

import re
from collections.abc import Iterator

from openm3w.shards.catalog.query import COLUMNS, Query
from openm3w.shards.catalog.values import separated

_EXACT = ("kind", "split", "dataset", "language")
_LETTERS = re.compile(r"\w+")

_SCORED = (
    "SELECT number FROM scores WHERE name = (SELECT id FROM names WHERE name = ?) "
    "AND value BETWEEN ? AND ?"
)

Value = str | float


def where(query: Query) -> tuple[str, tuple[Value, ...]]:
    """The condition, and the values of its question marks."""
    parts = list(_parts(query))
    values = tuple(value for _, those in parts for value in those)
    return " AND ".join(sql for sql, _ in parts) or "1", values


def _parts(query: Query) -> Iterator[tuple[str, tuple[Value, ...]]]:
    for name in _EXACT:
        if value := getattr(query, name):
            yield f"{name} = ?", (value,)
    if query.domain:
        name = query.domain.casefold().removeprefix("www.").strip(".")
        yield "(domain = ? OR domain LIKE ? ESCAPE '\\')", (name, f"%.{_escaped(name)}")
    if query.dropped:
        yield "dropped LIKE ? ESCAPE '\\'", (f"%{_escaped(query.dropped)}%",)
    if query.key:
        yield "key LIKE ? ESCAPE '\\'", (f"{_escaped(query.key)}%",)
    for name, bounds in query.ranges:
        if name in COLUMNS:
            yield f"{name} BETWEEN ? AND ?", (bounds.low, bounds.high)
        else:
            yield f"number IN ({_SCORED})", (name, bounds.low, bounds.high)
    if query.words:
        yield "number IN (SELECT rowid FROM words WHERE words MATCH ?)", (_match(query.words),)
    for word in query.without:
        yield "number NOT IN (SELECT rowid FROM words WHERE words MATCH ?)", (_match((word,)),)


def _match(words: tuple[str, ...]) -> str:
    """Every word as the beginning of one, a word of several tokens as a phrase."""
    phrases = [" ".join(_LETTERS.findall(separated(word))) for word in words]
    # A word of signs alone has no tokens; nothing holds it.
    return " AND ".join(f'"{phrase}"*' for phrase in phrases if phrase) or '""'


def _escaped(text: str) -> str:
    return re.sub(r"([%_\\])", r"\\\1", text)
