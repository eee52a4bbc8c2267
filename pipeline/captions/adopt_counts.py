"""A shard that others wrote, held against what stands beside it.

img2dataset calls a shard done when its statistics exist, whole or not, and writes the tar in
place. webdataset's own writer says nothing of a shard but the tar's end.
"""

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.pipeline.captions.adopt_tar import Contents, UnfitShardError
from openm3w.shards import commit
from openm3w.shards.funnel import Stage
from openm3w.shards.writer import index_bytes

_COUNTS = ("count", "failed_to_download", "failed_to_resize")
_END = 1024
"""Bytes of zeros after the last member: POSIX, pax, "ustar Interchange Format"."""


def check_counts(tar: Path, nsamples: int, *, described: bool) -> Stage:
    """Holds the number of samples against `_stats.json` and the table beside the tar.

    `described`: whether some shard of the folder has one of the two, so that all must.

    Raises:
        UnfitShardError: they differ; or neither is there, and the tar has no end or others have
            them.
    """
    stats, statuses = _stats(tar), _statuses(tar.with_suffix(".parquet"))
    if stats is None and statuses is None:
        _check_alone(tar, described=described)
        return Stage(job="webdataset", unit="rows", entered=nsamples, kept=nsamples)
    said = {
        f"{tar.stem}_stats.json": nsamples if stats is None else stats["successes"],
        f"{tar.stem}.parquet": nsamples if statuses is None else statuses.get("success", 0),
    }
    for name, count in said.items():
        if count != nsamples:
            message = f"{tar}: {nsamples} samples, {name} says {count}: damaged"
            raise UnfitShardError("damaged", message)
    return _stage(stats, statuses, nsamples)


def is_described(tar: Path) -> bool:
    """Whether img2dataset's table or statistics stand beside a tar."""
    return tar.with_suffix(".parquet").is_file() or _stats_path(tar).is_file()


def beside(tar: Path) -> tuple[Path, ...]:
    """The files that decide what a shard is found to be."""
    return (tar, tar.with_suffix(".parquet"), _stats_path(tar))


def write_index(tar: Path, contents: Contents, *, can_write: bool = True) -> None:
    """Commits the index beside a tar, unless it is there; or leaves it out, if it cannot.

    Raises:
        UnfitShardError: an index of another tar is there and cannot be replaced.
        OutputError: the folder of the tar cannot be written.
    """
    data = index_bytes(contents.offsets)
    path = index_path(tar)
    if path.is_file() and path.read_bytes() == data:
        return
    if can_write:
        with commit.committed(path, option="DIR") as file:
            file.write(data)
    elif os.path.lexists(path):
        # Readers would go by it.
        message = f"{path}: is no index of its tar, and the folder cannot be written"
        raise UnfitShardError("damaged", message, "remove it, or let the folder be written")


def index_path(tar: Path) -> Path:
    """Where the index of a tar stands."""
    return tar.with_name(f"{tar.name}.idx")


def _check_alone(tar: Path, *, described: bool) -> None:
    beside_it = f"neither {tar.stem}_stats.json nor {tar.stem}.parquet is beside it"
    if described:
        raise UnfitShardError(
            "unfinished", f"{tar}: {beside_it}, as beside others of the folder: not finished"
        )
    with tar.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _END))
        if size < _END or file.read().strip(b"\0"):
            raise UnfitShardError("damaged", f"{tar}: {beside_it}, and the tar has no end: cut off")


def _stats_path(tar: Path) -> Path:
    return tar.with_name(f"{tar.stem}_stats.json")


def _stats(tar: Path) -> dict[str, Any] | None:
    path = _stats_path(tar)
    if not path.exists():
        return None
    value = commit.read_json(path)
    counts = [(value or {}).get(name, 0) for name in _COUNTS]
    if not all(isinstance(count, int) for count in (*counts, (value or {}).get("successes"))):
        message = f"{path}: does not parse, so its shard was not finished"
        raise UnfitShardError("unfinished", message)
    return value


def _statuses(path: Path) -> dict[str, int] | None:
    """Rows of a shard's table by status."""
    if not path.is_file():
        return None
    try:
        with pq.ParquetFile(path) as file:
            if "status" not in file.schema_arrow.names:
                raise UnfitShardError(
                    "not_captions",
                    f"{path}: has no column 'status'",
                    "is it img2dataset's? else move it elsewhere",
                )
            values = file.read(columns=["status"])["status"].value_counts().to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise UnfitShardError("damaged", f"{path}: not a readable Parquet file: damaged") from error
    return {str(value["values"]): value["counts"] for value in values}


def _stage(stats: dict[str, Any] | None, statuses: dict[str, int] | None, nsamples: int) -> Stage:
    if statuses is not None:
        failed = {name: count for name, count in statuses.items() if name != "success"}
    else:
        count, *failures = ((stats or {}).get(name, 0) for name in _COUNTS)
        failed = dict(zip(_COUNTS[1:], failures, strict=True))
        # img2dataset's own sums do not always add up; what it lost is said rather than hidden.
        lost = count - nsamples - sum(failed.values())
        failed["not_accounted_for"] = max(0, lost)
    failed = {name: count for name, count in failed.items() if count}
    entered = nsamples + sum(failed.values())
    return Stage(job="img2dataset", unit="rows", entered=entered, kept=nsamples, failed=failed)
