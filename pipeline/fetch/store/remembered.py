"""What is remembered of one URL, as a value and as a row of the ledger; and when it is too old."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from openm3w.pipeline.fetch.outcomes import NOT_NOW, Fetched, Result
from openm3w.pipeline.fetch.settings import Refetch
from openm3w.pipeline.fetch.store.arrays import array_of

TOMBSTONE = "tombstone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered(Result):
    """What became of a URL when it was last asked for, and where its bytes are."""

    url_key: str
    at: str = ""
    """When this was learned: `fetched_at`, or where no answer came the time of writing; UTC."""
    origin: str = ""
    """Attempt and unit that wrote it; of two rows of the same second the greater one counts, which
    is that of the attempt that began later."""
    sha256: str = ""
    """Of the bytes as they came; "" where there are none."""
    pack: str = ""
    offset: int = 0
    length: int = 0


_TYPES: Mapping[object, Any] = {
    int: pa.int64(),
    float: pa.float64(),
    tuple[str, ...]: pa.list_(pa.string()),
}
SCHEMA = pa.schema(
    [
        ("key", pa.uint64()),  # by which files are sorted: `key_of` the url_key
        *((f.name, _TYPES.get(f.type, pa.string())) for f in fields(Remembered)),
    ]
)
"""The columns of a file of rows; no cell is null."""
_LATER = ("wishes",)
"""Columns that the first files had not: a list of nothing, which is what their rows knew of it."""
_LISTS = tuple(field.name for field in SCHEMA if pa.types.is_list(field.type))
_COLUMNS = tuple(f.name for f in fields(Remembered))
_OF_FETCHED = tuple(f.name for f in fields(Fetched) if f.name not in ("url", "data"))


def plain(text: str) -> str:
    """The text with lone surrogates escaped, which URLs and headers have and UTF-8 cannot hold."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def key_of(url_key: str) -> int:
    """The number by which the ledger is sorted and parted: 64 bits of the SHA-256 of a URL's key.

    Keys of two URLs may meet (once in some 10^5 ledgers of 10 million rows); rows are told apart
    by their url_key.
    """
    return int.from_bytes(hashlib.sha256(plain(url_key).encode()).digest()[:8], "big")


def shard_of(url_key: str, shards: int) -> int:
    """Which of `shards` even ranges of keys a URL is in.

    A lookup of many keys of one range reads that part of the ledger alone, and each part once.
    """
    return key_of(url_key) * shards >> 64


def row_of(fetched: Fetched, *, url_key: str, at: str, origin: str) -> dict[str, Any]:
    """The row of what became of a URL; its bytes have no place yet."""
    values = {name: _clean(getattr(fetched, name)) for name in _OF_FETCHED}
    return {
        "key": key_of(url_key),
        "url_key": plain(url_key),
        "url": plain(fetched.url),
        **values,
        "at": at,
        "origin": origin,
        "sha256": "",
        "pack": "",
        "offset": 0,
        "length": 0,
    }


def row_of_known(known: Remembered) -> dict[str, Any]:
    """The row of what is known already."""
    return {"key": key_of(known.url_key), **{name: getattr(known, name) for name in _COLUMNS}}


def remembered_of(row: Mapping[str, Any]) -> Remembered:
    """The value of a row."""
    values = {name: row[name] for name in _COLUMNS}
    return Remembered(**{**values, **{name: tuple(row[name]) for name in _LISTS}})


def table_of(rows: Iterable[Mapping[str, Any]]) -> Any:
    """Rows as a table in the order of their keys."""
    ordered = sorted(rows, key=lambda row: (row["key"], row["url_key"]))
    # A column at a time takes a third of the time of `Table.from_pylist`.
    columns = [array_of([row[field.name] for row in ordered], field.type) for field in SCHEMA]
    return pa.table(columns, schema=SCHEMA)


def completed(table: Any, columns: Sequence[str] = tuple(SCHEMA.names)) -> Any:
    """A table of these columns, in their order, of one that may lack those that came later."""
    for name in set(columns).intersection(_LATER).difference(table.column_names):
        nothing = array_of([()] * table.num_rows, SCHEMA.field(name).type)
        table = table.append_column(SCHEMA.field(name), nothing)
    return table.select(list(columns))


def values_of(table: Any) -> Iterator[Remembered]:
    """The rows of a table, in their order."""
    columns: Sequence[list[Any]] = [table.column(name).to_pylist() for name in _COLUMNS]
    for values in zip(*columns, strict=True):
        named = dict(zip(_COLUMNS, values, strict=True))
        yield Remembered(**{**named, **{name: tuple(named[name]) for name in _LISTS}})


def stale(remembered: Remembered, refetch: Refetch, now: float, older_than_seconds: float) -> bool:
    """Whether a URL that is remembered is to be asked for again.

    `failed` means what was asked and did not come, and what could not be asked at the time: an
    unreachable robots.txt, a long Retry-After. `older-than` means more than so many seconds before
    `now` (POSIX seconds). A tombstone is never stale.
    """
    if remembered.reason == TOMBSTONE or not refetch:
        return False
    if refetch == "failed":
        return remembered.outcome == "failed" or remembered.reason in NOT_NOW
    if refetch == "older-than":
        # What is no date is older than anything.
        return now - seconds_of(remembered.at, float("-inf")) > older_than_seconds
    return True


def moment(now: float) -> str:
    """POSIX seconds as `2026-11-23T05:12:47Z`, whose order is that of time."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(at: str, default: float) -> float:
    """POSIX seconds of an ISO 8601 date, UTC where it names no zone; `default` of anything else."""
    try:
        found = datetime.fromisoformat(at)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return default


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    return [plain(part) for part in value] if isinstance(value, tuple) else value
