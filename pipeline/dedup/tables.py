"""Tables of a state as parquet files: written and read by workers, a part at a time."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.pvalue import PBegin, PCollection

from openm3w.errors import OutputError
from openm3w.pipeline.dedup.passes import Entry
from openm3w.shards import commit

ENTRIES = pa.schema(
    [
        ("doc_id", pa.string()),
        ("url_key", pa.string()),
        ("text_key", pa.string()),
        ("fetched", pa.string()),
        ("signature", pa.binary()),
        ("image_set", pa.binary()),
    ]
)
"""A document each: the fields of `passes.Entry`, and of its name the id."""

MARKED = pa.schema([("doc_id", pa.string()), ("reason", pa.string()), ("first", pa.string())])
"""A mark each, on a document of any crawl; `first` is an id too."""

COUNTS = pa.schema([("key", pa.binary()), ("count", pa.int64())])
"""How often each key occurs in one crawl."""

_ROW_GROUP = 4096


class WriteTable(beam.PTransform[Any, Any]):
    """Tuples of a schema's columns to `FOLDER/TABLE-00000-of-00008.parquet` and so on.

    A part is sorted in one worker's memory: choose `parts` so that it fits. The first column says
    which part a row is in; the same rows give the same bytes.
    """

    def __init__(self, folder: Path, table: str, schema: pa.Schema, parts: int) -> None:
        super().__init__()
        self._path, self._schema, self._parts = str(folder / table), schema, parts

    def expand(self, rows: PCollection[Any]) -> PCollection[Any]:
        path, schema, parts = self._path, self._schema, self._parts
        empty = rows.pipeline | "Every part" >> beam.Create([(at, None) for at in range(parts)])
        keyed = rows | "Part" >> beam.Map(lambda row: (_part(row[0], parts), tuple(row)))
        return (
            (keyed, empty)
            | beam.Flatten()
            | "Group" >> beam.GroupByKey()
            | "Write"
            >> beam.MapTuple(
                lambda at, some: _write(
                    Path(f"{path}-{at:05d}-of-{parts:05d}.parquet"), schema, some
                )
            )
        )


class ReadTable(beam.PTransform[Any, Any]):
    """Files of one table to its rows as tuples, of all columns or of those named."""

    def __init__(self, files: Sequence[str], columns: Sequence[str] | None = None) -> None:
        super().__init__()
        self._files, self._columns = list(files), list(columns) if columns else None

    def expand(self, begin: PBegin) -> PCollection[Any]:
        return (
            begin.pipeline
            | "Files" >> beam.Create(self._files)
            | "Spread" >> beam.Reshuffle()
            | "Rows" >> beam.FlatMap(_rows, self._columns)
        )


class ReadEntries(ReadTable):
    """Files of entries to `Entry`."""

    def expand(self, begin: PBegin) -> PCollection[Any]:
        return super().expand(begin) | "Entry" >> beam.Map(lambda row: Entry(*row))


def _part(key: Any, parts: int) -> int:
    return zlib.crc32(key if isinstance(key, bytes) else key.encode()) % parts


def _write(path: Path, schema: pa.Schema, rows: Iterable[Any]) -> str:
    ordered = sorted(row for row in rows if row is not None)
    with (
        commit.committed(path) as file,
        pq.ParquetWriter(file, schema, compression="zstd") as writer,
    ):
        for at in range(0, len(ordered), _ROW_GROUP):
            columns = list(zip(*ordered[at : at + _ROW_GROUP], strict=True))
            arrays = [pa.array(c, field.type) for c, field in zip(columns, schema, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return str(path)


def _rows(name: str, columns: list[str] | None) -> Iterator[tuple[Any, ...]]:
    try:
        with pq.ParquetFile(name) as file:
            for batch in file.iter_batches(_ROW_GROUP, columns=columns):
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
    except (OSError, pa.ArrowException) as error:
        raise OutputError(
            f"{name}: missing or damaged ({error}); a new state must be made from its crawl"
        ) from error
