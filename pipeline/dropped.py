"""A sample of the documents that were dropped, some for each reason, for the viewer.

It is read off what the jobs committed and written beside it, never to the folder that is published.
A document that one of the first two jobs dropped has its text alone, for nobody fetched its images.
Each says job and reason. Builds that share a store have a sample each.
"""

import heapq
import json
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from openm3w.filters.cut import numbered, rebuilt
from openm3w.pipeline import claims
from openm3w.pipeline.completed import Completed, completed_documents
from openm3w.pipeline.images.packs import PackReader, Place
from openm3w.pipeline.plan import Plan
from openm3w.shards import manifest as manifests
from openm3w.shards.document import Document
from openm3w.shards.manifest import Manifest
from openm3w.shards.ordering import order_hash
from openm3w.shards.sample import Sample, document_from_json
from openm3w.shards.writer import write_shard

FOLDER: Final = "dropped"
"""In the store; a folder in it for each output."""

_Job = Literal["documents", "dedup", "shards"]
_COLUMNS = ["row", "doc_id", "outcome", "reason"]
_MARK = ["row", "reason"]


@dataclass(frozen=True, slots=True, order=True)
class _Chosen:
    place: int
    """By a hash of the id: which documents are taken depends on nothing else."""
    doc_id: str
    unit: str
    row: int
    job: _Job
    reason: str


def write_dropped(plan: Plan) -> Path | None:
    """Writes the sample that the recipe asks for; None where it asks for none, or none was dropped.

    An older sample of this output is not left behind.

    Raises:
        OutputError: the store is damaged or cannot be written.
    """
    root = folder_of(plan)
    chosen = _choose(plan, plan.recipe.report.dropped_samples)
    if not chosen:
        shutil.rmtree(root, ignore_errors=True)
        return None
    entry = write_shard(
        root, "data/train-000000.tar", _samples(plan, chosen), kind="interleaved", split="train"
    )
    name = f"dropped by {plan.recipe.name}"
    return manifests.write(Manifest(name=name, kind="interleaved", shards=(entry,), root=root))


def folder_of(plan: Plan) -> Path:
    """Where the sample of the plan's output stands."""
    key = claims.output_key(plan.output, plan.store)[:8]
    return plan.store / FOLDER / f"{plan.output.resolve().name}-{key}"


def _choose(plan: Plan, most: int) -> list[_Chosen]:
    """At most so many for each reason, by job, reason and place."""
    if not most:
        return []
    found: dict[tuple[str, str], list[_Chosen]] = defaultdict(list)
    for unit in plan.units:
        for each in _dropped(plan, unit):
            found[each.job, each.reason].append(each)
        for key, those in found.items():
            found[key] = heapq.nsmallest(most, those)
    # A record that stands in two archives is one document.
    ordered = {each.doc_id: each for key in sorted(found) for each in found[key]}
    return list(ordered.values())


def _dropped(plan: Plan, unit: str) -> Iterator[_Chosen]:
    outcomes = plan.folder("shards", "select").rows(unit, _COLUMNS, suffix="outcomes.parquet")
    jobs: tuple[tuple[_Job, Iterator[dict[str, Any]]], ...] = (
        ("documents", plan.folder("documents").rows(unit, _COLUMNS)),
        ("dedup", _marked(plan, unit)),
        ("shards", outcomes),
    )
    for job, rows in jobs:
        for row in rows:
            # What was not extracted is no document.
            if row["outcome"] != "kept" and row["doc_id"]:
                place = order_hash(row["doc_id"], plan.recipe.shards.seed)
                yield _Chosen(place, row["doc_id"], unit, row["row"], job, row["reason"])


def _marked(plan: Plan, unit: str) -> Iterator[dict[str, Any]]:
    """Documents that go no further than job dedup, as rows of outcomes."""
    marks = {mark["row"]: mark["reason"] for mark in plan.folder("dedup").rows(unit, _MARK)}
    for row in plan.folder("documents").rows(unit, _COLUMNS):
        reason = marks.get(row["row"], "")
        if row["outcome"] == "kept" and reason and plan.drops(reason):
            yield {**row, "outcome": "dropped", "reason": reason}


def _samples(plan: Plan, chosen: list[_Chosen]) -> Iterator[Sample]:
    """In the order of `chosen`; each unit's tables are read once."""
    units = dict.fromkeys(each.unit for each in chosen)
    found = {key: of for unit in units for key, of in _of_unit(plan, unit, chosen)}
    with PackReader(plan.folder("images", "packs").root) as packs:
        for each in chosen:
            document, places = found[each]
            shown = replace(document, dropped=f"{each.job}: {each.reason}")
            images = tuple(packs.read(place) for place in places)
            yield Sample(key=each.doc_id, document=shown, images=images)


def _of_unit(
    plan: Plan, unit: str, chosen: list[_Chosen]
) -> Iterator[tuple[_Chosen, tuple[Document, list[Place]]]]:
    here = [each for each in chosen if each.unit == unit]
    late = {each.row: each for each in here if each.job == "shards"}
    early = {each.row: each for each in here if each.job != "shards"}
    if early:
        for row in plan.folder("documents").rows(unit, ["row", "document"]):
            if row["row"] in early:
                yield early[row["row"]], _without_images(row["document"])
    if late:
        for completed in completed_documents(plan, unit, late.keys()):
            yield late[completed.row], _with_images(completed)


def _without_images(written: str) -> tuple[Document, list[Place]]:
    document = document_from_json(json.loads(written))
    texts = (item for item in numbered(document.spans) if item[1] < 0)
    return rebuilt(document, texts).document, []


def _with_images(completed: Completed) -> tuple[Document, list[Place]]:
    places = completed.places
    spans = numbered(completed.document.spans)
    cut = rebuilt(completed.document, (each for each in spans if each[1] < 0 or each[1] in places))
    return cut.document, [places[index] for index in cut.kept]
