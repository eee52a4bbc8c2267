"""What came of a job: how long it took, a line about it, and whether too much of it failed."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from openm3w.errors import InputError
from openm3w.pipeline.claims import BUILD_NAME
from openm3w.shards import commit
from openm3w.shards.funnel import Stage

_FEW = 100
"""Below so many the share of failures says little, and does not end a build."""


@contextmanager
def timed(store: Path, job: str) -> Iterator[None]:
    """Adds the block's wall-clock seconds to those of earlier runs of this build."""
    started = time.perf_counter()
    yield
    path = store / BUILD_NAME
    known = commit.read_json(path) or {}
    seconds = {**seconds_by_job(store)}
    seconds[job] = round(seconds.get(job, 0.0) + time.perf_counter() - started, 3)
    commit.write_json(path, {**known, "seconds": seconds})


def seconds_by_job(store: Path) -> dict[str, float]:
    """Wall-clock seconds by job, added up over all runs."""
    return dict((commit.read_json(store / BUILD_NAME) or {}).get("seconds", {}))


def check_failures(
    stages: Iterable[Stage], max_failed_share: float, why: Sequence[str] = ()
) -> None:
    """Ends a build of which too much failed: something is wrong with the set-up.

    `why` are errors that say more than their names.

    Raises:
        InputError: with the commonest errors.
    """
    for stage in stages:
        if stage.entered >= _FEW and stage.num_failed > max_failed_share * stage.entered:
            raise InputError(
                f"job {stage.job}: {stage.num_failed / stage.entered:.0%} of {stage.entered} "
                f"{stage.unit} failed ({top(stage.failed)}), more than "
                f"max_failed_share={max_failed_share:.0%}{''.join(f'; {each}' for each in why)}"
            )


def summary(job: str, stages: Sequence[Stage]) -> str:
    """One line about a finished job."""
    parts = []
    for stage in stages:
        lost = {**stage.dropped, **stage.failed}
        text = f"{stage.kept} of {stage.entered} {stage.unit}"
        parts.append(f"{text} ({top(lost)})" if lost else text)
    return f"{job}: {'; '.join(parts)}"


def top(counts: Mapping[str, int], most: int = 4) -> str:
    """The commonest reasons with their numbers."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{name} {count}" for name, count in ordered[:most])
    return f"{shown}, ..." if len(ordered) > most else shown
