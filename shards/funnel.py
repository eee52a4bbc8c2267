"""What went into each stage of a build, and what became of it.

Every record, page and image has exactly one outcome: kept, dropped for a reason, or failed with an
error. The counts travel as values beside the data, since Beam's own metrics count a retried
bundle twice.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Unit = Literal["records", "pages", "images", "urls", "copies", "rows", "pairs", "texts", "shards"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The outcomes of one job for one unit of counting."""

    job: str
    unit: Unit
    entered: int
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    """By reason, in snake_case."""
    failed: Mapping[str, int] = field(default_factory=dict)
    """By kind of error."""

    @property
    def num_dropped(self) -> int:
        return sum(self.dropped.values())

    @property
    def num_failed(self) -> int:
        return sum(self.failed.values())

    def check(self) -> None:
        """Holds the stage to its promise that nothing is lost or counted twice.

        Raises:
            ValueError: entered is not kept + dropped + failed, or a count is negative.
        """
        counts = (self.entered, self.kept, *self.dropped.values(), *self.failed.values())
        if min(counts) < 0:
            raise ValueError(f"{self.job}: a negative number of {self.unit}: {min(counts)}")
        left = self.kept + self.num_dropped + self.num_failed
        if self.entered != left:
            raise ValueError(
                f"{self.job}: {self.entered} {self.unit} entered, but {self.kept} kept + "
                f"{self.num_dropped} dropped + {self.num_failed} failed are {left}"
            )


def check_chain(stages: Iterable[Stage]) -> None:
    """Checks each stage, and that it enters what the stage before it of the same unit kept.

    Raises:
        ValueError: naming the stage where the numbers part.
    """
    before: dict[Unit, Stage] = {}
    for stage in stages:
        stage.check()
        last = before.get(stage.unit)
        if last is not None and last.kept != stage.entered:
            raise ValueError(
                f"{stage.job}: {stage.entered} {stage.unit} entered, "
                f"but {last.job} before it kept {last.kept}"
            )
        before[stage.unit] = stage


def merge(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """Adds up the stages of many work units: one for each job and unit, in order of appearance."""
    groups: dict[tuple[str, Unit], list[Stage]] = {}
    for stage in stages:
        groups.setdefault((stage.job, stage.unit), []).append(stage)
    return tuple(
        Stage(
            job=job,
            unit=unit,
            entered=sum(stage.entered for stage in group),
            kept=sum(stage.kept for stage in group),
            dropped=_added(stage.dropped for stage in group),
            failed=_added(stage.failed for stage in group),
        )
        for (job, unit), group in groups.items()
    )


def to_json(stage: Stage) -> dict[str, Any]:
    """The stage as a table, its reasons sorted by name."""
    return {
        "job": stage.job,
        "unit": stage.unit,
        "entered": stage.entered,
        "kept": stage.kept,
        "dropped": dict(sorted(stage.dropped.items())),
        "failed": dict(sorted(stage.failed.items())),
    }


def from_json(value: Mapping[str, Any]) -> Stage:
    """The inverse of `to_json`.

    Raises:
        ValueError: a field is missing or unknown, or the unit is none of ours.
    """
    try:
        stage = Stage(**value)
    except TypeError as error:
        raise ValueError(f"not a stage of a funnel: {error}") from error
    if stage.unit not in get_args(Unit):
        raise ValueError(f"{stage.job}: unknown unit {stage.unit!r}")
    return stage


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return dict(sorted(total.items()))
