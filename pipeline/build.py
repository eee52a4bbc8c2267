"""A whole build: the five jobs in turn, then manifest, card, report and `_SUCCESS`."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from openm3w import recipe as recipes
from openm3w.errors import InputError, OutputError, RecipeError
from openm3w.filters.perplexity import PERPLEXITY
from openm3w.pipeline import claims, exported, job_results, progress, publish, refetch
from openm3w.pipeline.dropped import write_dropped
from openm3w.pipeline.failures import first_of_each
from openm3w.pipeline.jobs import JOBS, Job, dedup, documents, images, indexing, shards
from openm3w.pipeline.jobs.web import host_lines
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.publish import Say
from openm3w.pipeline.report import write_report
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sidecars import (
    copies_counts,
    counts_of,
    models_of,
    pending,
    stages,
    unit_parts,
)
from openm3w.pipeline.summary import interleaved_report
from openm3w.shards import funnel, published
from openm3w.shards.funnel import Stage
from openm3w.shards.manifest import Manifest
from openm3w.shards.writer import ShardEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build ended with."""

    manifest: Manifest | None
    """None where `--until` ended the build before the shards."""
    already_done: bool
    """Everything was committed before, and nothing was done."""


def build(
    plan: Plan, runner: Runner, *, say: Say, first: Job = "documents", last: Job = "shards"
) -> Built:
    """Runs the jobs from `first` to `last`; what is committed already is not done again.

    Raises:
        OutputError: the output belongs to another build, is full or cannot be written.
        InputError: no record could be read, no document was kept, or too much failed.
        RecipeError: `first` comes after `last`.
    """
    selected = JOBS[JOBS.index(first) : JOBS.index(last) + 1]
    if not selected:
        raise RecipeError(f"--from {first} comes after --until {last}: there is nothing to do")
    with claims.claimed(plan.output, plan.store, identity(plan)):
        if (done := published.finished(plan.output)) is not None and not _is_torn(plan):
            if plan.recipe.report.dropped_samples:  # which may be asked for afterwards
                _sample(plan, say)
            return Built(manifest=done, already_done=True)
        _check_parents(plan, first)
        entries: tuple[ShardEntry, ...] = ()
        for job in selected:
            with job_results.timed(plan.store, job):
                if job == "shards":
                    entries = shards.run(plan, runner)
                else:
                    _EARLY_JOBS[job](plan, runner)
            _check_stages(plan, job)
            say(_summary(plan, job))
            for line in (*_end_job(plan, job), *_filter_errors(plan, job)):
                say(line)
        if last != "shards":
            return Built(manifest=None, already_done=False)
        _sample(plan, say)
        return Built(manifest=_finish(plan, entries), already_done=False)


def _sample(plan: Plan, say: Say) -> None:
    if undone := [job for job in JOBS if pending(plan, job)]:
        say(f"dropped: no sample: the store holds no job {undone[0]} of this build any more")
    elif (sample := write_dropped(plan)) is not None:
        say(f"dropped: look at some of each reason: m3w view {sample.parent}")


def _score(plan: Plan, runner: Runner) -> None:
    # Beam's RunInference brings torch: seconds at the start of every other command.
    from openm3w.pipeline.jobs import scores

    scores.run(plan, runner)


_EARLY_JOBS: dict[Job, Callable[[Plan, Runner], None]] = {
    "documents": documents.run,
    "dedup": dedup.run,
    "images": images.run,
    "scores": _score,
}


def _end_job(plan: Plan, job: Job) -> Iterator[str]:
    if job == "images":
        yield from indexing.damage_lines(copies_counts(plan))
    if job == "images" and plan.web:
        refetch.end(plan.store, plan.again)
        yield from host_lines(counts_of(plan, job))


def identity(plan: Plan) -> dict[str, Any]:
    """What tells this build from any other, and from which it can be opened again.

    Profiles, models' digits and earlier crawls are written out: no file of them is asked for again.
    """
    recipe = publish.recipe_table(plan.recipe)
    again = replace(plan.again, since=plan.resolved.refetched_since)
    return {
        "fingerprint": plan.fingerprints["shards"],
        "fingerprints": dict(plan.fingerprints),
        "recipe": {name: value for name, value in recipe.items() if name != "report"},
        "model": plan.model,
        "sources": [[source.name, source.digest] for source in plan.sources],
        # Where there are none, a build is the one that it was before there could be any.
        **({"images": [list(place.identity) for place in plan.copies]} if plan.copies else {}),
        claims.BESIDE: {
            progress.JOBS: progress.noted(plan.store, _parts(plan)),
            "report": recipe["report"],
            "profiles": [recipes.to_plain(profile) for profile in plan.profiles],
            "origin": str(plan.origin),
            # In a store it is found again wherever the store lies.
            "fetched": exported.fetched_elsewhere(plan.fetched, plan.store, plan.origin),
            **({claims.AGAIN: recipes.to_plain(again)} if plan.web else {}),
            "resolved": recipes.to_plain(plan.resolved),
            exported.STORED: exported.stored(
                plan.store,
                selected=plan.folder("shards", "select"),
                packs=plan.folder("images", "packs"),
            ),
        },
    }


def _parts(plan: Plan) -> Iterator[progress.Row]:
    """What `m3w status` counts."""
    number = len(plan.units)
    yield "documents", "", plan.folder("documents"), number
    yield "dedup", "", plan.folder("dedup"), number
    yield "dedup", "facts", plan.folder("dedup", "facts"), number
    if plan.copies:
        yield "images", "index", plan.folder("images", "index"), len(plan.copies)
    yield "images", "packs", plan.folder("images", "packs"), "listed"
    yield "images", "places", plan.folder("images", "places"), number
    for part in plan.score_parts:
        yield "scores", part, plan.folder("scores", part), number
    yield "shards", "select", plan.folder("shards", "select"), number
    yield "shards", "written", plan.folder("shards", "written"), "shards"


def _is_torn(plan: Plan) -> bool:
    """Whether a part of what the jobs before the last committed is gone, and not all of it.

    A store that was removed is nobody's loss; one with holes makes `m3w refilter` fail.
    """
    left = [len(pending(plan, job)) for job in JOBS[:-1] if unit_parts(plan, job)]
    return any(left) and not all(number == len(plan.units) for number in left)


def _check_parents(plan: Plan, first: Job) -> None:
    for job in JOBS[: JOBS.index(first)]:
        if missing := pending(plan, job):
            raise OutputError(
                f"--from {first}: job {job} is not done for {len(missing)} of "
                f"{len(plan.units)} archives; run it first, or leave --from out"
            )


def _check_stages(plan: Plan, job: Job) -> None:
    """Everything adds up, and not too much of it failed."""
    funnel.check_chain(stages(plan, JOBS[: JOBS.index(job) + 1]))
    found = stages(plan, [job])
    if any(stage.unit == "records" and stage.kept == 0 for stage in found):
        causes = [damage["error"] for c in counts_of(plan, job) for damage in c["damage"]]
        why = f": {causes[0]}" if causes else ""
        names = ", ".join(source.name for source in plan.sources[:3])
        raise InputError(f"no HTML page in the input ({names}){why}")
    judged = [stage for stage in found if stage.unit in ("pages", "images")]
    job_results.check_failures(judged, plan.recipe.max_failed_share, _filter_errors(plan, job))


def _filter_errors(plan: Plan, job: Job) -> tuple[str, ...]:
    """Of the user's own filters, which judge in the last job."""
    if job != "shards":
        return ()
    return first_of_each(error for counts in counts_of(plan, job) for error in counts["errors"])


def _summary(plan: Plan, job: Job) -> str:
    if job != "scores":
        return job_results.summary(job, stages(plan, [job]))
    scored: dict[str, int] = {}
    for part in plan.score_parts:
        counted = "documents" if part == PERPLEXITY else "images"
        counts = plan.folder("scores", part).counts(plan.units)
        scored[counted] = sum(each[counted] for each in counts)
    told = (f"{number} {counted}" for counted, number in scored.items())
    return f"scores: {', '.join(told) or 'none asked for'}"


def _finish(plan: Plan, entries: tuple[ShardEntry, ...]) -> Manifest:
    found = stages(plan)
    languages: Counter[str] = Counter()
    for counts in counts_of(plan, "shards"):
        languages.update(counts["languages"])
    result = Manifest(
        name=plan.recipe.name,
        kind="interleaved",
        shards=entries,
        root=plan.output,
        recipe=publish.recipe_table(plan.recipe),
        models=models_of(plan),
        versions=plan.versions,
        counts={
            "stages": [funnel.to_json(stage) for stage in found],
            "languages": dict(sorted(languages.items())),
        },
    )
    report = interleaved_report(plan, found, result, job_results.seconds_by_job(plan.store))
    if not entries:
        write_report(plan.output, report)
        raise InputError(_nothing_kept(plan, found))
    return publish.publish(result, report, identity(plan), plan.store)


def _nothing_kept(plan: Plan, found: Sequence[Stage]) -> str:
    pages = [stage for stage in found if stage.unit == "pages"]
    last = next((stage for stage in pages if stage.kept == 0), pages[-1])
    errors = "".join(f"; {error}" for error in _filter_errors(plan, "shards"))
    return (
        f"no document was kept: of {pages[0].entered} pages the last went at job {last.job} "
        f"({job_results.top({**last.dropped, **last.failed})}){errors}; "
        f"see {plan.output / 'report.html'}"
    )
