"""Tables to rows, each with the same values: image, captions, page and scores."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openm3w.errors import InputError
from openm3w.pipeline.captions.columns import Columns, find_columns, own_of, scores_of
from openm3w.pipeline.sources import Source, find_sources
from openm3w.pipeline.tables import forms
from openm3w.pipeline.tables.columns import merged_type
from openm3w.pipeline.tables.rows import Cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table file and the columns to read from it."""

    source: Source
    columns: Columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row as read, or rows that could not be."""

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
    count: int = 1
    """Rows that `error` took."""


def find_tables(
    inputs: Iterable[str], *, url: str, text: str, own: Sequence[str] = ()
) -> tuple[Table, ...]:
    """The tables behind files, folders, globs and URIs, their columns found; `own` are carried.

    Raises:
        InputError: nothing is there, a named file is no table, or a column is missing.
        MissingError: the package for the protocol of a URI is not installed.
    """
    found = find_sources(
        inputs,
        accepts=forms.is_table,
        remote=forms.is_remote_table,
        what=forms.WHAT,
        option="",
    )
    if found.unreadable:
        raise InputError(found.unreadable[0])
    have = forms.columns_of_all(source.file for source in found.archives)
    return tuple(
        Table(
            source=source,
            columns=find_columns(types, url=url, text=text, table=source.file, own=own),
        )
        for source, types in zip(found.archives, have, strict=True)
    )


def column_types(tables: Iterable[Table]) -> dict[str, str]:
    """The columns that samples of any table carry -> an Arrow type that holds the values of all."""
    found: dict[str, set[str]] = {}
    for table in tables:
        for name, kind in table.columns.own.items():
            found.setdefault(name, set()).add(kind)
    return {name: merged_type(kinds) for name, kinds in found.items()}


def read_rows(table: Table) -> Iterator[Row]:
    """All rows; what is damaged is a row that says so."""
    for cells in forms.read_table(table.source.file, table.columns.names):
        yield _row(cells, table.columns)


def _row(cells: Cells, columns: Columns) -> Row:
    if cells.error:
        return Row(number=cells.number, error=cells.error, detail=cells.detail, count=cells.count)
    values = cells.values
    return Row(
        number=cells.number,
        url=values.get(columns.url),
        text=values.get(columns.text),
        page=values.get(columns.page) if columns.page else None,
        scores=scores_of(values, columns),
        own=own_of(values, columns),
    )
