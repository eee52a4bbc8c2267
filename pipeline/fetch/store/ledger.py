"""The ledger: immutable files of rows, one for each unit, and runs that merge many of them.

    rows/ATTEMPT.UNIT.SHA.parquet    the rows of one committed unit: at most some hundred
    merged/RUN-PART.parquet          a run is sorted by key and cut into 2^n even ranges of keys
    runs/RUN.SHA.json                its parts with their hashes, and the names that it supersedes

What is in the ledger is every file that no run supersedes. The set of files only grows before it
shrinks: a merge commits its run first and removes what that supersedes afterwards, so two merges
at once, or one that dies between, leave rows twice and never a row missing.
"""

import functools
import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.errors import OutputError
from openm3w.pipeline.fetch.store.arrays import mask_of, numbers_of
from openm3w.pipeline.fetch.store.blobs import Blobs, Range
from openm3w.pipeline.fetch.store.remembered import SCHEMA, completed, table_of
from openm3w.pipeline.fetch.store.runs import (
    Part,
    Run,
    State,
    bounds_of,
    is_whole,
    run_of,
    state_of,
)

MEND = "mend the store: what the file knew is forgotten, and its URLs are fetched again"
"""What to do about a file of rows that is lost."""
ROWS, RUNS, MERGED = "rows", "runs", "merged"
_TRIES = 8
"""Lists of the store in a row that a merge may outrun before reading gives up (ours)."""
_AT_ONCE = 128
"""Files of rows in memory at a time while their keys are read: some 100 kB each (ours)."""
_FOOTERS = 1024
"""Ends of parts that are kept at hand: some 50 kB each (ours)."""
_MAGIC = b"PAR1"

_Result = TypeVar("_Result")
_Keys = Any  # uint64[N], sorted


class _Ends(NamedTuple):
    """The row groups of a part."""

    first: Any
    """uint64[G], the least key of each."""
    last: Any
    rows: Any
    """int64[G], how many."""


class Ledger:
    """Reads rows: those of some keys, or all in ranges of keys. Not for threads at once."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._runs: dict[str, Run] = {}
        self._keys: dict[str, Any] = {}
        self._footers: dict[str, Any] = {}

    def state(self, *, tolerant: bool = False) -> State:
        """The files of this moment; `tolerant` of damaged lists of runs, which it then names.

        Raises:
            OutputError: the store cannot be read, or a run's list is damaged.
        """
        # Rows first: what a merge removes from them is in a run that is listed afterwards.
        loose = {n: s for n, s in self._blobs.names(ROWS).items() if n.endswith(".parquet")}
        names, again = self._blobs.names(RUNS), self._blobs.names(RUNS)
        # A listing is no snapshot: one that a merge went on beside may miss the new and the old.
        while names.keys() != again.keys():
            names, again = again, self._blobs.names(RUNS)
        runs: dict[str, Run] = {}
        unreadable: dict[str, OutputError] = {}
        for name in names:
            try:
                runs[name] = self._runs.get(name) or self._read_run(name)
            except OutputError as error:
                if not tolerant:
                    raise
                unreadable[name] = error
        self._runs = runs
        return replace(state_of(loose, runs.values()), unreadable=unreadable)

    def steadily(self, read: Callable[[State], _Result], *, tolerant: bool = False) -> _Result:
        """What `read` makes of the state, again on a newer one where a merge took files away.

        Raises:
            OutputError: a file is missing or damaged.
        """
        missing = ""
        for _ in range(_TRIES):
            try:
                return read(self.state(tolerant=tolerant))
            except FileNotFoundError as error:
                missing = str(error)
        raise OutputError(f"{missing}: missing; {MEND}")

    def find(self, keys: _Keys) -> Any:
        """A table with every row of these keys, old ones too.

        Raises:
            OutputError: a file of rows is missing or damaged: what it knew is not known, and is
                not taken for never fetched.
        """
        return self.steadily(lambda s: pa.concat_tables([table_of(()), *self._find(s, keys)]))

    def _find(self, state: State, keys: _Keys) -> Iterator[Any]:
        self._learn(state.loose)
        hits = [name for name in state.loose if _meet(self._keys[name], keys)]
        for table in self.loose_tables(hits):
            yield _having(table, keys)
        for run in state.runs:
            for part, asked in zip(run.parts, _ranges(keys, run.bits), strict=True):
                if part.rows and len(asked):
                    yield self._in_part(part, functools.partial(_read_keys, keys=asked))

    def loose_tables(
        self, names: Iterable[str], columns: Sequence[str] | None = None
    ) -> Iterator[Any]:
        """The tables of these files of units, checked against the hash in their names.

        Raises:
            FileNotFoundError: a file is not there any more.
            OutputError: a file is damaged.
        """
        names = list(names)
        for at in range(0, len(names), _AT_ONCE):
            some = [f"{ROWS}/{name}" for name in names[at : at + _AT_ONCE]]
            for name, data in zip(some, self._blobs.read_ranges(_whole(some)), strict=True):
                if not is_whole(name, data):
                    raise self.damaged(name, "its bytes are not those that were written")
                try:
                    yield _read_table(data, columns)
                except (OSError, pa.ArrowException) as error:
                    raise self.damaged(name, error) from error

    def between(self, part: Part, low: int, high: int, columns: Sequence[str]) -> Any:
        """The rows of a part with keys from `low` to `high`, both included."""

        def read(file: Any, ends: _Ends) -> Any:
            groups = np.flatnonzero((ends.last >= np.uint64(low)) & (ends.first <= np.uint64(high)))
            found = file.read_row_groups(groups.tolist(), columns=list(columns))
            return cut(completed(found, columns), low, high)

        return self._in_part(part, read)

    def _in_part(self, part: Part, read: Callable[[Any, _Ends], Any]) -> Any:
        """What `read` makes of an open part and of the bounds of its row groups."""
        name = f"{MERGED}/{part.name}"
        try:
            if name not in self._footers:
                while len(self._footers) >= _FOOTERS:
                    self._footers.pop(next(iter(self._footers)))
                self._footers[name] = self._footer(name, part)
            footer, ends = self._footers[name]
            with pq.ParquetFile(
                self._blobs.source(name, part.num_bytes),
                metadata=footer,
                pre_buffer=True,
                page_checksum_verification=True,
            ) as file:
                return read(file, ends)
        except FileNotFoundError as error:
            raise FileNotFoundError(self._blobs.where(name)) from error
        except (OSError, pa.ArrowException) as error:
            raise self.damaged(name, error) from error

    def _footer(self, name: str, part: Part) -> tuple[Any, _Ends]:
        """What a part says of itself, by its hash: a wrong bound in it would hide rows."""
        start = part.num_bytes - part.footer_bytes
        (data,) = self._blobs.read_ranges([(name, start, part.num_bytes)])
        if hashlib.sha256(data).hexdigest() != part.footer_sha256:
            raise self.damaged(name, "its end is not that which was written")
        footer = pq.read_metadata(pa.BufferReader(_MAGIC + data))
        groups = [footer.row_group(group) for group in range(footer.num_row_groups)]
        bounds = [group.column(0).statistics for group in groups]
        return footer, _Ends(
            first=np.array([bound.min for bound in bounds], np.uint64),
            last=np.array([bound.max for bound in bounds], np.uint64),
            rows=np.array([group.num_rows for group in groups]),
        )

    def _learn(self, loose: Mapping[str, int]) -> None:
        """Keeps the keys of files of units at hand: 8 bytes a row."""
        self._keys = {name: keys for name, keys in self._keys.items() if name in loose}
        new = [name for name in loose if name not in self._keys]
        for name, table in zip(new, self.loose_tables(new, ["key"]), strict=True):
            self._keys[name] = numbers_of(table.column("key"))

    def _read_run(self, name: str) -> Run:
        data = self._blobs.read(f"{RUNS}/{name}")
        try:
            return run_of(name, data)
        except ValueError as error:
            raise self.damaged(f"{RUNS}/{name}", error) from error

    def is_rows(self, data: bytes) -> bool:
        """Whether bytes are a whole file of rows, by the checksums of its pages."""
        try:
            return bool(_read_table(data, None).schema.equals(SCHEMA))
        except (OSError, pa.ArrowException):
            return False

    def damaged(self, name: str, what: object) -> OutputError:
        """The one line on a damaged file of the ledger."""
        first = next(iter(str(what).splitlines()), "") or type(what).__name__
        return OutputError(f"{self._blobs.where(name)}: damaged ({first}); {MEND}")


def _read_table(data: bytes, columns: Sequence[str] | None) -> Any:
    with pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True) as file:
        # Threads of Arrow let go of `data` when they come to it: at the end of a process that is
        # too late, and Python aborts.
        table = file.read(list(columns) if columns else None, use_threads=False)
        return completed(table, columns or SCHEMA.names)


def _whole(names: Iterable[str]) -> list[Range]:
    return [(name, 0, None) for name in names]


def _ranges(keys: _Keys, bits: int) -> Iterator[_Keys]:
    """Sorted keys, cut into 2^bits even ranges."""
    cuts = np.array([bounds_of(i, bits)[0] for i in range(1 << bits)], np.uint64)
    starts = [*np.searchsorted(keys, cuts), len(keys)]
    return (keys[a:b] for a, b in itertools.pairwise(starts))


def _read_keys(file: Any, ends: _Ends, keys: _Keys) -> Any:
    """The rows of these keys: first only the keys of row groups that may have one are read."""
    at = np.minimum(np.searchsorted(keys, ends.first), len(keys) - 1)
    groups = np.flatnonzero((keys[at] >= ends.first) & (keys[at] <= ends.last))
    found = numbers_of(file.read_row_groups(groups.tolist(), columns=["key"]).column("key"))
    of_row = np.repeat(groups, ends.rows[groups])
    hits = np.unique(of_row[_among(found, keys)])
    return _having(completed(file.read_row_groups(hits.tolist())), keys)


def _among(found: Any, keys: _Keys) -> Any:
    """Which of `found` are in sorted `keys`."""
    at = np.minimum(np.searchsorted(keys, found), len(keys) - 1)
    return keys[at] == found


def _meet(found: Any, keys: _Keys) -> bool:
    return bool(len(found) and _among(found, keys).any())


def _having(table: Any, keys: _Keys) -> Any:
    return table.filter(mask_of(_among(numbers_of(table.column("key")), keys)))


def cut(table: Any, low: int, high: int) -> Any:
    """The rows of a sorted table with keys from `low` to `high`, both included."""
    keys = numbers_of(table.column("key"))
    start = int(np.searchsorted(keys, np.uint64(low)))
    end = int(np.searchsorted(keys, np.uint64(high), side="right"))
    return table.slice(start, end - start)
