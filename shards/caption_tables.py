"""Table and statistics beside a shard, as img2dataset 1.47 writes them (writer.py, logger.py)."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.errors import ShardError
from openm3w.shards import commit
from openm3w.shards.captioned import IMG2DATASET_FIELDS

SUCCESS = "success"
"""Status of the rows whose pair is in the tar."""


def names(url: str) -> tuple[str, str]:
    """Where table and statistics of a shard stand, seen from its manifest."""
    stem = url.removesuffix(".tar")
    return f"{stem}.parquet", f"{stem}_stats.json"


def write(
    root: Path, url: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]
) -> dict[str, int]:
    """Commits both files beside the shard `url`, and returns their sizes by URL.

    Args:
        root: Folder of the manifest.
        url: Of the shard, seen from there.
        rows: Of the table, with img2dataset's fields and these columns.
        columns: Further columns, which come first -> their types in Arrow.

    Raises:
        OutputError: the folder cannot be written.
    """
    table, statistics = names(url)
    with commit.committed(root / table) as file:
        pq.write_table(_arrow(rows, columns), file)
    commit.write_json(root / statistics, _statistics(rows), indent=4)
    return {name: (root / name).stat().st_size for name in (table, statistics)}


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a table in order, a row group in memory at a time.

    Raises:
        ShardError: it is no table, or has not the fields `key` and `status`.
    """
    try:
        with path.open("rb") as opened, pq.ParquetFile(opened) as file:
            if missing := {"key", "status"} - set(file.schema_arrow.names):
                lacks = ", ".join(sorted(missing))
                raise ShardError(f"{path}: no table of img2dataset: it has no {lacks}")
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise ShardError(f"{path}: the table is damaged: {error}") from error


def columns_of(paths: Iterable[Path]) -> dict[str, str]:
    """The further columns of all these tables -> their types.

    As in a build, a column is `double` where tables disagree about its number, else text.

    Raises:
        ShardError: one is no table.
    """
    found: dict[str, str] = {}
    for path in paths:
        try:
            with path.open("rb") as opened:
                schema = pq.read_schema(opened)
        except (OSError, pa.ArrowException) as error:
            raise ShardError(f"{path}: the table is damaged: {error}") from error
        for field in schema:
            if field.name not in IMG2DATASET_FIELDS:
                kind = _kind(field.type)
                before = found.setdefault(field.name, kind)
                if before != kind:
                    numbers = not {before, kind} & {"string", "bool"}
                    found[field.name] = "double" if numbers else "string"
    return found


def _kind(kind: pa.DataType) -> str:
    plain = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    return str(kind) if plain else "string"


def _arrow(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> pa.Table:
    kinds = {**columns, **{name: _KINDS.get(name, "string") for name in IMG2DATASET_FIELDS}}
    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in kinds.items()])
    cells = {
        name: [_cell(row.get(name), schema.field(name).type) for row in rows] for name in kinds
    }
    return pa.table(cells, schema=schema)


_KINDS = dict.fromkeys(("width", "height", "original_width", "original_height"), "int32")


def _cell(value: Any, kind: pa.DataType) -> Any:
    """A value as its column takes it; null where a JSONL table changes its mind about a column."""
    if value is None or (pa.types.is_string(kind) and isinstance(value, str)):
        return value
    if pa.types.is_string(kind):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    if not isinstance(value, int | float):
        return None
    if isinstance(value, bool) or pa.types.is_boolean(kind):
        return value if isinstance(value, bool) and pa.types.is_boolean(kind) else None
    try:
        if pa.types.is_floating(kind):
            return float(value)
        return pa.scalar(value, kind).as_py() if isinstance(value, int) else None
    except OverflowError:
        return None


def _statistics(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts; the times are 0, since the same input is to give the same bytes."""
    statuses = Counter(row["status"] for row in rows)
    messages = Counter(row["error_message"] or row["status"] for row in rows)
    return {
        "count": len(rows),
        "successes": statuses[SUCCESS],
        "failed_to_download": statuses["failed_to_download"],
        "failed_to_resize": statuses["failed_to_resize"],
        "duration": 0.0,
        "start_time": 0.0,
        "end_time": 0.0,
        "status_dict": dict(sorted(messages.items())),
    }
