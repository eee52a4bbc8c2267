"""Job 2: marks on documents that are there twice, and counts of what the corpus repeats.

The documents themselves stay as they are. Only references are shuffled: some 500 bytes a page for
the marks, and some 40 for each of its paragraphs and images. Two steps, of which the second reads
what the first wrote: marks, and counts. A crawl is entered into its state before the sidecars are
written: what a sidecar promises is in it.
"""

from collections import Counter

import apache_beam as beam
from apache_beam.pvalue import PCollection

from openm3w.pipeline import runners
from openm3w.pipeline.dedup.facts import count_units
from openm3w.pipeline.dedup.marks import mark_units
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.tally import Tally

STATE_TABLES = ("entries", "marks", "counts", "superseded")
"""What a crawl leaves; `superseded` is for the user, the others for the next crawl."""


def run(plan: Plan, runner: Runner) -> None:
    """Marks and counts over all units, unless every unit is committed, and in the state.

    Raises:
        OutputError: the store or the state cannot be written, or another run changed the state.
    """
    pending = plan.folder("dedup").pending(plan.units)
    if not pending and (plan.state is None or plan.state.holds(plan.crawl)):
        return
    runners.run(runner, lambda p: mark_units(p, plan))
    if plan.state is None:
        runners.run(runner, lambda p: _commit(count_units(p, plan), plan))
        return
    runners.run(runner, lambda p: count_units(p, plan))
    plan.state.commit(plan.crawl, STATE_TABLES)
    runners.run(runner, lambda p: _commit(p | beam.Create(pending) | beam.Reshuffle(), plan))


def commit_unit(plan: Plan, unit: str) -> None:
    """Counts a unit's outcomes and commits it: its tables are there.

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
