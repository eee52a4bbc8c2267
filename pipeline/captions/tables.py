"""Parquet and JSONL tables to rows, each with the same three values."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.errors import InputError
from openm3w.pipeline.captions.columns import Columns, find_columns, own_of, scores_of
from openm3w.pipeline.lines import SUFFIXES, read_lines
from openm3w.pipeline.sources import Source, find_sources

_BATCH = 1024
_PARQUET = b"PAR1"
_LOOKED_AT = 100
"""Lines of a JSONL table whose keys are its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table file and the columns to read from it."""

    source: Source
    columns: Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row as read."""

    number: int
    """From 0; for JSONL that of the line, blank lines counted."""
    url: Any = None
    text: Any = None
    page: Any = None
    scores: Mapping[str, float] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)
    """Values of the columns that samples carry."""
    error: str = ""
    """Why the row could not be read, or ""."""
    detail: str = ""


def find_tables(
    inputs: Iterable[str], *, url: str, text: str, own: Sequence[str] = ()
) -> tuple[Table, ...]:
    """The tables behind files, folders and globs, their columns found; `own` are carried.

    Raises:
        InputError: nothing is there, a named file is no table, or a column is missing.
    """
    found = find_sources(inputs, accepts=is_table, what="Parquet or JSONL table", option="")
    if found.unreadable:
        raise InputError(found.unreadable[0])
    return tuple(
        Table(source=source, columns=_columns(source.path, url, text, own))
        for source in found.archives
    )


def read_rows(table: Table) -> Iterator[Row]:
    """All rows; a damaged table ends with a row that says so."""
    rows = _parquet_rows if _is_parquet(table.source.path) else _jsonl_rows
    return rows(table.source.path, table.columns)


def is_table(path: Path) -> bool:
    """Whether a file is one of ours by its first bytes or its name."""
    return _is_parquet(path) or path.name.lower().endswith(SUFFIXES)


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == _PARQUET


def _columns(path: Path, url: str, text: str, own: Sequence[str]) -> Columns:
    have = _parquet_columns(path) if _is_parquet(path) else _jsonl_columns(path)
    return find_columns(have, url=url, text=text, table=str(path), own=own)


def _parquet_columns(path: Path) -> dict[str, str]:
    """Columns and their types: plain ones as they are, all others as text."""
    try:
        with pq.ParquetFile(path) as file:
            return {field.name: _alias(field.type) for field in file.schema_arrow}
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: not a readable Parquet file: {_line(error)}") from error


def _alias(type_: pa.DataType) -> str:
    is_plain = pa.types.is_integer(type_) or pa.types.is_floating(type_)
    return str(type_) if is_plain or pa.types.is_boolean(type_) else "string"


def _jsonl_columns(path: Path) -> dict[str, str]:
    """Keys of the first lines and their types: numbers, for a later line may have a fraction."""
    names: dict[str, str] = {}
    why = "it has no lines"
    for count, line in enumerate(read_lines(path)):
        for name, value in line.value.items():
            if value is not None:
                names[name] = merged_type({names.get(name, _type_of(value)), _type_of(value)})
            else:
                names.setdefault(name, "string")
        why = line.detail or why
        if count >= _LOOKED_AT:
            break
    if not names:
        raise InputError(f"{path}: no JSON object in its first lines: {why}")
    return names


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "double" if isinstance(value, int | float) else "string"


def merged_type(types: Collection[str]) -> str:
    """The Arrow type that holds all of these: the only one, numbers as `double`, or `string`."""
    if len(set(types)) == 1:
        return next(iter(types))
    return "string" if {"bool", "string"} & set(types) else "double"


def _parquet_rows(path: Path, columns: Columns) -> Iterator[Row]:
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH, columns=columns.names):
                for values in batch.to_pylist():
                    yield _row(number, values, columns)
                    number += 1
    except (OSError, ValueError, pa.ArrowException) as error:
        yield Row(number=number, error="damaged_file", detail=_line(error))


def _jsonl_rows(path: Path, columns: Columns) -> Iterator[Row]:
    for line in read_lines(path):
        if line.error:
            yield Row(number=line.number - 1, error=line.error, detail=line.detail)
        else:
            yield _row(line.number - 1, line.value, columns)


def _row(number: int, values: dict[str, Any], columns: Columns) -> Row:
    return Row(
        number=number,
        url=values.get(columns.url),
        text=values.get(columns.text),
        page=values.get(columns.page) if columns.page else None,
        scores=scores_of(values, columns),
        own=own_of(values, columns),
    )


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
