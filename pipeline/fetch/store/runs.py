"""What the ledger consists of: loose files of rows, and runs that supersede them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import PurePosixPath

from openm3w.errors import OutputError

_DIGITS = 16
"""Of a file's hash in its name: 64 bits find any damage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of a run; without a name where its range of keys has no rows."""

    name: str = ""
    rows: int = 0
    num_bytes: int = 0
    sha256: str = ""
    footer_bytes: int = 0
    """At the end of the file: what parquet says of itself, which has no checksum of its own."""
    footer_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A merged, sorted piece of the ledger."""

    name: str
    parts: tuple[Part, ...]
    """2^bits; part i has the keys whose first bits are i."""
    supersedes: frozenset[str]

    @property
    def bits(self) -> int:
        return (len(self.parts) - 1).bit_length()

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the ledger consisted of at one moment."""

    loose: Mapping[str, int]
    """Name in `rows/` -> size, of what is in no run."""
    runs: tuple[Run, ...]
    done: tuple[Run, ...] = ()
    """Runs whose rows are in another."""
    done_loose: tuple[str, ...] = ()
    unreadable: Mapping[str, OutputError] = field(default_factory=dict)
    """Runs whose list is damaged, where one looks for damage."""


def state_of(loose: Mapping[str, int], runs: Iterable[Run]) -> State:
    """What counts among these files: all that no run supersedes."""
    runs = sorted(runs, key=lambda run: run.name)
    superseded = frozenset[str]().union(*(run.supersedes for run in runs))
    return State(
        loose={name: size for name, size in sorted(loose.items()) if name not in superseded},
        runs=tuple(run for run in runs if run.name not in superseded),
        done=tuple(run for run in runs if run.name in superseded),
        done_loose=tuple(name for name in sorted(loose) if name in superseded),
    )


def run_json(run: Run) -> bytes:
    """A run as it is written."""
    value = {"parts": [asdict(part) for part in run.parts], "supersedes": sorted(run.supersedes)}
    return (json.dumps(value, indent=1) + "\n").encode()


def digest(data: bytes) -> str:
    """The hash of a file in its name."""
    return hashlib.sha256(data).hexdigest()[:_DIGITS]


def is_whole(name: str, data: bytes) -> bool:
    """Whether these are the bytes of a file whose name ends in `.DIGEST.SUFFIX`."""
    return PurePosixPath(name).stem.rpartition(".")[2] == digest(data)


def named(identity: str, parts: Iterable[Part], supersedes: Iterable[str]) -> Run:
    """A run whose name has the hash of what is written of it."""
    run = Run(name="", parts=tuple(parts), supersedes=frozenset(supersedes))
    return replace(run, name=f"{identity}.{digest(run_json(run))}.json")


def bounds_of(index: int, bits: int) -> tuple[int, int]:
    """The first and the last key of a range among 2^bits."""
    return index << (64 - bits), ((index + 1) << (64 - bits)) - 1


def run_of(name: str, data: bytes) -> Run:
    """A run as it was read.

    Raises:
        ValueError: it is damaged.
    """
    if not is_whole(name, data):
        raise ValueError("its bytes are not those that were written")
    value = json.loads(data)
    parts = tuple(Part(**part) for part in value["parts"])
    return Run(name=name, parts=parts, supersedes=frozenset(value["supersedes"]))
