"""Rows of the tables that others publish: Parquet and JSON lines, plain, `.gz` or in a `.zip`.

A row at a time, so that memory does not grow with the file. Nothing is decoded but JSON and Arrow's
own types, never a pickle.
"""

import contextlib
import gzip
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from openm3w.errors import InputError, MissingError
from openm3w.shards import commit
from openm3w.shards.interop.rows import Left

SUFFIXES = (".jsonl", ".jsonl.gz", ".json.gz", ".ndjson", ".jsonl.zip", ".parquet")

MAX_LINE = 256 << 20
"""Bytes of one row: a document with the images of a page in base64 is far below."""
_ENCRYPTED = 1
"""Of the flags of a member: APPNOTE.TXT of PKWARE, section 4.4.4, bit 0."""
_PARQUET_ROWS = 64
"""Read or written at a time; a row may hold images."""


Rows = Iterable[Mapping[str, Any] | Left]


class _Lines(Protocol):
    def readline(self, size: int = -1, /) -> bytes: ...


def read(path: Path, columns: Sequence[str]) -> Iterator[Mapping[str, Any] | Left]:
    """The rows of a table; of Parquet these columns only, those that it has.

    Raises:
        InputError: the file is damaged.
        MissingError: it is Parquet, and pyarrow is not installed.
    """
    if path.name.endswith(".parquet"):
        yield from _parquet_rows(path, columns)
        return
    try:
        with contextlib.ExitStack() as stack:
            for file in _opened(path, stack):
                yield from _lines(file)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError(f"{path}: damaged, or cannot be read: {error}; fetch it again") from error


def write_lines(path: Path, values: Iterable[Mapping[str, Any]]) -> None:
    """Commits JSON lines, in UTF-8 without escapes.

    Raises:
        OutputError: the file cannot be written.
    """
    with commit.committed(path) as file:
        for value in values:
            line = json.dumps(value, ensure_ascii=False, allow_nan=False)
            file.write(line.encode("utf-8", "replace") + b"\n")


def write_parquet(
    path: Path, schema: Sequence[tuple[str, str]], values: Iterable[Mapping[str, Any]]
) -> None:
    """Commits a Parquet table with Snappy, as HF and NeMo Curator write theirs.

    Args:
        path: The file.
        schema: Names of columns, and their types: an alias of Arrow's, `list<...>` of one, or
            `scores`, a map from names to numbers.
        values: Its rows.

    Raises:
        MissingError: pyarrow is not installed.
        OutputError: the file cannot be written.
    """
    arrow = pyarrow()
    import pyarrow.parquet as pq

    fields = arrow.schema([(name, _kind(arrow, kind)) for name, kind in schema])
    with commit.committed(path) as file, pq.ParquetWriter(file, fields) as writer:
        batch: list[Mapping[str, Any]] = []
        for value in values:
            batch.append(value)
            if len(batch) == _PARQUET_ROWS:
                writer.write_table(_table(arrow, batch, fields))
                batch.clear()
        if batch:
            writer.write_table(_table(arrow, batch, fields))


def pyarrow() -> Any:
    """The pyarrow package, which the core of OpenM3W does without.

    Raises:
        MissingError: it is not installed.
    """
    try:
        import pyarrow as arrow
    except ImportError as error:
        raise MissingError(
            "Parquet needs the pyarrow package; pip install 'openm3w[formats]'"
        ) from error
    return arrow


def _kind(arrow: Any, kind: str) -> Any:
    if kind == "scores":
        return arrow.map_(arrow.string(), arrow.float64())
    if kind.startswith("list<"):
        return arrow.list_(_kind(arrow, kind.removeprefix("list<").removesuffix(">")))
    return arrow.type_for_alias(kind)


def _table(arrow: Any, rows: Sequence[Mapping[str, Any]], schema: Any) -> Any:
    clean = [{name: _utf8(value) for name, value in row.items()} for row in rows]
    return arrow.Table.from_pylist(clean, schema=schema)


def _utf8(value: Any) -> Any:
    """Text without halves of surrogate pairs, which Arrow does not take."""
    if isinstance(value, str) and not value.isascii():
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_utf8(item) for item in value]
    return value


def groups(path: Path) -> tuple[list[str], list[int]]:
    """Names of the columns of a Parquet table, and how many rows each of its row groups has.

    Raises:
        InputError: the file is damaged.
        MissingError: pyarrow is not installed.
    """
    with _parquet(path) as file:
        about = file.metadata
        sizes = [about.row_group(at).num_rows for at in range(about.num_row_groups)]
        return list(file.schema_arrow.names), sizes


def group_rows(path: Path, group: int, columns: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The rows of one row group of a Parquet table, these columns only.

    Raises:
        InputError: the file is damaged.
    """
    with _parquet(path) as file:
        yield from _rows_of(file, path, columns, row_groups=[group])


def _parquet_rows(path: Path, columns: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    with _parquet(path) as file:
        yield from _rows_of(file, path, columns)


def _rows_of(
    file: Any, path: Path, columns: Sequence[str], **which: Any
) -> Iterator[Mapping[str, Any]]:
    names = file.schema_arrow.names
    wanted = [name for name in columns or names if name in names]
    if columns and not wanted:
        raise InputError(
            f"{path}: has none of the columns {', '.join(columns)}; it has {', '.join(names[:20])}"
        )
    for batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=wanted, **which):
        yield from batch.to_pylist()


@contextlib.contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    arrow = pyarrow()
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (arrow.ArrowException, OSError) as error:
        raise InputError(f"{path}: no Parquet file, or damaged: {error}") from error


def _opened(path: Path, stack: contextlib.ExitStack) -> Iterator[_Lines]:
    """The streams of JSON lines in a file: one, but for `.zip`, as MMC4 is published."""
    if path.name.endswith(".zip"):
        archive = stack.enter_context(zipfile.ZipFile(path))
        for name in sorted(archive.namelist()):
            if name.endswith(".jsonl"):
                if archive.getinfo(name).flag_bits & _ENCRYPTED:
                    raise InputError(f"{path}: {name} in it is encrypted; unpack it first")
                yield stack.enter_context(archive.open(name))
    elif path.name.endswith(".gz"):
        yield stack.enter_context(gzip.GzipFile(path))
    else:
        yield stack.enter_context(path.open("rb"))


def _lines(file: _Lines) -> Iterator[Mapping[str, Any] | Left]:
    while line := file.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            while line and not line.endswith(b"\n"):
                line = file.readline(MAX_LINE)
            yield Left(reason="too_large")
        elif line.strip():
            yield json_object(line)


def json_object(data: bytes) -> Mapping[str, Any] | Left:
    """The object in a line or a member; numbers that JSON does not have are null."""
    try:
        value = json.loads(data, parse_constant=lambda _: None)
    except (ValueError, RecursionError):
        return Left(reason="not_json")
    return value if isinstance(value, dict) else Left(reason="not_json")
