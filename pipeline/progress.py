"""What a build notes of its jobs when it begins, so that others can see how far it is.

The note is beside a build's identity in its store; `m3w status` reads it without Beam, models or
the archives.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from openm3w.pipeline.store import Folder

JOBS = "jobs"
"""Key, beside a build's identity, of the list of its parts."""

ALL = "all"
"""Pseudo-unit whose sidecar lists the units of a part once they are known, as `counts.units`."""

BLOCKS = "blocks"
"""In the counts of a unit: names of the units that a later part has for it."""


Units = int | Literal["listed", "blocks", "shards"]
"""How many units a part has, or by what that is known later: by the list of them that is committed
last (ALL), by BLOCKS in what the first part counts, by the samples that the part before counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One sort of units that a job commits."""

    job: str
    part: str = ""
    """Where a job has more than one sort."""
    place: str
    """Of its folder, seen from the store."""
    units: Units

    @property
    def name(self) -> str:
        return f"{self.job} ({self.part})" if self.part else self.job


Row = tuple[str, str, Folder, Units]
"""Job, part, folder and number of units."""


def noted(store: Path, parts: Iterable[Row]) -> list[dict[str, Any]]:
    """The parts of a build, in order."""
    return [
        {
            "job": job,
            "part": part,
            "place": folder.root.relative_to(store).as_posix(),
            "units": units,
        }
        for job, part, folder, units in parts
    ]


def read(beside: Mapping[str, Any]) -> list[Part]:
    """The inverse of `noted`; empty for what was built before there were such notes."""
    found = beside.get(JOBS)
    try:
        return [Part(**each) for each in found] if isinstance(found, list) else []
    except TypeError:
        return []
