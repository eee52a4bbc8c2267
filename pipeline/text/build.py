"""A text build: its plan, and what is particular to it when it runs."""

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from openm3w.errors import InputError
from openm3w.pipeline import claims, job_results, running
from openm3w.pipeline.jobs.writing import Writing
from openm3w.pipeline.publish import Published, Say
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.running import Build
from openm3w.pipeline.text import select, texts
from openm3w.pipeline.text.plan import Job, TextPlan
from openm3w.pipeline.text.recipe import TextRecipe
from openm3w.pipeline.text.sources import find_texts
from openm3w.shards.funnel import Stage

MAX_PARTS = 1000
"""Parts of collections that a manifest lists, the largest (ours): the Pile has 22; where a column
names the site of each text, the list would be longer than the rest."""
_MAX_ROWS = 20
"""Of a table in the report."""


def make_plan(
    recipe: TextRecipe,
    inputs: Iterable[str],
    output: Path,
    *,
    say: Say,
    text_column: str = "",
    store: Path | None = None,
) -> TextPlan:
    """Finds the sources at the desk, before any work.

    Raises:
        InputError: an input is not there, is neither archive nor table, or has no column of texts.
        NotBuiltError: an archive is not on this machine.
        MissingError: the package for the protocol of a URI is not installed.
    """
    found = find_texts(inputs, text_column)
    if found.skipped:
        say(f"skipped, neither archives nor tables: {', '.join(found.skipped)}")
    for note in found.unreadable:
        say(f"passed over: {note}")
    return TextPlan(
        recipe=recipe,
        sources=found.archives,
        output=output,
        store=store or claims.default_store(output),
        text_column=text_column,
    )


def build(plan: TextPlan, runner: Runner, *, say: Say) -> Published:
    """Runs the jobs; what is committed already is not done again.

    Raises:
        OutputError: the output belongs to another build, is full or cannot be written.
        InputError: no text was kept, or too much failed.
    """
    return running.run(
        Build(
            plan=plan,
            jobs={job: functools.partial(run, plan) for job, run in _JOBS.items()},
            counts=functools.partial(_counts, plan),
            check_kept=functools.partial(_check_kept, plan),
            writing=functools.partial(_writing, plan),
            tables=functools.partial(_tables, plan),
            inputs=[source.name for source in plan.sources],
            notes=functools.partial(_notes, plan),
            counted=functools.partial(_counted, plan),
            end_job=functools.partial(_end_job, plan),
        ),
        runner,
        say=say,
    )


_JOBS: dict[Job, Callable[[TextPlan, Runner], None]] = {
    "texts": texts.run,
    "select": select.run,
}


def _counts(plan: TextPlan, job: Job) -> Iterator[Mapping[str, Any]]:
    return plan.folder(job).counts(plan.units)


def _check_kept(plan: TextPlan, found: Sequence[Stage]) -> None:
    """Ends a build without a single text, before a folder is made that holds nothing."""
    if found[-1].kept:
        return
    lost = next(stage for stage in found if stage.kept == 0)
    notes = _damage(plan)
    raise InputError(
        f"no text was kept of {found[0].entered} records or rows"
        f": {job_results.top({**lost.dropped, **lost.failed}) or 'there were none'}"
        + (f"; {notes[0]}" if notes else "")
    )


def _end_job(plan: TextPlan, job: Job) -> Iterator[str]:
    if job == "texts":
        yield from _told_of_cuts(plan)


def _told_of_cuts(plan: TextPlan) -> Iterator[str]:
    cut: Counter[str] = Counter()
    for counts in _counts(plan, "texts"):
        cut.update(counts["cut"])
    if cut["texts"]:
        yield (
            f"{cut['texts']} texts are longer than text.max_words={plan.recipe.text.max_words} and "
            f"were cut there: {cut['characters']} characters are left out"
        )


def _notes(plan: TextPlan) -> list[str]:
    return [*_told_of_cuts(plan), *_damage(plan)]


def _damage(plan: TextPlan) -> list[str]:
    return [f"{c['source']}: {note}" for c in _counts(plan, "texts") for note in c["notes"]]


def _totals(plan: TextPlan, name: str) -> dict[str, int]:
    """How many texts of the first job have each value of `languages` or `parts`; the most first."""
    total: Counter[str] = Counter()
    for counts in _counts(plan, "texts"):
        total.update(counts[name])
    return dict(total.most_common())


def _counted(plan: TextPlan) -> dict[str, Any]:
    languages, parts = _totals(plan, "languages"), _totals(plan, "parts")
    languages.pop("unknown", None)
    named = dict(list(parts.items())[:MAX_PARTS])
    return {"languages": languages} | ({"parts": named, "num_parts": len(parts)} if parts else {})


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


def _tables(plan: TextPlan) -> dict[str, list[list[Any]]]:
    tables: dict[str, list[list[Any]]] = {}
    for name, title in (("languages", "language"), ("parts", "part")):
        if found := [list(item) for item in list(_totals(plan, name).items())[:_MAX_ROWS]]:
            tables[f"{name} of the texts that the first job kept"] = [[title, "texts"], *found]
    return tables
