"""Many files of rows made few: sorted runs of parts, of which a lookup reads what it needs.

Runs grow geometrically: a merge takes the runs that are small beside it, so that a row is written
some four times on its way to ten million, and a lookup meets a handful of runs.
"""

import hashlib
import io
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.pipeline.fetch.store.arrays import mask_of
from openm3w.pipeline.fetch.store.blobs import Blobs
from openm3w.pipeline.fetch.store.contents import PACKS
from openm3w.pipeline.fetch.store.ledger import MERGED, ROWS, RUNS, Ledger, cut
from openm3w.pipeline.fetch.store.remembered import SCHEMA, table_of
from openm3w.pipeline.fetch.store.runs import Part, Run, State, bounds_of, named, run_json

PART_ROWS = 1 << 16
"""Rows in a part at most, on average: some 10 MB, a few seconds of a lost worker (ours)."""
GROUP_ROWS = 1 << 10
"""Rows read for one key: some 100 kB, as a part's footer has then (ours)."""
MIN_FILES = 64
"""Files of units below which a merge is not worth it: each costs a lookup one read, once (ours)."""
MAX_FILES = 1024
"""Files of units merged at once: half a million rows, some 600 MB in memory (ours)."""
_GROWTH = 4
"""A run joins a merge that has a quarter of its rows: log4 N runs, and as many writes of a row."""

_ABANDONED = 86_400.0
"""Seconds; no unit takes a day (ours)."""
_ORDER = ("key", "url_key", "at", "origin")
_REPEATED = [
    name
    for name in SCHEMA.names
    if name not in ("key", "url_key", "url", "final_url", "seconds", "etag", "sha256", "offset")
]
"""Columns of which most values are another row's too."""
_Rows = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacted:
    """What a merge did, in files of the ledger and in rows."""

    files_before: int
    files_after: int
    rows: int
    """In the new run; 0 where there was too little to merge."""


def to_merge(loose_rows: int, runs: Sequence[Run], *, full: bool = False) -> list[Run]:
    """The runs that join a merge of so many loose rows, the smallest first."""
    chosen, rows = [], loose_rows
    for run in sorted(runs, key=lambda run: (run.rows, run.name)):
        if not full and run.rows > _GROWTH * rows:
            break
        chosen.append(run)
        rows += run.rows
    return chosen


def bits_for(rows: int) -> int:
    """How many first bits of a key cut so many rows into parts of at most `PART_ROWS`."""
    return (max(rows - 1, 0) // PART_ROWS).bit_length()


def slices(ledger: Ledger, state: State, columns: Sequence[str]) -> Iterator[_Rows]:
    """The latest row of every URL in a state, in order of keys, one range of keys at a time.

    `columns` must have those that say which row is the latest: key, url_key, at, origin.

    Raises:
        FileNotFoundError: a merge removed a file since the state was taken.
        OutputError: a file is damaged.
    """
    loose = _loose(ledger, state, columns)
    bits = bits_for(loose.num_rows + sum(run.rows for run in state.runs))
    for index in range(1 << bits):
        low, high = bounds_of(index, bits)
        pieces = [cut(loose, low, high)]
        for run in state.runs:
            shift = bits - run.bits
            inside = (
                run.parts[index >> shift : (index >> shift) + 1]
                if shift >= 0
                else run.parts[index << -shift : (index + 1) << -shift]
            )
            some = (part for part in inside if part.rows)
            pieces.extend(ledger.between(part, low, high, columns) for part in some)
        yield latest(pa.concat_tables(pieces))


def latest(rows: _Rows) -> _Rows:
    """One row for each URL: the one learned last; of the same second, of the greater origin."""
    import pyarrow.compute as pc  # what only fetches does not merge

    rows = rows.take(pc.sort_indices(rows, [(name, "ascending") for name in _ORDER]))
    if rows.num_rows < 2:
        return rows
    urls = rows.column("url_key").combine_chunks()
    last = pc.not_equal(urls[:-1], urls[1:])
    return rows.filter(pa.chunked_array([last, mask_of([True])]).combine_chunks())


def compact(
    blobs: Blobs, ledger: Ledger, *, min_files: int = MIN_FILES, full: bool = False
) -> Compacted:
    """Merges loose files, and the runs that are small beside them, into a new run.

    Safe beside writers, readers and other merges; `full` merges everything.

    Raises:
        OutputError: the store cannot be read or written, or a file of rows is damaged.
    """

    def merge(state: State) -> Compacted:
        _clear(blobs, state)
        before = len(state.loose) + sum(_num_files(run) for run in state.runs)
        nothing = Compacted(files_before=before, files_after=before, rows=0)
        if len(state.loose) < min_files and not (full and len(state.loose) + len(state.runs) > 1):
            return nothing
        loose = dict(list(state.loose.items())[:MAX_FILES])
        part = State(loose=loose, runs=())
        num_loose = _loose(ledger, part, ["key"]).num_rows
        taken = State(loose=loose, runs=tuple(to_merge(num_loose, state.runs, full=full)))
        run = _written(blobs, ledger, taken)
        _clear(blobs, State(loose={}, runs=(), done=taken.runs, done_loose=tuple(taken.loose)))
        removed = len(taken.loose) + sum(_num_files(old) for old in taken.runs)
        return Compacted(
            files_before=before, files_after=before - removed + _num_files(run), rows=run.rows
        )

    return ledger.steadily(merge)


def sweep(blobs: Blobs) -> None:
    """Removes what attempts that were killed left half written, a day after they last wrote."""
    for folder in (PACKS, ROWS, RUNS, MERGED):
        blobs.sweep(folder, older_than_seconds=_ABANDONED)


def _written(blobs: Blobs, ledger: Ledger, taken: State) -> Run:
    """Commits a run of the rows of these files, its parts first."""
    name = uuid.uuid4().hex
    parts: list[Part] = []
    for rows in slices(ledger, taken, SCHEMA.names):
        parts.append(write_part(blobs, f"{name}-{len(parts):05d}.parquet", rows))
    run = named(name, parts, [*taken.loose, *(run.name for run in taken.runs)])
    blobs.put(f"{RUNS}/{run.name}", run_json(run))
    return run


def write_part(blobs: Blobs, name: str, rows: _Rows) -> Part:
    """Commits a part of a run; nothing where it has no rows."""
    if not rows.num_rows:
        return Part()
    data = parquet(rows, group_rows=GROUP_ROWS)
    blobs.put(f"{MERGED}/{name}", data)
    footer_bytes = int.from_bytes(data[-8:-4], "little") + 8  # its length and PAR1 end the file
    return Part(
        name=name,
        rows=rows.num_rows,
        num_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        footer_bytes=footer_bytes,
        footer_sha256=hashlib.sha256(data[-footer_bytes:]).hexdigest(),
    )


def parquet(rows: _Rows, *, group_rows: int) -> bytes:
    """Rows as a parquet file with a checksum on each page."""
    sink = io.BytesIO()
    pq.write_table(
        rows,
        sink,
        row_group_size=group_rows,
        compression="zstd",
        use_dictionary=_REPEATED,
        write_statistics=["key"],  # of a unit's file they would be a third
        write_page_checksum=True,
    )
    return sink.getvalue()


def _clear(blobs: Blobs, state: State) -> None:
    """Removes what runs supersede: a run's list last, which says what its parts are."""
    blobs.remove(f"{ROWS}/{name}" for name in state.done_loose)
    kept = {part.name for run in state.runs for part in run.parts}  # a mended run keeps its parts
    for run in state.done:
        parts = (part.name for part in run.parts if part.rows)
        blobs.remove(f"{MERGED}/{name}" for name in parts if name not in kept)
        blobs.remove([f"{RUNS}/{run.name}"])


def _loose(ledger: Ledger, state: State, columns: Sequence[str]) -> _Rows:
    """The rows of loose files in order of keys."""
    tables = list(ledger.loose_tables(state.loose, list(columns)))
    return pa.concat_tables([table_of(()).select(list(columns)), *tables]).sort_by("key")


def _num_files(run: Run) -> int:
    return 1 + sum(part.rows > 0 for part in run.parts)
