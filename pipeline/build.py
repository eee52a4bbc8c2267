"""A whole build: the five jobs in turn, then manifest, card, report and `_SUCCESS`."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openm3w import recipe as recipes
from openm3w.errors import InputError, NotBuiltError, OutputError, RecipeError
from openm3w.pipeline.jobs import dedup, documents, images, scores, shards
from openm3w.pipeline.plan import JOBS, Job, Plan
from openm3w.pipeline.recipe import BuildRecipe
from openm3w.pipeline.report import write_report
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sidecars import counts_of, stages
from openm3w.pipeline.sources import find_sources
from openm3w.pipeline.summary import interleaved_report, job_seconds
from openm3w.shards import card, commit, funnel, manifest
from openm3w.shards.manifest import MANIFEST_NAME, SUCCESS_NAME, Manifest
from openm3w.shards.writer import ShardEntry
from openm3w.trainer.encoders import resolve_similarity

BUILD_NAME = "build.json"
"""In the store: which build it belongs to, and the seconds that each job took."""

Say = Callable[[str], None]

_FEW = 100
"""Below so many pages the share of failures says little, and does not end a build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build ended with."""

    manifest: Manifest | None
    """None where `--until` ended the build before the shards."""
    already_done: bool
    """Everything was committed before, and nothing was done."""


def make_plan(
    recipe: BuildRecipe, inputs: Iterable[str], output: Path, store: Path | None, say: Say
) -> Plan:
    """Resolves inputs, model and thresholds at the desk, before any work.

    Raises:
        InputError: an input is not there or is no archive.
        NotBuiltError: the recipe asks for what this version does not have.
        RecipeError: a profile or a bound does not resolve.
    """
    if recipe.images.source == "http":
        raise NotBuiltError(
            "images.source=http: fetching images is not built yet; images.source=archive takes "
            "them from the records of the same inputs"
        )
    sources = find_sources(inputs)
    if sources.skipped:
        say(f"skipped, no web archives: {', '.join(sources.skipped)}")
    model = "none" if recipe.scores.model == "none" else resolve_similarity(recipe.scores.model)
    if recipe.scores.model == "auto":
        say(_auto_choice(model))
    # Fails here, not after an hour, where the profile has no bound for the model.
    recipe.load_profile().image_filters(model)
    return Plan(
        recipe=recipe,
        sources=sources.archives,
        output=output,
        store=store or output.with_name(f"{output.name}.work"),
        model=model,
    )


def build(
    plan: Plan, runner: Runner, *, say: Say, first: Job = "documents", last: Job = "shards"
) -> Built:
    """Runs the jobs from `first` to `last`; what is committed already is not done again.

    Raises:
        OutputError: the output belongs to another build, is full or cannot be written.
        InputError: no record could be read, no document was kept, or too much failed.
    """
    _claim(plan)
    if (done := _finished(plan)) is not None:
        return Built(manifest=done, already_done=True)
    _check_parents(plan, first)
    selected = JOBS[JOBS.index(first) : JOBS.index(last) + 1]
    if not selected:
        raise RecipeError(f"--from {first} comes after --until {last}: there is nothing to do")
    entries: tuple[ShardEntry, ...] = ()
    for job in selected:
        started = time.perf_counter()
        if job == "shards":
            entries = shards.run(plan, runner)
        else:
            _EARLY_JOBS[job](plan, runner)
        _log_seconds(plan, job, time.perf_counter() - started)
        _check_stages(plan, job)
        say(_summary(plan, job))
    if last != "shards":
        return Built(manifest=None, already_done=False)
    return Built(manifest=_finish(plan, entries), already_done=False)


_EARLY_JOBS: dict[Job, Callable[[Plan, Runner], None]] = {
    "documents": documents.run,
    "dedup": dedup.run,
    "images": images.run,
    "scores": scores.run,
}


def _auto_choice(model: str) -> str:
    if model == "lit":
        return (
            "similarity model: lit, a small stand-in, since open_clip's weights are not on this "
            "machine; --set scores.model=openclip:ViT-L-14/openai fetches and uses them"
        )
    return f"similarity model: {model}"


def _identity(plan: Plan) -> dict[str, Any]:
    return {
        "fingerprint": plan.fingerprint("shards"),
        "recipe": recipes.to_plain(plan.recipe),
        "model": plan.model,
        "sources": [[source.name, source.digest] for source in plan.sources],
    }


def _claim(plan: Plan) -> None:
    """Refuses an output folder that holds something else.

    The store may hold units of any recipe: each says what it was made from. An output is of one.
    """
    mine = recipes.fingerprint(_identity(plan))
    path = plan.store / BUILD_NAME
    known = commit.read_json(path) or {}
    if plan.output.exists() and not plan.output.is_dir():
        raise OutputError(f"{plan.output}: is a file; choose another --output")
    theirs = known.get("outputs", {}).get(plan.output.name)
    occupied = plan.output.is_dir() and any(plan.output.iterdir())
    if occupied and theirs != mine:
        what = "a build of another recipe or input" if theirs else "files of something else"
        raise OutputError(
            f"{plan.output}: holds {what}; choose another --output"
            + (f" (with --store {plan.store} finished jobs are reused)" if theirs else "")
        )
    outputs = {**known.get("outputs", {}), plan.output.name: mine}
    commit.write_json(path, {**known, **_identity(plan), "outputs": outputs})


def _finished(plan: Plan) -> Manifest | None:
    if not (plan.output / SUCCESS_NAME).is_file():
        return None
    (found,) = manifest.load(plan.output / MANIFEST_NAME)
    whole = all(
        (plan.output / shard.url).is_file()
        and (plan.output / shard.url).stat().st_size == shard.filesize
        for shard in found.shards
    )
    return found if whole else None


def _check_parents(plan: Plan, first: Job) -> None:
    for job in JOBS[: JOBS.index(first)]:
        part = {"images": "places", "shards": "select"}.get(job, "")
        if missing := plan.folder(job, part).pending(plan.units):
            raise OutputError(
                f"--from {first}: job {job} is not done for {len(missing)} of "
                f"{len(plan.units)} archives; run it first, or leave --from out"
            )


def _log_seconds(plan: Plan, job: Job, seconds: float) -> None:
    """Adds up wall-clock seconds by job over all runs of this build, for the report."""
    path = plan.store / BUILD_NAME
    known = commit.read_json(path) or {}
    by_job = Counter(known.get("seconds", {}))
    by_job[job] = round(by_job[job] + seconds, 3)
    commit.write_json(path, {**known, "seconds": dict(by_job)})


def _check_stages(plan: Plan, job: Job) -> None:
    """Everything adds up, and not too much of it failed."""
    funnel.check_chain(stages(plan, JOBS[: JOBS.index(job) + 1]))
    for stage in stages(plan, [job]):
        if stage.unit == "records" and stage.kept == 0:
            causes = [d["error"] for c in counts_of(plan, job) for d in c["damage"]]
            why = f": {causes[0]}" if causes else ""
            raise InputError(f"{plan.sources[0].name}: no HTML page in the input{why}")
        if stage.unit in ("pages", "images") and stage.entered >= _FEW:
            share, limit = stage.num_failed / stage.entered, plan.recipe.max_failed_share
            if share > limit:
                raise InputError(
                    f"job {job}: {share:.0%} of {stage.entered} {stage.unit} failed "
                    f"({_top(stage.failed)}), more than max_failed_share={limit:.0%}"
                )


def _summary(plan: Plan, job: Job) -> str:
    """One line about a finished job."""
    parts = []
    for stage in stages(plan, [job]):
        lost = {**stage.dropped, **stage.failed}
        text = f"{stage.kept} of {stage.entered} {stage.unit}"
        parts.append(f"{text} ({_top(lost)})" if lost else text)
    if job == "scores":
        count = sum(c["images"] for c in counts_of(plan, job))
        parts.append(f"{count} images scored" if plan.model != "none" else "no model, no scores")
    return f"{job}: {'; '.join(parts)}"


def _top(counts: Mapping[str, int], most: int = 4) -> str:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{name} {count}" for name, count in ordered[:most])
    return f"{shown}, ..." if len(ordered) > most else shown


def _finish(plan: Plan, entries: tuple[ShardEntry, ...]) -> Manifest:
    all_stages = stages(plan)
    models = sorted({model for c in counts_of(plan, "scores") for model in c["models"]})
    result = Manifest(
        name=plan.recipe.name,
        kind="interleaved",
        shards=entries,
        root=plan.output,
        recipe=recipes.to_plain(plan.recipe),
        models={"similarity": {"spec": plan.model, "model": models}} if models else {},
        versions=plan.versions,
        counts={"stages": [funnel.to_json(stage) for stage in all_stages]},
    )
    seconds = job_seconds(plan, BUILD_NAME)
    write_report(plan.output, interleaved_report(plan, all_stages, result, seconds))
    if not entries:
        pages = [stage for stage in all_stages if stage.unit == "pages"]
        lost = next((s for s in pages if s.kept == 0), pages[-1])
        raise InputError(
            f"no document was kept: of {pages[0].entered} pages the last went at job {lost.job} "
            f"({_top(lost.dropped)}); see {plan.output / 'report.html'}"
        )
    card.write_extras(result)
    manifest.write(result)
    return result
