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
from openm3w.pipeline.jobs.dedup import PASSES, Reference, mark_all
from openm3w.pipeline.jobs.writing import Row, split_by
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.tally import Tally
from openm3w.pipeline.text.plan import TextPlan
from openm3w.shards.sample import Sample, document_from_json

SELECTED = pa.schema([("doc_id", pa.string()), ("split", pa.string()), ("document", pa.string())])
"""One row for each kept text."""

MARKS = pa.schema([("row", pa.int64()), ("doc_id", pa.string()), ("reason", pa.string())])
"""One row for each text that is there twice."""

# A URL does not tell texts apart: lines often have none.
_PASSES = tuple(p for p in PASSES if p[0] != "duplicate_url")


def run(plan: TextPlan, runner: Runner) -> None:
    """Marks duplicates over all units, unless every unit is committed."""
    if plan.folder("select").pending(plan.units):
        runners.run(runner, lambda p: _graph(p, plan))


def commit_selection(plan: TextPlan, unit: str, references: Iterable[Reference]) -> None:
    """Commits the texts of one unit that stay, and the marks of the others.

    Raises:
        OutputError: the store cannot be written.
    """
    folder, settings, tally = plan.folder("select"), plan.recipe.shards, Tally()
    marks = {reference.row: reference.reason for reference in references}
    splits: dict[str, int] = {}
    with (
        folder.writing(unit, SELECTED) as add_selected,
        folder.writing(unit, MARKS, "marks.parquet") as add_mark,
    ):
        for row in plan.folder("texts").rows(unit):
            if row["outcome"] != "kept":
                continue
            reason = marks[row["row"]]
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


def _references(plan: TextPlan, unit: str) -> Iterator[Reference]:
    for row in plan.folder("texts").rows(unit, ["row", "doc_id", "text_hash", "outcome"]):
        if row.pop("outcome") == "kept":
            yield Reference(unit=unit, url_key="", fetched="", images=0, reason="", **row)


def _graph(pipeline: beam.Pipeline, plan: TextPlan) -> None:
    units = pipeline | "Units" >> beam.Create(list(plan.units))
    references = units | "References" >> beam.FlatMap(
        lambda unit: _references(plan, unit)
    ).with_output_types(Reference)
    marked = mark_all(references, _PASSES) | "By unit" >> beam.Map(lambda r: (r.unit, r))
    # Each unit is there once more with None, so that one without texts commits too.
    empty = units | "Every unit" >> beam.Map(lambda unit: (unit, None))
    _ = (
        (marked, empty)
        | beam.Flatten()
        | "Group units" >> beam.GroupByKey()
        | "Select"
        >> beam.MapTuple(lambda unit, rows: commit_selection(plan, unit, [r for r in rows if r]))
    )
