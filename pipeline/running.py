"""What caption and text builds have in common: the jobs in turn, then shards, report and manifest.

A build of pages has more to it (parts of a run, models, a floor): see `openm3w.pipeline.build`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from openm3w.pipeline import claims, job_results, publish
from openm3w.pipeline.jobs.writing import Writing, write_shards
from openm3w.pipeline.publish import Published, Say
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.tally import add_up
from openm3w.shards import funnel, published
from openm3w.shards.funnel import Stage
from openm3w.shards.manifest import Manifest

SHARDS = "shards"
"""The last job; its sidecars are of shards, and nothing is dropped there."""

J = TypeVar("J", bound=str)
"""A job's name."""

Counts = Mapping[str, Any]
"""What a unit's sidecar counts."""


class Recipe(Protocol):
    """What every recipe says."""

    @property
    def name(self) -> str: ...
    @property
    def max_failed_share(self) -> float: ...


class Plan(Protocol):
    """What every plan says."""

    @property
    def recipe(self) -> Recipe: ...
    @property
    def output(self) -> Path: ...
    @property
    def store(self) -> Path: ...
    @property
    def identity(self) -> dict[str, Any]: ...
    @property
    def versions(self) -> dict[str, str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Build(Generic[J]):
    """One build: its plan, and what is particular to its kind."""

    plan: Plan
    jobs: Mapping[J, Callable[[Runner], None]]
    """The jobs before the shards, in order."""
    counts: Callable[[J], Iterable[Counts]]
    """What the units of such a job counted, once they are committed."""
    check_kept: Callable[[Sequence[Stage]], None]
    """Ends a build of which nothing is left, before a folder is made that holds nothing."""
    writing: Callable[[], Writing]
    tables: Callable[[], dict[str, list[list[Any]]]]
    """Tables of the report, beside that of the time."""
    inputs: Sequence[str]
    notes: Callable[[], list[str]]
    """What the report notes, once the jobs are done."""
    begin: Callable[[], Iterable[str]] = tuple
    """Lines for the one who runs it, before the first job."""
    end_job: Callable[[J], Iterable[str]] = lambda _: ()
    """Lines for the one who runs it, after a job."""
    models: Callable[[], dict[str, Any]] = dict
    """Score -> what made it, of the manifest."""
    counted: Callable[[], dict[str, Any]] = dict
    """Counts of the manifest, beside the stages."""


def run(build: Build[J], runner: Runner, *, say: Say) -> Published:
    """Runs the jobs; what is committed already is not done again.

    Raises:
        OutputError: the output belongs to another build, is full or cannot be written.
        InputError: nothing was kept, or too much failed.
    """
    plan = build.plan
    with claims.claimed(plan.output, plan.store, plan.identity):
        if (done := published.finished(plan.output)) is not None:
            return Published(manifest=done, already_done=True)
        for line in build.begin():
            say(line)
        for job, run_job in build.jobs.items():
            with job_results.timed(plan.store, job):
                run_job(runner)
            found = _stages(build, [job])
            job_results.check_failures(found, plan.recipe.max_failed_share)
            if found:
                say(job_results.summary(job, found))
            for line in build.end_job(job):
                say(line)
        found = _stages(build, build.jobs)
        funnel.check_chain(found)
        build.check_kept(found)
        writing = build.writing()
        with job_results.timed(plan.store, SHARDS):
            entries = write_shards(writing, runner)
        result = Manifest(
            name=plan.recipe.name,
            kind=writing.kind,
            shards=entries,
            root=plan.output,
            recipe=publish.recipe_table(plan.recipe),
            models=build.models(),
            versions=plan.versions,
            counts={"stages": [funnel.to_json(stage) for stage in found], **build.counted()},
        )
        named = publish.publish(result, _report(build, result), plan.identity, plan.store)
        return Published(manifest=named, already_done=False)


def _stages(build: Build[J], jobs: Iterable[J]) -> tuple[Stage, ...]:
    """The funnel of these jobs, added up over all units."""
    return add_up(counts for job in jobs for counts in build.counts(job))


def _report(build: Build[J], result: Manifest) -> dict[str, Any]:
    seconds = job_results.seconds_by_job(build.plan.store)
    jobs: list[str] = [*build.jobs, SHARDS]
    time = [[job, f"{seconds.get(job, 0.0):.1f}"] for job in jobs]
    return {
        "name": result.name,
        "recipe": result.recipe,
        "versions": result.versions,
        "inputs": list(build.inputs),
        "stages": result.counts["stages"],
        "tables": {**build.tables(), "time by job": [["job", "seconds"], *time]},
        "notes": build.notes(),
    }
