"""Counting outcomes: one for every page and image, adding up to a funnel stage."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from openm3w.shards import funnel
from openm3w.shards.funnel import Stage, Unit


class Tally:
    """Outcomes of one stage."""

    def __init__(self) -> None:
        self._kept = 0
        self._dropped: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def add(self, outcome: str, reason: str = "", count: int = 1) -> None:
        """Counts `kept`, `dropped` with a reason or `failed` with an error's name."""
        if outcome == "kept":
            self._kept += count
        elif outcome == "dropped":
            self._dropped[reason] += count
        elif outcome == "failed":
            self._failed[reason] += count
        else:
            raise ValueError(f"no such outcome: {outcome}")

    def stage(self, job: str, unit: Unit) -> Stage:
        """The stage, whose parts add up to what entered."""
        dropped = {k: v for k, v in sorted(self._dropped.items()) if v}
        failed = {k: v for k, v in sorted(self._failed.items()) if v}
        entered = self._kept + sum(dropped.values()) + sum(failed.values())
        return Stage(
            job=job, unit=unit, entered=entered, kept=self._kept, dropped=dropped, failed=failed
        )

    def to_json(self, job: str, unit: Unit) -> dict[str, Any]:
        """The stage as a sidecar holds it."""
        return funnel.to_json(self.stage(job, unit))


def add_up(counts: Iterable[Mapping[str, Any]]) -> tuple[Stage, ...]:
    """The funnel of all stages in the counts of units, each stage added up over them."""
    parts = (stage for count in counts for stage in count.get("stages", ()))
    return funnel.merge(map(funnel.from_json, parts))
