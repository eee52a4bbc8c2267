"""Reading back what the units of all jobs counted and how long they took."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openm3w.filters.similarity import SIMILARITY
from openm3w.pipeline.jobs import JOBS, Job, images
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.tally import add_up
from openm3w.shards.funnel import Stage


def sidecars(plan: Plan, job: Job) -> Iterator[dict[str, Any]]:
    """Sidecars of a job's committed units."""
    for part, units in _parts(plan, job):
        folder = plan.folder(job, part)
        found = (folder.sidecar(unit) for unit in units)
        yield from (sidecar for sidecar in found if sidecar is not None)


def counts_of(plan: Plan, job: Job) -> Iterator[dict[str, Any]]:
    """The counts of every committed unit of a job."""
    return (sidecar["counts"] for sidecar in sidecars(plan, job))


def copies_counts(plan: Plan) -> Iterator[Mapping[str, Any]]:
    """The counts of the archives that `--images` names."""
    return images.index(plan).counts(place.unit for place in plan.copies)


def models_of(plan: Plan) -> dict[str, Any]:
    """Score -> what made it."""
    found: dict[str, set[str]] = {}
    for counts in counts_of(plan, "scores"):
        for name, models in counts["models"].items():
            found.setdefault(name, set()).update(models)
    result: dict[str, Any] = {name: {"model": sorted(ids)} for name, ids in sorted(found.items())}
    if SIMILARITY in result:
        result[SIMILARITY] = {"spec": plan.model, **result[SIMILARITY]}
    return result


def seconds_of(plan: Plan, job: Job) -> Counter[str]:
    """Seconds inside the workers, by step, added up over a job's units."""
    total: Counter[str] = Counter()
    for sidecar in sidecars(plan, job):
        total.update(sidecar["seconds"])
    return total


def stages(plan: Plan, jobs: Iterable[Job] = JOBS) -> tuple[Stage, ...]:
    """The funnel of these jobs, added up over all units."""
    return add_up(counts for job in jobs for counts in counts_of(plan, job))


def _parts(plan: Plan, job: Job) -> list[tuple[str, Iterable[str]]]:
    if job == "images":
        copies = [place.unit for place in plan.copies]
        return [("index", copies), ("packs", images.pack_units(plan)), ("places", plan.units)]
    if job == "scores":
        return [(part, plan.units) for part in plan.score_parts]
    return [("select" if job == "shards" else "", plan.units)]


def pending(plan: Plan, job: Job, *, bytes_too: bool = True) -> list[str]:
    """The archives for which a job is still to be done; `bytes_too`: or has lost its pictures."""
    parts = unit_parts(plan, job)
    missing = {unit for part in parts for unit in plan.folder(job, part).pending(plan.units)}
    if job == "images":
        missing |= images.archives_without_packs(plan, bytes_too=bytes_too)
    return [unit for unit in plan.units if unit in missing]


def unit_parts(plan: Plan, job: Job) -> tuple[str, ...]:
    """The parts of a job that commit something for each archive."""
    parts: dict[Job, tuple[str, ...]] = {
        "documents": ("",),
        "dedup": ("", "facts"),
        "images": ("places",),
        "scores": tuple(plan.score_parts),
        "shards": ("select",),
    }
    return parts[job]
