"""Job 3: the images of the wanted documents, from the archives into packs.

Two parts, each with its own units. `packs`: distinct URLs are resolved to archive records, at
most 500 of one archive make a unit, which writes a pack and a ledger row for each URL. `places`:
for each archive's documents, where each of their images ended up. Only URLs and ledger rows are
shuffled; image bytes go from the archive into the pack inside one worker.
"""

import contextlib
import functools
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import pyarrow as pa

from openm3w.filters.url import url_key
from openm3w.pipeline import runners
from openm3w.pipeline.archive import PARSER_ERRORS, read_record_at
from openm3w.pipeline.images.decode import Encoded, UnusableImageError, encode
from openm3w.pipeline.images.resolve import (
    Chase,
    Found,
    Resource,
    hop,
    max_joins,
    resource_keys,
)
from openm3w.pipeline.jobs import packing
from openm3w.pipeline.jobs.packing import LEDGER_FIELDS, Fetch, Packing, PackUnit
from openm3w.pipeline.page import Clock
from openm3w.pipeline.plan import Plan, wanted_documents
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import Folder
from openm3w.pipeline.tally import Tally

FAILED = frozenset({"undecodable", "unreadable_record"})
"""Outcomes that are errors; the others are decisions or absences."""

PLACES = pa.schema(
    [("row", pa.int64()), ("image", pa.int32()), ("url_key", pa.string()), *LEDGER_FIELDS]
)
"""One row for each image of each wanted document, in their order."""


def run(plan: Plan, runner: Runner) -> None:
    """Fetches what is not in a pack yet, then places every document's images."""
    if packing.is_pending(_packs(plan)):
        runners.run(runner, lambda p: _packs_graph(p, plan))
    if plan.folder("images", "places").pending(plan.units):
        runners.run(runner, lambda p: _places_graph(p, plan))


def pack_units(plan: Plan) -> list[str]:
    """Names of all units of packs, once they are committed."""
    return packing.pack_units(_packs(plan))


def wanted_urls(plan: Plan, unit: str) -> Iterator[tuple[str, tuple[str, int, int, int]]]:
    """url_key -> (unit, row, image, rank) for every URL that could serve an image.

    An archive holds what the crawler fetched, which need not be the largest candidate: all that
    the element names are looked up, in the order of preference.
    """
    for row, document in wanted_documents(plan, unit):
        for index, image in enumerate(document.images):
            keys = dict.fromkeys(url_key(url) for url in (image.url, *image.candidates))
            for rank, key in enumerate(keys):
                yield key, (unit, row, index, rank)


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
                encoded = encode(record.body, encoding)
            finally:
                clock.lap("decode and encode")
            verdict = plan.floor.keep_image(
                encoded.original_width, encoded.original_height, encoded.grey_deviation
            )
            if not verdict:
                raise UnusableImageError(verdict.reason)
            return encoded

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
        | "Place" >> beam.FlatMap(_place)
    )
    empty = units | "Every unit" >> beam.Map(lambda unit: (unit, None))
    _ = (
        (placed, empty)
        | beam.Flatten()
        | "Group by archive" >> beam.GroupByKey()
        | "Places" >> beam.Map(lambda kv: _commit_places(plan, kv[0], [r for r in kv[1] if r]))
    )


Placed = tuple[int, int, int, dict[str, Any]]
"""Row, image, rank and the ledger row of one candidate URL."""


def _place(joined: tuple[str, dict[str, Any]]) -> Iterator[tuple[str, Placed]]:
    _, sides = joined
    (row,) = sides["ledger"]
    for unit, document, image, rank in sides["wanted"]:
        yield unit, (document, image, rank, row)


def _commit_places(plan: Plan, unit: str, placed: list[Placed]) -> None:
    images: dict[tuple[int, int], list[tuple[int, dict[str, Any]]]] = {}
    for document, image, rank, row in placed:
        images.setdefault((document, image), []).append((rank, row))
    folder, tally = plan.folder("images", "places"), Tally()
    with folder.writing(unit, PLACES) as add:
        for (document, image), candidates in sorted(images.items()):
            row = choose(candidates)
            tally.add(row["outcome"], row["reason"])
            add({"row": document, "image": image, **row})
    folder.commit_sidecar(unit, counts={"stages": [tally.to_json("images", "images")]}, seconds={})
