"""Job 3: the images of the wanted documents, from the archives into packs.

Two parts, each with its own units. `packs`: distinct URLs are resolved to archive records, at
most 500 of one archive make a unit, which writes a pack and a ledger row for each URL. `places`:
for each archive's documents, where each of their images ended up. Only URLs and ledger rows are
shuffled; image bytes go from the archive into the pack inside one worker.

What the inputs lack is looked up in the archives that `--images` names, of which `index` has a unit
each, and then asked of the web.
"""

import contextlib
import functools
from collections.abc import Iterator
from dataclasses import replace

import apache_beam as beam

from openm3w.filters.perplexity import PERPLEXITY
from openm3w.pipeline import runners
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.images.decode import (
    Encoded,
    UnusableImageError,
    UnwantedImageError,
    encode,
)
from openm3w.pipeline.images.ledger import as_image
from openm3w.pipeline.images.named import ImagePlace
from openm3w.pipeline.images.resolve import (
    Chase,
    Found,
    Resource,
    hop,
    resource_keys,
)
from openm3w.pipeline.jobs import all_packs, indexing, packing, places, web
from openm3w.pipeline.jobs.grouping import WEB, PackUnit, archive_of
from openm3w.pipeline.jobs.packing import Packing, Read
from openm3w.pipeline.jobs.reading import heeding, reading_records
from openm3w.pipeline.jobs.searching import follow
from openm3w.pipeline.jobs.web import Body
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import Folder

FAILED = frozenset({"undecodable", "unreadable_record"})
"""Outcomes that are errors; the others are decisions or absences."""


def run(plan: Plan, runner: Runner) -> None:
    """Fetches what is not in a pack yet, then places every document's images."""
    if all_packs.is_pending(_packs(plan)):
        indexing.run(index(plan), "images", plan.copies, indexing.image_rows, runner)
        with web.asking(plan.web, runner, _packs(plan), WEB):
            runners.run(runner, lambda p: _packs_graph(p, plan))
    places.run(plan, runner, pack_units(plan))


def archives_without_packs(plan: Plan, *, bytes_too: bool) -> set[str]:
    """The archives of packs that are still to be made or are gone; all where that is not known.

    `bytes_too`: a pack whose ledger alone is there is gone.
    """
    left = all_packs.pending(_packs(plan), bytes_too=bytes_too)
    archives = {archive_of(name) for name in left}
    return archives if archives.issubset(plan.units) else set(plan.units)


def index(plan: Plan) -> Folder:
    """Where it is noted what the archives hold that `--images` names: of one file once for all."""
    return plan.folder("images", "index")


def pack_units(plan: Plan) -> list[str]:
    """Names of all units of packs, once they are committed."""
    return all_packs.pack_units(_packs(plan))


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
        reading=functools.partial(_reading, plan),
        encode=functools.partial(_encoded, plan, web.tombstones(plan.fetched)),
        web=plan.web,
        made_of_it=tuple(_made_of_ledgers(plan)),
    )
    packing.commit_pack(how, unit)


def _made_of_ledgers(plan: Plan) -> Iterator[Folder]:
    """What knows where images are, or which of them there are; perplexities do not."""
    yield plan.folder("images", "places")
    yield from (plan.folder("scores", part) for part in plan.score_parts if part != PERPLEXITY)
    yield plan.measures
    yield from (plan.folder("shards", part) for part in ("select", "written"))


def _packs(plan: Plan) -> Folder:
    return plan.folder("images", "packs")


@contextlib.contextmanager
def _reading(plan: Plan, archive: str) -> Iterator[Read]:
    paths = {source.unit: source.path for source in plan.sources}
    paths |= {place.unit: place.path for place in plan.copies}
    tombstones = web.tombstones(plan.fetched)
    with reading_records(
        paths[archive],
        max_body=plan.recipe.images.encoding.max_bytes + 1,
        unreadable="unreadable_record",
        tombstones=tombstones,
    ) as read:
        yield heeding(read, tombstones)


def _encoded(
    plan: Plan,
    tombstones: Tombstones,
    body: Body,
    archive: str,  # noqa: ARG001
) -> Encoded:
    data, images, blocklist = body.data, plan.recipe.images, plan.lists.blocked()
    if reason := blocklist.refuses_bytes(data):
        raise UnusableImageError(reason)
    encoded = encode(data, images.encoding, with_pdq=len(blocklist.pdq) > 0)
    if tombstones.covers_content(encoded.sha256):
        raise UnusableImageError(TOMBSTONE)
    if reason := blocklist.refuses(encoded):
        raise UnusableImageError(reason)
    verdict = plan.floor.keep_image(as_image(encoded))
    if not verdict:
        raise UnwantedImageError(str(verdict.reason), encoded)
    return replace(encoded, original_data=data) if images.originals else encoded


def _packs_graph(pipeline: beam.Pipeline, plan: Plan) -> None:
    max_redirects = plan.recipe.images.max_redirects
    counts = list(plan.folder("documents").counts(plan.units))
    units = pipeline | "Archives" >> beam.Create(list(plan.units))
    resources = units | "Resources" >> beam.FlatMap(_resources, plan)
    chases = (
        units
        | "Wanted" >> beam.FlatMap(lambda unit: (key for key, _ in places.wanted_urls(plan, unit)))
        | "Distinct" >> beam.Distinct()
        | "Start" >> beam.Map(_start)
    )
    found = follow(
        chases,
        resources,
        hop,
        joins=indexing.num_joins(counts, max_redirects),
        max_redirects=max_redirects,
    )
    if plan.copies:
        more = pipeline | "Named archives" >> beam.Create(list(plan.copies))
        held = more | "Held" >> beam.FlatMap(_copies, plan)
        counts += index(plan).counts(place.unit for place in plan.copies)
        elsewhere = follow(
            # Whole searches again: what one archive redirects to, or repeats, another may hold.
            found | "Lacking" >> beam.Filter(_is_lacking) | "Again" >> beam.Map(_again),
            (resources, held) | "All that is held" >> beam.Flatten(),
            hop,
            joins=indexing.num_joins(counts, max_redirects),
            max_redirects=max_redirects,
            label="Elsewhere: ",
        )
        here = found | "In the inputs" >> beam.Filter(lambda each: not _is_lacking(each))
        found = (here, elsewhere) | "Found" >> beam.Flatten()
    all_packs.commit_packs(
        found, _packs(plan), functools.partial(commit_pack, plan), url_of=str if plan.web else None
    )


def _start(key: str) -> Chase:
    return Chase(key, f"url:{key}")


def _is_lacking(found: Found) -> bool:
    return bool(found.reason)


def _again(found: Found) -> Chase:
    return _start(found.origin)


def _resources(unit: str, plan: Plan) -> Iterator[tuple[str, Resource]]:
    for row in plan.folder("documents").rows(unit, suffix="records.parquet"):
        yield from resource_keys(row, unit)


def _copies(place: ImagePlace, plan: Plan) -> Iterator[tuple[str, Resource]]:
    for row in index(plan).rows(place.unit):
        yield from resource_keys(row, place.unit, rank=1)
