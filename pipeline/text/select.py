"""Job 2: texts that are there twice are dropped, the others get their split.

Only references are shuffled. Of the same record the first stays, of the same words the smallest id.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
import pyarrow as pa

from openm3w.filters.url import registered_domain
from openm3w.pipeline import runners
from openm3w.pipeline.dedup.passes import Entry, Mark, MarkDuplicates, Place
from openm3w.pipeline.dedup.units import PerUnit
from openm3w.pipeline.jobs.writing import Row
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.tally import Tally
from openm3w.pipeline.text.plan import TextPlan
from openm3w.shards.ordering import split_by
from openm3w.shards.sample import Sample, document_from_json

SELECTED = pa.schema([("doc_id", pa.string()), ("split", pa.string()), ("document", pa.string())])
"""One row for each kept text."""

MARKS = pa.schema([("row", pa.int64()), ("doc_id", pa.string()), ("reason", pa.string())])
"""One row for each text that is there twice."""


def run(plan: TextPlan, runner: Runner) -> None:
    """Marks duplicates over all units, unless every unit is committed."""
    if plan.folder("select").pending(plan.units):
        runners.run(runner, lambda p: _graph(p, plan))


def commit_selection(plan: TextPlan, unit: str, marked: Iterable[tuple[int, str]]) -> None:
    """Commits the texts of one unit that stay, and the marks of the others: row and reason.

    Raises:
        OutputError: the store cannot be written.
    """
    folder, settings, tally = plan.folder("select"), plan.recipe.shards, Tally()
    marks = dict(marked)
    splits: dict[str, int] = {}
    with (
        folder.writing(unit, SELECTED) as add_selected,
        folder.writing(unit, MARKS, "marks.parquet") as add_mark,
    ):
        for row in plan.folder("texts").rows(unit):
            if row["outcome"] != "kept":
                continue
            reason = marks.get(row["row"], "")
            tally.add("dropped" if reason else "kept", reason)
            if reason:
                add_mark({"row": row["row"], "doc_id": row["doc_id"], "reason": reason})
                continue
            split = split_by(split_group(row), settings.val_share, settings.seed)
            splits[split] = splits.get(split, 0) + 1
            add_selected({"split": split, **{k: row[k] for k in ("doc_id", "document")}})
    counts = {"stages": [tally.to_json("select", "texts")], "splits": splits}
    folder.commit_sidecar(unit, counts=counts, seconds={})


def split_group(row: Mapping[str, Any]) -> str:
    """What stays in one split: the URL's registered domain, or the text itself."""
    return registered_domain(row["url"]) or str(row["text_hash"])


def samples(selected: Iterable[Row]) -> Iterator[Sample]:
    """Rows of SELECTED to samples."""
    for row in selected:
        document = document_from_json(json.loads(row["document"]))
        yield Sample(key=row["doc_id"], document=document)


def _entries(plan: TextPlan, unit: str) -> Iterator[Entry]:
    for row in plan.folder("texts").rows(unit, ["row", "doc_id", "text_hash", "outcome"]):
        if row["outcome"] == "kept":
            name = Place(row["doc_id"], unit, row["row"]).name
            # A URL does not tell texts apart: lines often have none.
            yield Entry(name, url_key="", text_key=row["text_hash"], fetched="", signature=b"")


def _graph(pipeline: beam.Pipeline, plan: TextPlan) -> None:
    units = pipeline | "Units" >> beam.Create(list(plan.units))
    _ = (
        units
        | "Entries" >> beam.FlatMap(lambda unit: _entries(plan, unit))
        | "Mark" >> MarkDuplicates(None)
        | "By unit" >> beam.Map(_by_unit)
        | "Per unit" >> PerUnit(units)
        | "Select" >> beam.MapTuple(lambda unit, rows: commit_selection(plan, unit, rows))
    )


def _by_unit(mark: Mark) -> tuple[str, tuple[int, str]]:
    place = Place.of(mark.name)
    return place.unit, (place.row, mark.reason)
