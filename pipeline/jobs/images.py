"""Job 3: the images of the wanted documents, from the archives into packs.

Two parts, each with its own units. `packs`: distinct URLs are resolved to archive records, at
most 500 of one archive make a unit, which writes a pack and a ledger row for each URL. `places`:
for each archive's documents, where each of their images ended up. Only URLs and ledger rows are
shuffled; image bytes go from the archive into the pack inside one worker.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.combiners import ToList

from openm3w.filters.url import url_key
from openm3w.pipeline import runners
from openm3w.pipeline.archive import PARSER_ERRORS, read_record_at
from openm3w.pipeline.images.decode import Encoded, UnusableImageError, encode
from openm3w.pipeline.images.packs import PackWriter
from openm3w.pipeline.images.resolve import Chase, Found, Resource, hop, resource_keys
from openm3w.pipeline.page import Clock
from openm3w.pipeline.plan import Plan, wanted_documents
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.tally import Tally
from openm3w.shards import commit

MAX_URLS = 500
"""URLs of one unit: with 40 kB images a pack of 20 MB, a minute or two of work."""

FAILED = frozenset({"undecodable", "unreadable_record"})
"""Outcomes that are errors; the others are decisions or absences."""

_LEDGER_FIELDS = [
    ("outcome", pa.string()),
    ("reason", pa.string()),
    ("sha256", pa.string()),
    ("pack", pa.string()),
    ("offset", pa.int64()),
    ("length", pa.int64()),
    ("width", pa.int32()),
    ("height", pa.int32()),
    ("original_width", pa.int32()),
    ("original_height", pa.int32()),
    ("original_format", pa.string()),
    ("grey_deviation", pa.float64()),
]
LEDGER = pa.schema([("url_key", pa.string()), *_LEDGER_FIELDS])
"""One row for each distinct URL; `offset` and `length` are of the bytes inside the pack."""

PLACES = pa.schema(
    [("row", pa.int64()), ("image", pa.int32()), ("url_key", pa.string()), *_LEDGER_FIELDS]
)
"""One row for each image of each wanted document, in their order."""

_ALL_PACKS = "all"
"""Pseudo-unit whose sidecar lists the packs once all are there."""


@dataclass(frozen=True, slots=True)
class PackUnit:
    """URLs that are fetched together, and the archive they are in ("" for those in none)."""

    name: str
    archive: str
    urls: tuple[Found, ...]


def run(plan: Plan, runner: Runner) -> None:
    """Fetches what is not in a pack yet, then places every document's images."""
    packs = plan.folder("images", "packs")
    if packs.pending([_ALL_PACKS, *pack_units(plan)]):
        runners.run(runner, lambda p: _packs_graph(p, plan))
    if plan.folder("images", "places").pending(plan.units):
        runners.run(runner, lambda p: _places_graph(p, plan))


def pack_units(plan: Plan) -> list[str]:
    """Names of all units of packs, once they are committed."""
    sidecar = plan.folder("images", "packs").sidecar(_ALL_PACKS)
    return list(sidecar["counts"]["units"]) if sidecar else []


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


def make_units(archive: str, found: Iterable[Found]) -> Iterator[PackUnit]:
    """Units of at most MAX_URLS, in the order of the archive so that reading goes forward."""
    ordered = sorted(found, key=lambda f: (f.offset, f.origin))
    for start in range(0, len(ordered), MAX_URLS):
        urls = tuple(ordered[start : start + MAX_URLS])
        missing = urls[0].reason != ""
        name = f"{archive}-{start // MAX_URLS:05d}"
        yield PackUnit(name=name, archive="" if missing else archive, urls=urls)


def commit_pack(plan: Plan, unit: PackUnit) -> None:
    """Reads, decodes and stores the images of one unit, and commits pack and ledger.

    Raises:
        OutputError: the store cannot be written.
    """
    folder, clock, tally = plan.folder("images", "packs"), Clock(), Tally()
    if folder.sidecar(unit.name) is not None:
        return
    with contextlib.ExitStack() as stack:
        add = stack.enter_context(folder.writing(unit.name, LEDGER))
        if unit.archive:
            path = next(s.path for s in plan.sources if s.unit == unit.archive)
            file = stack.enter_context(path.open("rb"))
            pack = stack.enter_context(commit.committed(folder.path(unit.name, "tar")))
            writer = PackWriter(pack, f"{unit.name}.tar")
            stack.callback(writer.close)
            rows = (_fetch(plan, file, writer, found, clock) for found in unit.urls)
        else:
            rows = (_ledger_row(found.origin, "dropped", found.reason) for found in unit.urls)
        for row in rows:
            tally.add(row["outcome"], row["reason"])
            add(row)
    counts = {"stages": [tally.to_json("images", "urls")]}
    folder.commit_sidecar(unit.name, counts=counts, seconds=clock.seconds)


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


def _fetch(
    plan: Plan, file: BinaryIO, writer: PackWriter, found: Found, clock: Clock
) -> dict[str, Any]:
    encoding = plan.recipe.images.encoding
    try:
        record = read_record_at(file, found.offset, max_body=encoding.max_bytes + 1)
    except PARSER_ERRORS:
        return _ledger_row(found.origin, "failed", "unreadable_record")
    clock.lap("read")
    try:
        encoded = encode(record.body, encoding)
    except UnusableImageError as error:
        reason = str(error)
        return _ledger_row(found.origin, "failed" if reason in FAILED else "dropped", reason)
    finally:
        clock.lap("decode and encode")
    verdict = plan.floor.keep_image(
        encoded.original_width, encoded.original_height, encoded.grey_deviation
    )
    if not verdict:
        return _ledger_row(found.origin, "dropped", verdict.reason or "")
    row = _kept_row(found.origin, encoded, writer)
    clock.lap("store")
    return row


def _kept_row(origin: str, encoded: Encoded, writer: PackWriter) -> dict[str, Any]:
    place = writer.add(encoded.sha256, encoded.data)
    return _ledger_row(origin, "kept", "") | {
        "sha256": encoded.sha256,
        "pack": place.pack,
        "offset": place.offset,
        "length": place.length,
        "width": encoded.width,
        "height": encoded.height,
        "original_width": encoded.original_width,
        "original_height": encoded.original_height,
        "original_format": encoded.original_format,
        "grey_deviation": encoded.grey_deviation,
    }


def _ledger_row(origin: str, outcome: str, reason: str) -> dict[str, Any]:
    return {"url_key": origin, "outcome": outcome, "reason": reason}


def num_joins(plan: Plan) -> int:
    """Joins that the longest chain of redirects and revisits in these archives can need.

    Most archives hold neither near their images; a join that nothing can reach is not built.
    """
    folder = plan.folder("documents")
    counts = [sidecar["counts"] for unit in plan.units if (sidecar := folder.sidecar(unit))]
    redirects = min(sum(c["redirects"] for c in counts), plan.recipe.images.max_redirects + 1)
    # A revisit costs a join of its own, before each redirect and at the end.
    revisited = any(c["revisits"] for c in counts)
    return (redirects + 1) * (2 if revisited else 1)


def _packs_graph(pipeline: beam.Pipeline, plan: Plan) -> None:
    units = pipeline | "Archives" >> beam.Create(list(plan.units))
    resources = units | "Resources" >> beam.FlatMap(_resources, plan)
    chases = (
        units
        | "Wanted" >> beam.FlatMap(lambda unit: (key for key, _ in wanted_urls(plan, unit)))
        | "Distinct" >> beam.Distinct()
        | "Start" >> beam.Map(lambda key: Chase(key, f"url:{key}"))
    )
    ends = []
    for at in range(num_joins(plan)):
        steps = (
            {"chases": chases | f"Key {at}" >> beam.Map(lambda c: (c.key, c)), "at": resources}
            | f"Join {at}" >> beam.CoGroupByKey()
            | f"Hop {at}" >> beam.FlatMap(_hops, plan.recipe.images.max_redirects)
        )
        ends.append(steps | f"Ended {at}" >> beam.Filter(lambda s: isinstance(s, Found)))
        chases = steps | f"Going on {at}" >> beam.Filter(lambda s: isinstance(s, Chase))
    lost = chases | "Lost" >> beam.Map(lambda c: Found(c.origin, reason="too_many_redirects"))
    _ = (
        (*ends, lost)
        | "Found" >> beam.Flatten()
        | "By archive" >> beam.Map(lambda found: (_home(found), found))
        | "Group by archive" >> beam.GroupByKey()
        | "Units" >> beam.FlatMapTuple(make_units)
        | "Spread" >> beam.Reshuffle()
        | "Packs" >> beam.ParDo(CommitPack(plan))
        | "Names" >> ToList()
        | "All packs" >> beam.Map(lambda names: _commit_all(plan, names))
    )


class CommitPack(beam.DoFn):
    """Commits a unit of packs and passes its name on."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def process(self, unit: PackUnit) -> Iterator[str]:
        commit_pack(self._plan, unit)
        yield unit.name


def _home(found: Found) -> str:
    """The archive of a record that was found; those that were not are spread over 16 names."""
    digest = hashlib.blake2b(found.origin.encode(), digest_size=1).hexdigest()
    return f"missing{digest[0]}" if found.reason else found.unit


def _commit_all(plan: Plan, names: list[str]) -> None:
    counts = {"units": sorted(names)}
    plan.folder("images", "packs").commit_sidecar(_ALL_PACKS, counts=counts, seconds={})


def _resources(unit: str, plan: Plan) -> Iterator[tuple[str, Resource]]:
    for row in plan.folder("documents").rows(unit, suffix="records.parquet"):
        yield from resource_keys(row, unit)


def _hops(joined: tuple[str, dict[str, Any]], max_redirects: int) -> Iterator[Chase | Found]:
    _, sides = joined
    resources = list(sides["at"])
    for chase in sides["chases"]:
        step = hop(chase, resources)
        if isinstance(step, Chase) and step.hops > max_redirects:
            step = Found(step.origin, reason="too_many_redirects")
        yield step


def _places_graph(pipeline: beam.Pipeline, plan: Plan) -> None:
    units = pipeline | "Archives" >> beam.Create(list(plan.units))
    packs = pipeline | "Pack units" >> beam.Create(pack_units(plan))
    wanted = units | "Wanted" >> beam.FlatMap(lambda unit: wanted_urls(plan, unit))
    ledger = packs | "Ledger" >> beam.FlatMap(
        lambda name: ((r["url_key"], r) for r in plan.folder("images", "packs").rows(name))
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
