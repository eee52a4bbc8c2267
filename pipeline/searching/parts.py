"""Parts of an index on disk: committed file by file, the one that vouches for the others last."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.pipeline.searching.embedding import Embedded
from openm3w.shards import commit
from openm3w.shards.manifest import Manifest
from openm3w.shards.search import folder as layout
from openm3w.shards.search.folder import Part, Side
from openm3w.shards.writer import ShardEntry

# Keys of others may be any bytes; half of a surrogate pair has no UTF-8 form.
_SCHEMA = pa.schema(
    [
        ("image_path", pa.string()),
        ("caption", pa.string()),
        ("url", pa.string()),
        ("key", pa.string()),
        ("picture", pa.int32()),
        ("page_url", pa.string()),
    ]
)


def write(output: Path, embedded: Embedded) -> None:
    """Commits a part; one without rows has no files but its own word that it is done."""
    number = embedded.part.number
    remove(output, number)
    if embedded.part.rows:
        with commit.committed(layout.rows_path(output, number)) as file:
            np.save(file, embedded.rows)
        for side, vectors in embedded.vectors.items():
            with commit.committed(layout.embeddings_path(output, side, number)) as file:
                np.save(file, vectors)
        columns = {
            name: [_storable(value) for value in values]
            for name, values in embedded.columns.items()
        }
        with commit.committed(layout.metadata_path(output, number)) as file:
            pq.write_table(pa.table(columns, schema=_SCHEMA), file)
    commit.write_json(layout.part_path(output, number), asdict(embedded.part))


def _storable(value: str | int) -> str | int:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def remove(output: Path, number: int) -> None:
    """Removes a part, first of all its word that it is whole."""
    for path in layout.part_files(output, number):
        path.unlink(missing_ok=True)


def clear(output: Path) -> None:
    """Removes half-written files of runs that were killed; nobody else may be writing."""
    for folder in {path.parent for path in layout.part_files(output, 0)}:
        for left in folder.glob(".*.tmp"):
            left.unlink(missing_ok=True)


def numbers(output: Path) -> list[int]:
    """Of the parts that there is any file of, in order."""
    folders = {path.parent for path in layout.part_files(output, 0)}
    files = [file for folder in folders if folder.is_dir() for file in folder.iterdir()]
    found = (file.stem.rpartition("_")[2] for file in files if not file.name.startswith("."))
    return sorted({int(digits) for digits in found if digits.isdecimal()})


def current(
    output: Path, number: int, manifest: Manifest, shard: ShardEntry, sides: Iterable[Side]
) -> Part | None:
    """The part that is there, where it is of this shard and of this exclude list."""
    part = layout.read_part(output, number)
    if part is None or part.number != number or part.sha256 != shard.sha256:
        return None
    excluded = frozenset(manifest.exclude)
    if not excluded.issuperset(part.excluded):
        return None
    if not part.rows:
        return part
    files = [layout.embeddings_path(output, side, number) for side in sides]
    files += [layout.rows_path(output, number), layout.metadata_path(output, number)]
    if not all(file.is_file() for file in files):
        return None
    if excluded and not excluded.isdisjoint(_keys(output, number)):
        return None
    return part


def _keys(output: Path, number: int) -> list[str]:
    table = pq.read_table(layout.metadata_path(output, number), columns=["key"])
    keys: list[str] = table.column("key").to_pylist()
    return keys
