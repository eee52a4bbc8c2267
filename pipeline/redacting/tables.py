"""Tables of a store without some rows, or with others in their place; and sidecars that say so.

A table is written anew beside itself and renamed, its sidecar after it from what the table holds:
whatever of this was done before, the same call ends it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.errors import OutputError
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.shards import commit, funnel

_ROW_GROUP = 512
"""As `openm3w.pipeline.store` writes them."""

Row = dict[str, Any]
Change = Callable[[Row], Row | None]
"""A row as it is to stand, or None where it goes."""


def rewrite(path: Path, change: Change) -> int:
    """Commits a table with its rows changed; how many were, 0 where it stays as it is.

    Raises:
        OutputError: it is damaged, or the store cannot be written.
    """
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            rows = [row for batch in file.iter_batches(_ROW_GROUP) for row in batch.to_pylist()]
    except FileNotFoundError:
        return 0
    except (OSError, pa.ArrowException) as error:
        raise OutputError(
            f"{path}: damaged ({error}); remove it and run the same command again"
        ) from error
    changed = [change(dict(row)) for row in rows]
    number = sum(new != old for new, old in zip(changed, rows, strict=True))
    if number:
        left = [row for row in changed if row is not None]
        with (
            commit.committed(path, option="--store") as out,
            pq.ParquetWriter(out, schema, compression="zstd") as writer,
        ):
            for at in range(0, len(left), _ROW_GROUP):
                some = pa.Table.from_pylist(left[at : at + _ROW_GROUP], schema=schema)
                writer.write_table(some)
    return number


def read(path: Path, columns: Iterable[str]) -> list[Row]:
    """Some columns of a table; no rows where it is not there."""
    try:
        return list(pq.read_table(path, columns=list(columns)).to_pylist())
    except FileNotFoundError:
        return []
    except (OSError, pa.ArrowException) as error:
        raise OutputError(f"{path}: damaged ({error}); remove it and run again") from error


def recount(path: Path, counts: Callable[[dict[str, Any]], Mapping[str, Any]]) -> None:
    """Commits a sidecar with other counts, where they are others.

    Raises:
        OutputError: the store cannot be written.
    """
    value = commit.read_json(path)
    if value is None or "counts" not in value:
        return
    now = dict(counts(dict(value["counts"])))
    if now != value["counts"]:
        commit.write_json(path, {**value, "counts": now})


def with_stages(counts: Mapping[str, Any], *stages: Mapping[str, Any]) -> dict[str, Any]:
    """Counts with these stages in the place of those of the same unit."""
    by_unit = {stage["unit"]: dict(stage) for stage in stages}
    before = counts.get("stages", ())
    return {**counts, "stages": [by_unit.get(stage["unit"], stage) for stage in before]}


def kept_now(counts: Mapping[str, Any], unit: str, kept: int) -> dict[str, Any]:
    """Counts of a unit of which so many are kept now: those that are not any more are buried."""
    (stage,) = (stage for stage in counts["stages"] if stage["unit"] == unit)
    others = {name: n for name, n in stage["dropped"].items() if name != TOMBSTONE}
    buried = stage["entered"] - kept - sum(others.values()) - sum(stage["failed"].values())
    dropped = {**others, **({TOMBSTONE: buried} if buried else {})}
    told = {**stage, "kept": kept, "dropped": dict(sorted(dropped.items()))}
    funnel.from_json(told).check()
    return with_stages(counts, told)


def without_errors(counts: Mapping[str, Any], tombstones: Tombstones) -> dict[str, Any]:
    """Counts whose examples of errors name nothing that is buried."""
    found = dict(counts)
    for name in ("errors", "damage"):
        if isinstance(some := found.get(name), list):
            found[name] = [each for each in some if not _names(each, tombstones)]
    if isinstance(hosts := found.get("hosts"), dict):
        told = [
            {**host, "domain": ""} if _is_buried(host["domain"], tombstones) else host
            for host in hosts["hosts"]
        ]
        found["hosts"] = {**hosts, "hosts": told}  # sums over all hosts stay
    return found


def without_domains(value: Any, tombstones: Tombstones) -> Any:
    """JSON without the keys and lists' entries that name a buried address or domain."""
    if isinstance(value, dict):
        return {
            key: without_domains(each, tombstones)
            for key, each in value.items()
            if not _is_buried(key, tombstones)
        }
    if isinstance(value, list):
        return [without_domains(each, tombstones) for each in value if not _names(each, tombstones)]
    return value


def _names(value: Any, tombstones: Tombstones) -> bool:
    """Whether JSON says the name of something that is buried, in a text or in a short list."""
    if isinstance(value, str):
        return any(_is_buried(word.strip("()[]<>,;:'\""), tombstones) for word in value.split())
    if isinstance(value, list):
        return any(isinstance(each, str) and _names(each, tombstones) for each in value)
    return isinstance(value, dict) and any(
        isinstance(each, str) and _names(each, tombstones) for each in value.values()
    )


def _is_buried(text: str, tombstones: Tombstones) -> bool:
    if "://" in text:
        return tombstones.covers(text)
    return "." in text and "/" not in text and tombstones.covers(f"http://{text}/")


def loads(cell: str | None) -> Any:
    """The JSON of a cell; None of an empty one."""
    return json.loads(cell) if cell else None
