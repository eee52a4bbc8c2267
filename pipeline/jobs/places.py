"""Second part of job 3: where each image of each document ended up.

Only URLs and ledger rows are shuffled. What serves an image, and how often its content is used, do
not depend on the floor: both are decided before its bounds.
"""

import functools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import apache_beam as beam
import pyarrow as pa

from openm3w.filters.url import url_key
from openm3w.pipeline import runners
from openm3w.pipeline.buried import is_blank
from openm3w.pipeline.dedup.frequency import Totals
from openm3w.pipeline.dedup.hot import LookUp
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.images.ledger import LEDGER_FIELDS, is_decoded
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import Folder
from openm3w.pipeline.tally import Tally
from openm3w.pipeline.wanted import wanted_documents

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


def run(plan: Plan, runner: Runner, pack_units: Iterable[str]) -> None:
    """Places every document's images by the ledgers of these units of packs."""
    if plan.folder("images", "places").pending(plan.units):
        names = list(pack_units)
        runners.run(runner, lambda p: _graph(p, plan, names))


def wanted_urls(plan: Plan, unit: str) -> Iterator[tuple[str, tuple[Spot, int]]]:
    """url_key -> where it is wanted, and its rank there, for every URL that could serve an image.

    An archive holds what the crawler fetched, which need not be the largest candidate: all that
    the element names are looked up, in the order of preference.
    """
    marked = {mark["row"] for mark in plan.folder("dedup").rows(unit, ["row"])}
    for row, document in wanted_documents(plan, unit):
        for index, image in enumerate(document.images):
            if is_blank(image):
                continue
            spot = Spot(unit, row, index, row not in marked)
            keys = dict.fromkeys(url_key(url) for url in (image.url, *image.candidates))
            for rank, key in enumerate(keys):
                yield key, (spot, rank)


def blank_rows(plan: Plan, unit: str) -> Iterator[dict[str, Any]]:
    """Rows of PLACES for the images of which only the place is left."""
    nothing = dict.fromkeys(PLACES.names)
    for row, document in wanted_documents(plan, unit):
        for at, image in enumerate(document.images):
            if is_blank(image):
                told = {"row": row, "image": at, "url_key": "", "outcome": "dropped"}
                yield {**nothing, **told, "reason": TOMBSTONE}


def choose(candidates: Iterable[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
    """The ledger row that serves an image.

    The preferred URL's where its picture was decoded, else the largest one decoded (pages name
    small sizes first), else the preferred URL's for its reason. That the floor drops a picture
    plays no part: the same profile would have other data under another floor.
    """
    ordered = [row for _, row in sorted(candidates, key=lambda pair: pair[0])]
    if is_decoded(ordered[0]):
        return ordered[0]
    decoded = (row for row in ordered if is_decoded(row))
    return max(decoded, key=lambda row: row["original_width"], default=ordered[0])


def _graph(pipeline: beam.Pipeline, plan: Plan, pack_units: list[str]) -> None:
    packs_folder: Folder = plan.folder("images", "packs")
    units = pipeline | "Archives" >> beam.Create(list(plan.units))
    packs = pipeline | "Pack units" >> beam.Create(pack_units)
    wanted = units | "Wanted" >> beam.FlatMap(lambda unit: wanted_urls(plan, unit))
    ledger = packs | "Ledger" >> beam.FlatMap(
        lambda name: ((r["url_key"], r) for r in packs_folder.rows(name))
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
    if is_decoded(place):
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
        placed = [*(place for _, place in sides["placed"]), *blank_rows(plan, unit)]
        for place in sorted(placed, key=lambda p: (p["row"], p["image"])):
            tally.add(place["outcome"], place["reason"])
            uses = counts.get(place["sha256"], 1) if is_decoded(place) else None
            add({**place, "content_count": uses})
    folder.commit_sidecar(unit, counts={"stages": [tally.to_json("images", "images")]}, seconds={})
