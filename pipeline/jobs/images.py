"""Job 3: the images of the wanted documents, from the archives into packs.

Two parts, each with its own units. `packs`: distinct URLs are resolved to archive records, at
most 500 of one archive make a unit, which writes a pack and a ledger row for each URL. `places`:
for each archive's documents, where each of their images ended up. Only URLs and ledger rows are
shuffled; image bytes go from the archive into the pack inside one worker.
"""

import contextlib
import functools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa

from openm3w.filters.url import url_key
from openm3w.pipeline import runners
from openm3w.pipeline.archive import PARSER_ERRORS, read_record_at
from openm3w.pipeline.dedup.frequency import Totals
from openm3w.pipeline.dedup.hot import LookUp
from openm3w.pipeline.images.decode import Encoded, UnusableImageError, encode
from openm3w.pipeline.images.ledger import LEDGER_FIELDS, as_image
from openm3w.pipeline.images.resolve import (
    Chase,
    Found,
    Resource,
    hop,
    max_joins,
    resource_keys,
)
from openm3w.pipeline.jobs import packing
from openm3w.pipeline.jobs.packing import Fetch, Packing, PackUnit
from openm3w.pipeline.page import Clock
from openm3w.pipeline.plan import Plan, wanted_documents
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import Folder
from openm3w.pipeline.tally import Tally

FAILED = frozenset({"undecodable", "unreadable_record"})
"""Outcomes that are errors; the others are decisions or absences."""

PLACES = pa.schema(
    [
        ("row", pa.int64()),
        ("image", pa.int32()),
        ("url_key", pa.string()),
        *LEDGER_FIELDS,
        ("content_count", pa.int64()),
    ]
)
"""One row for each image of each wanted document, in their order.

`content_count` says how many images of documents without a mark have the same stored bytes, as
`url_count` does of addresses: near duplicates get the number, at least 1, and count for nobody. So
it is the same whether or not the floor lets near duplicates travel on.
"""


class Spot(NamedTuple):
    """One image of one document."""

    unit: str
    row: int
    image: int
    counted: bool
    """Whether its document has no mark."""


_Placed = tuple[bool, dict[str, Any]]
"""Whether the document counts, and the row of PLACES."""


def run(plan: Plan, runner: Runner) -> None:
    """Fetches what is not in a pack yet, then places every document's images."""
    if packing.is_pending(_packs(plan)):
        runners.run(runner, lambda p: _packs_graph(p, plan))
    if plan.folder("images", "places").pending(plan.units):
        runners.run(runner, lambda p: _places_graph(p, plan))


def pack_units(plan: Plan) -> list[str]:
    """Names of all units of packs, once they are committed."""
    return packing.pack_units(_packs(plan))


def wanted_urls(plan: Plan, unit: str) -> Iterator[tuple[str, tuple[Spot, int]]]:
    """url_key -> where it is wanted, and its rank there, for every URL that could serve an image.

    An archive holds what the crawler fetched, which need not be the largest candidate: all that
    the element names are looked up, in the order of preference.
    """
    marked = {mark["row"] for mark in plan.folder("dedup").rows(unit, ["row"])}
    for row, document in wanted_documents(plan, unit):
        for index, image in enumerate(document.images):
            spot = Spot(unit, row, index, row not in marked)
            keys = dict.fromkeys(url_key(url) for url in (image.url, *image.candidates))
            for rank, key in enumerate(keys):
                yield key, (spot, rank)


def commit_pack(plan: Plan, unit: PackUnit) -> None:
    """Reads, decodes and stores the images of one unit, and commits pack and ledger.

    Raises:
        OutputError: the store cannot be written.
    """
    how = Packing(
        folder=_packs(plan),
        key="url_key",
        unit="urls",
        failed=FAILED,
        opening=functools.partial(_opening, plan),
    )
    packing.commit_pack(how, unit)


def choose(candidates: Iterable[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
    """The ledger row that serves an image.

    The preferred URL's where it was kept, else the largest one kept (pages name small sizes
    first), else the preferred URL's for its reason.
    """
    ordered = [row for _, row in sorted(candidates, key=lambda pair: pair[0])]
    if ordered[0]["outcome"] == "kept":
        return ordered[0]
    kept = (row for row in ordered if row["outcome"] == "kept")
    return max(kept, key=lambda row: row["original_width"], default=ordered[0])


def _packs(plan: Plan) -> Folder:
    return plan.folder("images", "packs")


@contextlib.contextmanager
def _opening(plan: Plan, archive: str, clock: Clock) -> Iterator[Fetch]:
    encoding = plan.recipe.images.encoding
    blocklist, evaluation = plan.lists.load()
    path = next(s.path for s in plan.sources if s.unit == archive)
    with path.open("rb") as file:

        def fetch(found: Found) -> Encoded:
            try:
                record = read_record_at(file, found.offset, max_body=encoding.max_bytes + 1)
            except PARSER_ERRORS:
                raise UnusableImageError("unreadable_record") from None
            finally:
                clock.lap("read")
            try:
                if reason := blocklist.refuses_bytes(record.body):
                    raise UnusableImageError(reason)
                encoded = encode(record.body, encoding, with_pdq=len(blocklist.pdq) > 0)
                if reason := blocklist.refuses(encoded):
                    raise UnusableImageError(reason)
            finally:
                clock.lap("decode and encode")
            verdict = plan.floor.keep_image(as_image(encoded))
            if not verdict:
                raise UnusableImageError(verdict.reason)
            if not len(evaluation):
                return encoded
            return replace(encoded, eval_distance=evaluation.nearest(encoded.measures.phash))

        yield fetch


def num_joins(plan: Plan) -> int:
    """Joins that the longest chain of redirects and revisits in these archives can need."""
    counts = list(plan.folder("documents").counts(plan.units))
    return max_joins(
        redirects=sum(c["redirects"] for c in counts),
        revisits=sum(c["revisits"] for c in counts),
        max_redirects=plan.recipe.images.max_redirects,
    )


def _packs_graph(pipeline: beam.Pipeline, plan: Plan) -> None:
    units = pipeline | "Archives" >> beam.Create(list(plan.units))
    resources = units | "Resources" >> beam.FlatMap(_resources, plan)
    chases = (
        units
        | "Wanted" >> beam.FlatMap(lambda unit: (key for key, _ in wanted_urls(plan, unit)))
        | "Distinct" >> beam.Distinct()
        | "Start" >> beam.Map(lambda key: Chase(key, f"url:{key}"))
    )
    found = packing.follow(
        chases,
        resources,
        hop,
        joins=num_joins(plan),
        max_redirects=plan.recipe.images.max_redirects,
    )
    packing.commit_packs(found, _packs(plan), functools.partial(commit_pack, plan))


def _resources(unit: str, plan: Plan) -> Iterator[tuple[str, Resource]]:
    for row in plan.folder("documents").rows(unit, suffix="records.parquet"):
        yield from resource_keys(row, unit)


def _places_graph(pipeline: beam.Pipeline, plan: Plan) -> None:
    units = pipeline | "Archives" >> beam.Create(list(plan.units))
    packs = pipeline | "Pack units" >> beam.Create(pack_units(plan))
    wanted = units | "Wanted" >> beam.FlatMap(lambda unit: wanted_urls(plan, unit))
    ledger = packs | "Ledger" >> beam.FlatMap(
        lambda name: ((r["url_key"], r) for r in _packs(plan).rows(name))
    )
    placed = (
        {"wanted": wanted, "ledger": ledger}
        | "Join" >> beam.CoGroupByKey()
        | "Candidates" >> beam.FlatMap(_candidates)
        | "Group by image" >> beam.GroupByKey()
        | "Place" >> beam.MapTuple(_place)
    )
    used = placed | "Used" >> beam.FlatMap(_used)
    totals = used | "One each" >> beam.FlatMap(_ones) | Totals()
    counted = (
        used
        | "Asking" >> beam.Map(_asking)
        # A content that a unit uses a million times is asked for once.
        | "Once for each archive" >> beam.Distinct()
        | "Counts" >> LookUp(totals)
        | "By archive" >> beam.MapTuple(lambda use, total: (use[0], (use[1], total)))
    )
    empty = units | "Every unit" >> beam.Map(lambda unit: (unit, None))
    _ = (
        {"placed": placed, "counted": counted, "empty": empty}
        | "Group by archive" >> beam.CoGroupByKey()
        | "Places" >> beam.MapTuple(functools.partial(_commit_places, plan))
    )


def _candidates(
    joined: tuple[str, dict[str, Any]],
) -> Iterator[tuple[Spot, tuple[int, dict[str, Any]]]]:
    """Each image that the URL could serve, with the URL's rank there and its ledger row."""
    _, sides = joined
    (row,) = sides["ledger"]
    for spot, rank in sides["wanted"]:
        yield spot, (rank, row)


def _place(
    spot: tuple[str, int, int, bool], candidates: Iterable[tuple[int, dict[str, Any]]]
) -> tuple[str, _Placed]:
    unit, row, image, counted = spot  # Beam's coders make a plain tuple of a named one
    return unit, (counted, {"row": row, "image": image, **choose(candidates)})


def _used(placed: tuple[str, _Placed]) -> Iterator[tuple[str, tuple[bool, str]]]:
    """The content that a place uses, whether that counts, and the unit that asks."""
    unit, (counted, place) = placed
    if place["outcome"] == "kept":
        yield place["sha256"], (counted, unit)


def _ones(use: tuple[str, tuple[bool, str]]) -> Iterator[tuple[str, int]]:
    sha256, (counted, _) = use
    if counted:
        yield sha256, 1


def _asking(use: tuple[str, tuple[bool, str]]) -> tuple[str, tuple[str, str]]:
    """Of one content each unit tells what it asks by the content."""
    sha256, (_, unit) = use
    return sha256, (unit, sha256)


def _commit_places(plan: Plan, unit: str, sides: dict[str, Any]) -> None:
    counts = dict(sides["counted"])
    folder, tally = plan.folder("images", "places"), Tally()
    with folder.writing(unit, PLACES) as add:
        placed = (place for _, place in sides["placed"])
        for place in sorted(placed, key=lambda p: (p["row"], p["image"])):
            tally.add(place["outcome"], place["reason"])
            uses = counts.get(place["sha256"], 1) if place["outcome"] == "kept" else None
            add({**place, "content_count": uses})
    folder.commit_sidecar(unit, counts={"stages": [tally.to_json("images", "images")]}, seconds={})
