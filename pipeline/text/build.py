"""A whole text build: the jobs in turn, then manifest, card, report and `_SUCCESS`."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from openm3w import recipe as recipes
from openm3w.errors import InputError
from openm3w.pipeline import publish
from openm3w.pipeline.jobs.writing import Writing, write_shards
from openm3w.pipeline.publish import Published, Say
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.tally import add_up
from openm3w.pipeline.text import select, texts
from openm3w.pipeline.text.plan import JOBS, Job, TextPlan
from openm3w.pipeline.text.recipe import TextRecipe
from openm3w.pipeline.text.sources import find_texts
from openm3w.shards import funnel
from openm3w.shards.funnel import Stage
from openm3w.shards.manifest import Manifest
from openm3w.shards.writer import ShardEntry


def make_plan(
    recipe: TextRecipe, inputs: Iterable[str], output: Path, *, say: Say, store: Path | None = None
) -> TextPlan:
    """Finds the sources at the desk, before any work.

    Raises:
        InputError: an input is not there, or is neither archive nor JSON lines.
    """
    found = find_texts(inputs)
    if found.skipped:
        say(f"skipped, neither archives nor JSON lines: {', '.join(found.skipped)}")
    for note in found.unreadable:
        say(f"passed over: {note}")
    return TextPlan(
        recipe=recipe,
        sources=found.archives,
        output=output,
        store=store or publish.default_store(output),
    )


def build(plan: TextPlan, runner: Runner, *, say: Say) -> Published:
    """Runs the jobs; what is committed already is not done again.

    Raises:
        OutputError: the output belongs to another build, is full or cannot be written.
        InputError: no text was kept, or too much failed.
    """
    with publish.claimed(plan.output, plan.store, plan.identity):
        if (done := publish.finished(plan.output)) is not None:
            return Published(manifest=done, already_done=True)
        for job, run in _EARLY_JOBS.items():
            with publish.timed(plan.store, job):
                run(plan, runner)
            found = stages(plan, [job])
            publish.check_failures(found, plan.recipe.max_failed_share)
            say(publish.summary(job, found))
        funnel.check_chain(stages(plan))
        _check_kept(plan)
        with publish.timed(plan.store, "shards"):
            entries = write_shards(_writing(plan), runner)
        result = _manifest(plan, entries)
        named = publish.publish(result, _report(plan, result), plan.identity, plan.store)
        return Published(manifest=named, already_done=False)


def stages(plan: TextPlan, jobs: Iterable[Job] = JOBS) -> tuple[Stage, ...]:
    """The funnel of these jobs, added up over all units."""
    return add_up(count for job in jobs for count in _counts(plan, job))


_EARLY_JOBS: dict[Job, Callable[[TextPlan, Runner], None]] = {
    "texts": texts.run,
    "select": select.run,
}


def _counts(plan: TextPlan, job: Job) -> Iterator[Mapping[str, Any]]:
    if job == "shards":  # its sidecars are of shards, and nothing is dropped there
        return iter(())
    return plan.folder(job).counts(plan.units)


def _check_kept(plan: TextPlan) -> None:
    """Ends a build without a single text, before a folder is made that holds nothing."""
    found = stages(plan)
    if found[-1].kept:
        return
    lost = next(stage for stage in found if stage.kept == 0)
    notes = _notes(plan)
    raise InputError(
        f"no text was kept of {found[0].entered} records or lines"
        f": {publish.top({**lost.dropped, **lost.failed}) or 'there were none'}"
        + (f"; {notes[0]}" if notes else "")
    )


def _notes(plan: TextPlan) -> list[str]:
    return [f"{c['source']}: {note}" for c in _counts(plan, "texts") for note in c["notes"]]


def _languages(plan: TextPlan) -> dict[str, int]:
    total: Counter[str] = Counter()
    for counts in _counts(plan, "texts"):
        total.update(counts["languages"])
    return dict(total.most_common())


def _writing(plan: TextPlan) -> Writing:
    return Writing(
        output=plan.output,
        kind="text",
        selected=plan.folder("select"),
        units=plan.units,
        written=plan.folder("shards"),
        samples=select.samples,
        samples_per_shard=plan.recipe.shards.samples_per_shard,
        seed=plan.recipe.shards.seed,
    )


def _manifest(plan: TextPlan, entries: tuple[ShardEntry, ...]) -> Manifest:
    known = {code: count for code, count in _languages(plan).items() if code != "unknown"}
    return Manifest(
        name=plan.recipe.name,
        kind="text",
        shards=entries,
        root=plan.output,
        recipe=recipes.to_plain(plan.recipe),
        versions=plan.versions,
        counts={
            "stages": [funnel.to_json(stage) for stage in stages(plan)],
            "languages": known,
        },
    )


def _report(plan: TextPlan, result: Manifest) -> dict[str, Any]:
    seconds = publish.seconds_by_job(plan.store)
    return {
        "name": result.name,
        "recipe": result.recipe,
        "versions": result.versions,
        "inputs": [source.name for source in plan.sources],
        "stages": result.counts["stages"],
        "tables": {
            "languages of the texts that the first job kept": [
                ["language", "texts"],
                *(list(item) for item in list(_languages(plan).items())[:20]),
            ],
            "time by job": [
                ["job", "seconds"],
                *([job, f"{seconds.get(job, 0.0):.1f}"] for job in JOBS),
            ],
        },
        "notes": _notes(plan),
    }
