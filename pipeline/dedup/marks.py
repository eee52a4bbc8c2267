"""First half of job 2: marks on documents that are there twice, here or in an earlier crawl."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection

from openm3w.filters.dedup.images import image_set_key
from openm3w.pipeline.dedup.near import packed
from openm3w.pipeline.dedup.passes import Entry, Mark, MarkDuplicates, Place, Unmarked
from openm3w.pipeline.dedup.state import Crawl, State
from openm3w.pipeline.dedup.tables import ENTRIES, MARKED, ReadEntries, ReadTable, WriteTable
from openm3w.pipeline.dedup.units import PerUnit, kept_documents
from openm3w.pipeline.plan import Plan

MARKS = pa.schema(
    [("row", pa.int64()), ("doc_id", pa.string()), ("reason", pa.string()), ("first", pa.string())]
)
"""One row for each marked document of a unit; `first` is the id of the one that stays."""


def mark_units(pipeline: beam.Pipeline, plan: Plan) -> PCollection[str]:
    """Writes the marks of each unit, and of a state what the next crawl marks against.

    The result are the units, each when its marks are there.
    """
    units = pipeline | "Units" >> beam.Create(list(plan.units))
    new = (
        units
        | "Spread" >> beam.Reshuffle()
        | "Entries" >> beam.FlatMap(lambda unit: read_entries(plan, unit))
    )
    entries = new
    if plan.state:
        files = plan.state.files("entries", before=plan.crawl.name)
        entries = (new, pipeline | "State" >> ReadEntries(files)) | "Both" >> beam.Flatten()
    marks = entries | "Mark" >> MarkDuplicates(plan.recipe.dedup.near)
    if plan.state:
        _leave(plan, plan.state, new, marks)
    return (
        marks
        | "Of this run" >> beam.FlatMap(_by_unit)
        | "Per unit" >> PerUnit(units)
        | "Write marks" >> beam.MapTuple(lambda unit, rows: write_marks(plan, unit, rows))
    )


def read_entries(plan: Plan, unit: str) -> Iterator[Entry]:
    """The documents that the first job kept, as the passes see them."""
    minhash = plan.recipe.dedup.minhash
    for row, document in kept_documents(plan, unit):
        signature = minhash.signature("\n\n".join(document.texts))
        yield Entry(
            name=Place(document.doc_id, unit, row["row"]).name,
            url_key=row["url_key"],
            text_key=row["text_hash"],
            fetched=document.provenance.fetched,
            signature=b"" if signature is None else packed(signature),
            image_set=image_set_key(image.url for image in document.images if image.url),
        )


def write_marks(plan: Plan, unit: str, rows: Iterable[tuple[int, str, str, str]]) -> str:
    """Writes the marks of one unit, whose name it returns.

    Raises:
        OutputError: the store cannot be written.
    """
    with plan.folder("dedup").writing(unit, MARKS) as add:
        for row in sorted(rows):
            add(dict(zip(MARKS.names, row, strict=True)))
    return unit


def earlier_files(state: State, crawl: Crawl) -> list[str]:
    """Files of the marks that a crawl's run made on documents of earlier ones."""
    return sorted(str(path) for path in state.folder(crawl).glob("earlier-*.parquet"))


def _by_unit(mark: Mark) -> Iterator[tuple[str, tuple[int, str, str, str]]]:
    place = Place.of(mark.name)
    if place.unit:
        yield place.unit, (place.row, place.doc_id, mark.reason, Place.of(mark.first).doc_id)


def _leave(plan: Plan, state: State, new: PCollection[Entry], marks: PCollection[Mark]) -> None:
    """Writes a crawl's entries, and the marks that no earlier crawl made.

    `superseded` are those on documents that an earlier crawl may have published; `earlier` all
    marks on its documents, for the second half of this run alone.
    """
    folder, parts = state.folder(plan.crawl), len(plan.units)
    copies = marks | "Copies" >> beam.Filter(_is_copy)
    others = marks | "No copies" >> beam.Filter(lambda mark: not _is_copy(mark))
    known = ReadTable(state.files("marks", before=plan.crawl.name), ["doc_id"])
    made = (
        {
            "marks": others | "Marked" >> beam.Map(_with_age),
            "known": new.pipeline | "Known" >> known | "Key" >> beam.Map(lambda row: (row[0], 1)),
        }
        | "Meet" >> beam.CoGroupByKey()
        | "New" >> beam.FlatMap(_not_known)
    )
    tables = {
        "entries": (new | "Once" >> Unmarked(copies) | "Id" >> beam.Map(_with_id), ENTRIES),
        "earlier": (others | "Old" >> beam.Map(_with_age) | "Of old" >> beam.FlatMap(_old), MARKED),
        "marks": (made | "All" >> beam.Map(lambda found: found[1]), MARKED),
        "superseded": (made | "Superseded" >> beam.FlatMap(_superseded), MARKED),
    }
    for table, (rows, schema) in tables.items():
        _ = rows | f"Leave {table}" >> WriteTable(folder, table, schema, parts)


def _is_copy(mark: Mark) -> bool:
    """Of one record there is one entry in a state, so that no mark is on the wrong one."""
    return mark.reason == "duplicate_record"


def _with_id(entry: Entry) -> Entry:
    return entry._replace(name=Place.of(entry.name).doc_id)


def _with_age(mark: Mark) -> tuple[str, tuple[bool, tuple[str, str, str]]]:
    """Id, whether the document is of an earlier crawl, and the row of a table."""
    place = Place.of(mark.name)
    row = (place.doc_id, mark.reason, Place.of(mark.first).doc_id)
    return place.doc_id, (not place.unit, row)


def _old(found: tuple[str, tuple[bool, tuple[str, str, str]]]) -> Iterator[tuple[str, str, str]]:
    is_old, row = found[1]
    if is_old:
        yield row


def _not_known(joined: tuple[str, Mapping[str, Iterable[Any]]]) -> Iterator[Any]:
    _, sides = joined
    if not any(True for _ in sides["known"]):
        yield from sides["marks"]


def _superseded(found: tuple[bool, tuple[str, str, str]]) -> Iterator[tuple[str, str, str]]:
    is_old, row = found
    if is_old:
        yield row
