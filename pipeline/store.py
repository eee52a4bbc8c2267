"""`out.work/`: what the jobs commit and later runs reuse.

A unit of work commits one table (parquet) and then a sidecar (JSON). The sidecar holds the unit's
counts, the seconds it took, and a fingerprint of what it was made from: this job's part of the
recipe and the fingerprints of its parents. A unit whose sidecar has the fingerprint that the run
expects is done; that is all that resuming is. Units of different fingerprints stand in different
folders: none ever replaces another's table, so that a crash or a second recipe between table and
sidecar cannot put one's rows behind the other's promise.
"""

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from openm3w.errors import OutputError
from openm3w.shards import commit

_TABLE = b"openm3w.table"
"""Key in a table's metadata: which table of which unit it is, and of what that was made."""

_ROW_GROUP = 512  # rows in memory at a time; a page's row is some 10 kB


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One job's folder in the store."""

    root: Path
    fingerprint: str
    """What its units must have been made from."""

    @classmethod
    def of(cls, job: Path, fingerprint: str) -> Self:
        """The folder of a job for units of this fingerprint."""
        return cls(root=job / fingerprint, fingerprint=fingerprint)

    def below(self, part: str) -> "Folder":
        """A folder in this one, for units of another kind that are made from the same."""
        return Folder(root=self.root / part, fingerprint=self.fingerprint)

    def path(self, unit: str, suffix: str = "parquet") -> Path:
        return self.root / f"{unit}.{suffix}"

    def sidecar(self, unit: str) -> dict[str, Any] | None:
        """The sidecar of a unit that is committed and current, else None."""
        value = commit.read_json(self.path(unit, "json"))
        if value is None or value.get("fingerprint") != self.fingerprint:
            return None
        return value if value.get("unit", unit) == unit else None

    def pending(self, units: Iterable[str]) -> list[str]:
        """The units still to be done, in the order given."""
        return [unit for unit in units if self.sidecar(unit) is None]

    def counts(self, units: Iterable[str]) -> Iterator[Mapping[str, Any]]:
        """What each of these units counted, where it is committed."""
        found = (self.sidecar(unit) for unit in units)
        return (sidecar["counts"] for sidecar in found if sidecar is not None)

    def forget(self) -> None:
        """Takes back that any unit here is done; tables stay until they are written again.

        Raises:
            OutputError: a sidecar cannot be removed.
        """
        for path in self.root.glob("*.json"):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(
                    f"{path}: cannot be removed: {error.strerror or error}; make {self.root} "
                    "writable, then run the same command again"
                ) from error

    @contextlib.contextmanager
    def writing(
        self, unit: str, schema: pa.Schema, suffix: str = "parquet", *, row_group: int = _ROW_GROUP
    ) -> Iterator[Callable[[Mapping[str, Any]], None]]:
        """Commits the rows handed to the function it gives, as a table, when the block ends well.

        Raises:
            OutputError: the store cannot be written or its disk is full.
        """
        schema = schema.with_metadata({_TABLE: self._name(unit, suffix)})
        with (
            commit.committed(self.path(unit, suffix), option="--store") as file,
            pq.ParquetWriter(file, schema, compression="zstd") as writer,
        ):
            rows: list[Mapping[str, Any]] = []

            def flush() -> None:
                if rows:
                    writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                    rows.clear()

            def add(row: Mapping[str, Any]) -> None:
                rows.append(row)
                if len(rows) >= row_group:
                    flush()

            yield add
            flush()

    def commit_sidecar(
        self, unit: str, *, counts: Mapping[str, Any], seconds: Mapping[str, float]
    ) -> None:
        """Writes the sidecar alone, which says that the unit is done."""
        value = {
            "unit": unit,
            "fingerprint": self.fingerprint,
            "counts": dict(counts),
            "seconds": {name: round(value, 3) for name, value in seconds.items()},
        }
        commit.write_json(self.path(unit, "json"), value)

    def rows(
        self, unit: str, columns: Sequence[str] | None = None, suffix: str = "parquet"
    ) -> Iterator[dict[str, Any]]:
        """The unit's rows in order, a row group in memory at a time.

        Raises:
            OutputError: the table is missing, damaged or another one although its sidecar says
                that it is there.
        """
        try:
            with pq.ParquetFile(self.path(unit, suffix)) as file:
                self.check_table(unit, suffix, file.schema_arrow)
                for batch in file.iter_batches(
                    _ROW_GROUP, columns=list(columns) if columns else None
                ):
                    yield from batch.to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise self.damaged(unit, suffix, error) from error

    def check_table(self, unit: str, suffix: str, schema: pa.Schema) -> None:
        """Looks whether a table is the one that was written for this unit.

        Raises:
            OutputError: it is another unit's, or was made from something else.
        """
        mine, found = self._name(unit, suffix), (schema.metadata or {}).get(_TABLE)
        if found not in (None, mine):  # older tables do not say
            raise self.damaged(unit, suffix, f"it is {found.decode(errors='replace')}")

    def damaged(self, unit: str, suffix: str, why: object) -> OutputError:
        """What to say of a table that cannot be used."""
        return OutputError(
            f"{self.path(unit, suffix)}: missing or damaged ({why}); remove {unit}.json beside it "
            "and run the same command again"
        )

    def _name(self, unit: str, suffix: str) -> bytes:
        return f"{self.fingerprint}/{unit}.{suffix}".encode()


def dump(value: object) -> str:
    """Compact JSON for a table's cell."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
