"""Job 2: marks on documents that are there twice, and counts of what the corpus repeats.

The documents themselves stay as they are. Only references are shuffled: some 500 bytes a page for
the marks, and some 40 for each of its paragraphs and images. Two steps, of which the second reads
what the first wrote: marks, and facts. Marks alone decide what is fetched and scored, and so facts
have a folder and digits of their own: with another seed or other evaluation texts they are made
again and no image is fetched for it. A crawl is entered into its state before the sidecars are
written: what a sidecar promises is in it.
"""

from collections import Counter

import apache_beam as beam
from apache_beam.pvalue import PCollection

from openm3w.pipeline import runners
from openm3w.pipeline.dedup.facts import count_units
from openm3w.pipeline.dedup.marks import earlier_files, mark_units
from openm3w.pipeline.dedup.state import State
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.tally import Tally

STATE_TABLES = ("entries", "marks", "counts", "superseded")
"""What a crawl leaves; `superseded` is for the user, the others for the next crawl."""


def run(plan: Plan, runner: Runner) -> None:
    """Marks and facts over all units; what is committed for every unit, and in the state, stays.

    Raises:
        OutputError: the store or the state cannot be written, or another run changed the state.
        ValueError: the plan was opened again, and so does not hold the state that it was made with.
    """
    if plan.recipe.dedup.state and plan.state is None:
        raise ValueError("marks and counts want the state, which a plan opened again does not hold")
    if not _are_marked(plan):
        if plan.state is not None:
            _enter(plan, plan.state, runner)
            return
        runners.run(runner, lambda p: _commit(mark_units(p, plan), plan))
    if plan.folder("dedup", "facts").pending(plan.units):
        runners.run(runner, lambda p: _commit_facts(count_units(p, plan), plan))


def _are_marked(plan: Plan) -> bool:
    """Whether every unit's marks are committed, and what they left is in the state."""
    if plan.folder("dedup").pending(plan.units):
        return False
    state = plan.state
    return state is None or (state.holds(plan.crawl) and bool(earlier_files(state, plan.crawl)))


def _enter(plan: Plan, state: State, runner: Runner) -> None:
    runners.run(runner, lambda p: mark_units(p, plan))
    runners.run(runner, lambda p: count_units(p, plan))
    state.commit(plan.crawl, STATE_TABLES)
    runners.run(runner, lambda p: _commit_both(p, plan))


def commit_unit(plan: Plan, unit: str) -> None:
    """Counts a unit's outcomes and commits its marks: their table is there.

    `stages` are what the floor drops here; `marks` are all, whoever acts on them.

    Raises:
        OutputError: the store cannot be written.
    """
    folder = plan.folder("dedup")
    marks = {row["row"]: row["reason"] for row in folder.rows(unit, ["row", "reason"])}
    pages, images = Tally(), Tally()
    for row in plan.folder("documents").rows(unit, ["row", "outcome", "images"]):
        if row["outcome"] != "kept":
            continue
        reason = marks.get(row["row"], "")
        dropped = bool(reason) and plan.drops(reason)
        pages.add("dropped" if dropped else "kept", reason if dropped else "")
        images.add(
            "dropped" if dropped else "kept", "page_dropped" if dropped else "", row["images"]
        )
    stages = [pages.to_json("dedup", "pages"), images.to_json("dedup", "images")]
    counts = {"stages": stages, "marks": dict(sorted(Counter(marks.values()).items()))}
    folder.commit_sidecar(unit, counts=counts, seconds={})


def _commit(units: PCollection[str], plan: Plan) -> PCollection[None]:
    return units | "Sidecar" >> beam.Map(lambda unit: commit_unit(plan, unit))


def _commit_facts(units: PCollection[str], plan: Plan) -> PCollection[None]:
    folder = plan.folder("dedup", "facts")
    return units | "Facts' sidecar" >> beam.Map(
        lambda unit: folder.commit_sidecar(unit, counts={}, seconds={})
    )


def _commit_both(pipeline: beam.Pipeline, plan: Plan) -> None:
    units = pipeline | beam.Create(list(plan.units)) | beam.Reshuffle()
    _commit_facts(units, plan)
    _commit(units, plan)
