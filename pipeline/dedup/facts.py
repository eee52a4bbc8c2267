"""Second half of job 2: how often a document's parts are there, and its places in orders.

What is counted: paragraphs and images of documents without a mark, so that a page that a crawl
holds a hundred times makes its menu no more frequent than it is. Near duplicates may stay, as a
profile says: they get their numbers, come behind all others in each order, and count for nobody.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection, TaggedOutput

from openm3w.filters.dedup.contamination import contamination
from openm3w.filters.dedup.images import image_key, image_set_key
from openm3w.filters.dedup.paragraphs import paragraph_keys
from openm3w.filters.duplicates import MAX_DOMAIN_RANK
from openm3w.filters.url import registered_domain
from openm3w.pipeline.dedup import evaluation
from openm3w.pipeline.dedup.frequency import MarkFrequent, Totals
from openm3w.pipeline.dedup.marks import earlier_files
from openm3w.pipeline.dedup.passes import Place
from openm3w.pipeline.dedup.ranks import Ranks
from openm3w.pipeline.dedup.state import State
from openm3w.pipeline.dedup.tables import COUNTS, ReadTable, WriteTable
from openm3w.pipeline.dedup.units import PerUnit, kept_documents
from openm3w.pipeline.plan import Plan
from openm3w.shards.document import Document

FACTS = pa.schema(
    [
        ("row", pa.int64()),
        ("domain_rank", pa.int64()),
        ("image_set_rank", pa.int64()),
        ("contamination", pa.float64()),
        ("repeated_paragraphs", pa.list_(pa.int64())),
        ("paragraph_counts", pa.list_(pa.int64())),
        ("url_counts", pa.list_(pa.int64())),
    ]
)
"""One row for each document of a unit without a mark or with `near_duplicate`.

`image_set_rank` is null without an image, `contamination` without evaluation texts.
`paragraph_counts` are occurrences in the registered domain of the paragraphs whose numbers
`repeated_paragraphs` holds, two or more; `url_counts` those of each image in the corpus, one or
more.
"""

NEAR = "near_duplicate"
_RANKED = ("domain_rank", "image_set_rank")


def count_units(pipeline: beam.Pipeline, plan: Plan) -> PCollection[str]:
    """Writes the facts of each unit, and of a state what the next crawl counts on.

    The result are the units, each when its facts are there.
    """
    units = pipeline | "Units" >> beam.Create(list(plan.units))
    read = (
        units
        | "Spread" >> beam.Reshuffle()
        | "Documents" >> beam.FlatMap(lambda unit: read_documents(plan, unit)).with_outputs()
    )
    ranked = read["ranked"]
    if plan.state:
        ranked = (ranked, pipeline | "Old" >> _OfState(plan, plan.state)) | beam.Flatten()
    places = ranked | "Rank" >> Ranks(MAX_DOMAIN_RANK) | "Ranks" >> beam.FlatMap(_rank_of_unit)
    return (
        (read["documents"], read["parts"] | "Parts" >> _Frequent(plan), places)
        | "All" >> beam.Flatten()
        | "Per unit" >> PerUnit(units)
        | "Write" >> beam.MapTuple(lambda unit, some: write_facts(plan, unit, some))
    )


def read_documents(plan: Plan, unit: str) -> Iterator[Any]:
    """What a unit's documents add to each count and order."""
    marks = {row["row"]: row["reason"] for row in plan.folder("dedup").rows(unit)}
    settings = plan.recipe.dedup
    known = (
        evaluation.load(settings.evaluation_texts, settings.ngram, plan.texts)
        if settings.evaluation_texts
        else None
    )
    for about, document in kept_documents(plan, unit):
        row = about["row"]
        reason = marks.get(row, "")
        if reason not in ("", NEAR):
            continue
        share = None if known is None else contamination(_text(document), known)
        facts = (len(document.images), share)
        yield TaggedOutput("documents", (unit, (row, "document", facts)))
        for number, key in paragraph_keys(document.url, document.texts):
            place = (unit, row, "paragraphs", number)
            yield TaggedOutput("parts", (key, place, not reason))
        for number, image in enumerate(document.images):
            place = (unit, row, "images", number)
            yield TaggedOutput("parts", (image_key(image.url), place, not reason))
        images = image_set_key(image.url for image in document.images if image.url)
        name = Place(document.doc_id, unit, row)
        for ranked in _ranked(plan, name, about["url_key"], images, reason):
            yield TaggedOutput("ranked", ranked)


def write_facts(plan: Plan, unit: str, found: Iterable[tuple[int, str, Any]]) -> str:
    """Writes the facts of one unit, whose name it returns.

    Raises:
        OutputError: the store cannot be written.
    """
    rows: dict[int, _Facts] = {}
    for row, kind, value in found:
        rows.setdefault(row, _Facts()).add(kind, value)
    with plan.folder("dedup", "facts").writing(unit, FACTS) as add:
        for row in sorted(rows):
            add({"row": row, **rows[row].columns()})
    return unit


@dataclass(slots=True)
class _Facts:
    """What is known of one document, gathered in any order."""

    images: int = 0
    contamination: float | None = None
    ranks: dict[str, int] = field(default_factory=dict)
    paragraphs: dict[int, int] = field(default_factory=dict)
    urls: dict[int, int] = field(default_factory=dict)

    def add(self, kind: str, value: Any) -> None:
        if kind == "document":
            self.images, self.contamination = value
        elif kind in _RANKED:
            self.ranks[kind] = value
        else:
            number, count = value
            (self.paragraphs if kind == "paragraphs" else self.urls)[number] = count

    def columns(self) -> dict[str, Any]:
        repeated = sorted(self.paragraphs.items())
        # Those that no rank came for are behind all that are told apart.
        ranks = {name: self.ranks.get(name, MAX_DOMAIN_RANK) for name in _RANKED}
        return {
            "domain_rank": ranks["domain_rank"],
            "image_set_rank": ranks["image_set_rank"] if self.images else None,
            "contamination": self.contamination,
            "repeated_paragraphs": [number for number, _ in repeated],
            "paragraph_counts": [count for _, count in repeated],
            "url_counts": [self.urls.get(number, 1) for number in range(self.images)],
        }


class _Frequent(beam.PTransform[Any, Any]):
    """(key, place, counted)... to (unit, fact)... where the key is there more than once.

    Paragraphs and images go together: the keys of one kind are none of the other.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan

    def expand(self, occurrences: PCollection[Any]) -> PCollection[Any]:
        plan = self._plan
        totals = occurrences | "Count" >> beam.FlatMap(_counted) | "Totals" >> Totals()
        if state := plan.state:
            folder, parts = state.folder(plan.crawl), len(plan.units)
            _ = totals | "Leave" >> WriteTable(folder, "counts", COUNTS, parts)
            files = state.files("counts", before=plan.crawl.name)
            old = occurrences.pipeline | "State" >> ReadTable(files)
            totals = (totals, old) | beam.Flatten() | "With state" >> Totals()
        return (
            occurrences
            | "Place" >> beam.Map(lambda found: (found[0], found[1]))
            | "Frequent" >> MarkFrequent(totals, 2)
            | "Fact" >> beam.MapTuple(_fact)
        )


class _OfState(beam.PTransform[Any, Any]):
    """The documents of earlier crawls that still stay, keyed as those of this one are."""

    def __init__(self, plan: Plan, state: State) -> None:
        super().__init__()
        self._plan, self._state = plan, state

    def expand(self, begin: Any) -> PCollection[Any]:
        plan, state = self._plan, self._state
        marks = earlier_files(state, plan.crawl)
        files = state.files("entries", before=plan.crawl.name)
        columns = ["doc_id", "url_key", "image_set"]
        return (
            {
                "entries": begin.pipeline
                | "Entries" >> ReadTable(files, columns)
                | "Key entries" >> beam.Map(lambda row: (row[0], row[1:])),
                "marks": begin.pipeline
                | "Marks" >> ReadTable(marks, ["doc_id", "reason"])
                | "Key marks" >> beam.Map(tuple),
            }
            | "Meet" >> beam.CoGroupByKey()
            | "Rank" >> beam.FlatMap(lambda joined: _old_ranked(plan, *joined))
        )


def _old_ranked(plan: Plan, doc_id: str, sides: Mapping[str, Iterable[Any]]) -> Iterator[Any]:
    reason = next(iter(sides["marks"]), "")
    if reason in ("", NEAR):
        for url_key, images in sides["entries"]:
            yield from _ranked(plan, Place(doc_id), url_key, images, reason)


def _ranked(
    plan: Plan, place: Place, url_key: str, images: bytes, reason: str
) -> Iterator[tuple[Any, tuple[bool, str, str, str]]]:
    """Near duplicates sort behind all others, and each kind by a hash that the seed chooses."""
    material = f"{plan.recipe.dedup.seed}\n{place.doc_id}".encode()
    digest = hashlib.blake2b(material, digest_size=8).hexdigest()
    for order, key in zip(_RANKED, (registered_domain(url_key), images), strict=True):
        if order == "domain_rank" or images:
            yield (order, key), (reason == NEAR, digest, place.name, order)


def _rank_of_unit(ranked: tuple[tuple[bool, str, str, str], int]) -> Iterator[Any]:
    (_, _, name, order), rank = ranked
    place = Place.of(name)
    if place.unit:
        yield place.unit, (place.row, order, rank)


def _counted(occurrence: tuple[bytes, Any, bool]) -> Iterator[tuple[bytes, int]]:
    key, _, counted = occurrence
    if counted:
        yield key, 1


def _fact(place: tuple[str, int, str, int], count: int) -> tuple[str, Any]:
    unit, row, kind, number = place
    return unit, (row, kind, (number, count))


def _text(document: Document) -> str:
    return "\n\n".join(document.texts)
