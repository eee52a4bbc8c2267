"""Parquet to rows: only the columns asked for, in batches, whatever the size of a row group."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.errors import InputError
from openm3w.pipeline.remote import BLOCK_BYTES, File
from openm3w.pipeline.tables.columns import TWICE, is_bytes, is_list, type_name
from openm3w.pipeline.tables.rows import Cells, one_line

MAX_BATCH_ROWS = 1024
MAX_BATCH_BYTES = 32 << 20
"""Of values before they become Python's, by what the file says of the row group (ours)."""

_LOCAL_BUFFER = 1 << 20
_DAMAGE = (OSError, ValueError, pa.ArrowException)
_UNREADABLE = (ValueError, OverflowError, pa.ArrowException)
"""What a text that is not UTF-8 and a date beyond all calendars raise."""


def column_types(file: File) -> dict[str, str]:
    """The columns of a table, and what their values are read as (`columns.type_name`).

    Raises:
        InputError: it is no Parquet file, or its footer is damaged.
    """
    try:
        with _opened(file) as table:
            fields = list(table.schema_arrow)
    except _DAMAGE as error:
        raise InputError(f"{file}: not a readable Parquet file: {one_line(error)}") from error
    count = Counter(field.name for field in fields)
    return {f.name: type_name(f.type) if count[f.name] == 1 else TWICE for f in fields}


def read_parquet(
    file: File, columns: Sequence[str], texts: Collection[str] = ()
) -> Iterator[Cells]:
    """The rows of a table; of a damaged row group those before the damage.

    Bytes in the columns `texts` are read as UTF-8.
    """
    number = 0
    try:
        with _opened(file) as table:
            for group in range(table.num_row_groups):
                yield from _group(table, group, number, columns, texts)
                number += table.metadata.row_group(group).num_rows
    except _DAMAGE as error:
        yield Cells(number=number, error="damaged_file", detail=one_line(error))


@contextmanager
def _opened(file: File) -> Iterator[Any]:
    # With a buffer a column is read piece by piece, without one a whole row group of it at once.
    if isinstance(file, Path):
        with pq.ParquetFile(file, buffer_size=_LOCAL_BUFFER) as table:
            yield table
        return
    with file.ranged() as stream, pq.ParquetFile(stream, buffer_size=BLOCK_BYTES) as table:
        yield table


def _group(
    table: Any, group: int, first: int, columns: Sequence[str], texts: Collection[str]
) -> Iterator[Cells]:
    about = table.metadata.row_group(group)
    done = 0
    try:
        # Not threads: workers share the cores, and what takes the time is Python's values.
        batches = table.iter_batches(
            _batch_rows(about, columns),
            row_groups=[group],
            columns=list(columns),
            use_threads=False,
        )
        for batch in batches:
            yield from _rows(_as_texts(batch, texts), first + done)
            done += batch.num_rows
    except _DAMAGE as error:
        if lost := about.num_rows - done:
            detail = one_line(error)
            yield Cells(number=first + done, error="damaged_file", detail=detail, count=lost)


def _batch_rows(about: Any, columns: Sequence[str]) -> int:
    chunks = (about.column(at) for at in range(about.num_columns))
    size = sum(c.total_uncompressed_size for c in chunks if _root(c) in columns)
    return max(1, min(MAX_BATCH_ROWS, MAX_BATCH_BYTES * about.num_rows // max(1, size)))


def _root(chunk: Any) -> str:
    return str(chunk.path_in_schema).partition(".")[0]


def _as_texts(batch: Any, texts: Collection[str]) -> Any:
    columns = zip(batch.schema.names, batch.columns, strict=True)
    arrays = [_as_text(values) if name in texts else values for name, values in columns]
    return pa.RecordBatch.from_arrays(arrays, batch.schema.names) if arrays else batch


def _as_text(column: Any) -> Any:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if is_bytes(column.type):
        # A view looks at no byte: what is not UTF-8 fails where its row is read.
        return column.cast(pa.large_binary()).view(pa.large_string())
    if is_list(column.type) and is_bytes(column.type.value_type):
        inner = pa.large_list(pa.large_binary())
        return column.cast(inner).view(pa.large_list(pa.large_string()))
    return column


def _rows(batch: Any, first: int) -> Iterator[Cells]:
    try:
        values = batch.to_pylist()
    except _UNREADABLE:
        for at in range(batch.num_rows):
            yield _row(batch.slice(at, 1), first + at)
        return
    for at, value in enumerate(values):
        yield Cells(number=first + at, values=value)


def _row(one: Any, number: int) -> Cells:
    try:
        return Cells(number=number, values=one.to_pylist()[0])
    except UnicodeDecodeError as error:
        return Cells(number=number, error="not_utf8", detail=str(error)[:100])
    except _UNREADABLE as error:
        return Cells(number=number, error="unreadable_value", detail=one_line(error))
