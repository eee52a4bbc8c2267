"""Job 2: marks on documents that are there twice; the documents themselves stay as they are.

Three passes, each over what the one before left unmarked: the same record in two archives, the
same URL (the latest capture stays), the same words under two URLs (the smallest id stays). Only
references are shuffled, some 200 bytes a page.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection

from openm3w.pipeline import runners
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.tally import Tally

MARKS = pa.schema([("row", pa.int64()), ("doc_id", pa.string()), ("reason", pa.string())])
"""One row for each marked document of a unit."""


class Reference(NamedTuple):
    """A document as the passes see it."""

    unit: str
    row: int
    doc_id: str
    url_key: str
    text_hash: str
    fetched: str
    images: int
    reason: str
    """Why it is marked, or ""."""


Rank = Callable[[Reference], Any]
Pass = tuple[str, Callable[[Reference], str], Rank]

# Reason, what makes two documents the same, and the order in which the first stays.
PASSES: tuple[Pass, ...] = (
    ("duplicate_record", lambda r: r.doc_id, lambda r: (r.unit, r.row)),
    ("duplicate_url", lambda r: r.url_key, lambda r: (_Descending(r.fetched), r.doc_id)),
    ("duplicate_text", lambda r: r.text_hash, lambda r: r.doc_id),
)


class _Descending(str):
    """A string that sorts backwards: the latest date first."""

    __slots__ = ()

    def __lt__(self, other: str) -> bool:
        return str.__gt__(self, other)

    def __gt__(self, other: str) -> bool:
        return str.__lt__(self, other)


def run(plan: Plan, runner: Runner) -> None:
    """Marks duplicates over all units, unless every unit's marks are committed."""
    if plan.folder("dedup").pending(plan.units):
        runners.run(runner, lambda p: _graph(p, plan))


def mark(references: Iterable[Reference], reason: str, rank: Rank) -> Iterator[Reference]:
    """The references of one group, all but the first in `rank` marked with `reason`.

    One reference is held at a time, and the first comes last: a page that a crawl holds a million
    times is a group that no worker could sort.
    """
    passing = iter(references)
    first = next(passing)
    for reference in passing:
        first, other = (reference, first) if rank(reference) < rank(first) else (first, reference)
        yield other._replace(reason=reason)
    yield first


def mark_all(references: PCollection[Reference], passes: Iterable[Pass]) -> PCollection[Reference]:
    """The same references, those marked that a pass finds to be there twice."""
    for reason, same, rank in passes:
        references = (
            references
            | f"Key {reason}" >> beam.Map(_keyed, same)
            | f"Group {reason}" >> beam.GroupByKey()
            | f"Mark {reason}" >> beam.FlatMap(_mark_group, reason, rank)
        )
    return references


def read_references(plan: Plan, unit: str) -> Iterator[Reference]:
    """References of the documents that the first job kept."""
    columns = ["row", "outcome", "doc_id", "url_key", "text_hash", "fetched", "images"]
    for row in plan.folder("documents").rows(unit, columns):
        if row.pop("outcome") == "kept":
            yield Reference(unit=unit, reason="", **row)


def commit_marks(plan: Plan, unit: str, references: Iterable[Reference]) -> None:
    """Commits the marks of one unit.

    Raises:
        OutputError: the store cannot be written.
    """
    pages, images = Tally(), Tally()
    with plan.folder("dedup").writing(unit, MARKS) as add:
        for reference in sorted(references, key=lambda r: r.row):
            outcome = "dropped" if reference.reason else "kept"
            pages.add(outcome, reference.reason)
            images.add(outcome, "page_dropped" if reference.reason else "", reference.images)
            if reference.reason:
                add({"row": reference.row, "doc_id": reference.doc_id, "reason": reference.reason})
    stages = [pages.to_json("dedup", "pages"), images.to_json("dedup", "images")]
    plan.folder("dedup").commit_sidecar(unit, counts={"stages": stages}, seconds={})


def _graph(pipeline: beam.Pipeline, plan: Plan) -> None:
    units = pipeline | "Units" >> beam.Create(list(plan.units))
    references = units | "References" >> beam.FlatMap(
        lambda unit: read_references(plan, unit)
    ).with_output_types(Reference)
    marked = mark_all(references, PASSES) | "By unit" >> beam.Map(lambda r: (r.unit, r))
    # Each unit is there once more with None, so that one without documents commits too.
    empty = units | "Every unit" >> beam.Map(lambda unit: (unit, None))
    _ = (
        (marked, empty)
        | beam.Flatten()
        | "Group units" >> beam.GroupByKey()
        | "Marks" >> beam.Map(lambda kv: commit_marks(plan, kv[0], [r for r in kv[1] if r]))
    )


def _keyed(reference: Reference, same: Callable[[Reference], str]) -> tuple[str, Reference]:
    # A marked reference is in a group of its own: it makes no other one a duplicate.
    key = f"{reference.unit} {reference.row}" if reference.reason else f"= {same(reference)}"
    return key, reference


def _mark_group(
    group: tuple[str, Iterable[Reference]], reason: str, rank: Rank
) -> Iterator[Reference]:
    key, references = group
    return mark(references, reason, rank) if key.startswith("= ") else iter(references)
