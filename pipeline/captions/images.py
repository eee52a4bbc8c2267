"""Job 3: the images of the pairs, from where they are into packs.

Each distinct image is looked up, at most 500 of one place make a unit, which writes a pack and a
ledger row for each image. Only keys and ledger rows are shuffled.
"""

import contextlib
import functools
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import apache_beam as beam
from apache_beam.pvalue import PCollection

from openm3w.filters.caption_profile import CaptionImageRules
from openm3w.filters.images.look import is_flat
from openm3w.filters.images.size import is_extreme, is_too_small
from openm3w.pipeline import runners
from openm3w.pipeline.captions import rows
from openm3w.pipeline.captions.index import resources
from openm3w.pipeline.captions.lookup import (
    in_folder,
    looked_up,
    next_step,
    num_steps,
    reference_of,
)
from openm3w.pipeline.captions.places import file_in
from openm3w.pipeline.captions.plan import CaptionPlan
from openm3w.pipeline.captions.resize import Resizing
from openm3w.pipeline.captions.settings import Images
from openm3w.pipeline.captions.stored import StoredImages, held
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.images.decode import Encoded, UnusableImageError
from openm3w.pipeline.images.named import ImagePlace
from openm3w.pipeline.images.resolve import Chase, Found
from openm3w.pipeline.jobs import all_packs, packing, web
from openm3w.pipeline.jobs import images as build_images
from openm3w.pipeline.jobs.grouping import WEB, PackUnit
from openm3w.pipeline.jobs.indexing import num_joins
from openm3w.pipeline.jobs.packing import Packing, Read, Reading
from openm3w.pipeline.jobs.reading import heeding, reading_records
from openm3w.pipeline.jobs.searching import follow
from openm3w.pipeline.jobs.web import Body
from openm3w.pipeline.parser_errors import PARSER_ERRORS
from openm3w.pipeline.runners import Runner

UNREADABLE = "unreadable"
FAILED = frozenset({"undecodable", "not_resized", UNREADABLE}) | build_images.FAILED
"""Outcomes that are errors, also those of a build that images are taken from; the others are
decisions or absences."""


def run(plan: CaptionPlan, runner: Runner) -> None:
    """Stores what is not in a pack yet."""
    if all_packs.is_pending(plan.folder("images")):
        with web.asking(plan.web, runner, plan.folder("images"), WEB):
            runners.run(runner, lambda p: _graph(p, plan))


def pack_units(plan: CaptionPlan) -> list[str]:
    """Names of all units of packs, once they are committed."""
    return all_packs.pack_units(plan.folder("images"))


def commit_pack(plan: CaptionPlan, unit: PackUnit) -> None:
    """Reads, resizes and stores the images of one unit, and commits pack and ledger.

    Raises:
        OutputError: the store cannot be written.
        MissingError: img2dataset is not installed.
    """
    resizing, tombstones = _resizing(plan), web.tombstones(plan.fetched)
    reading: Reading = functools.partial(_reading, plan)
    encode: Callable[[Body], Encoded] = functools.partial(_resized, resizing)
    if plan.imported:
        stored = StoredImages.of(
            plan.imported.build,
            unit.archive,
            resizing=resizing,
            bounds=plan.profile.images,
            blocklist=plan.lists.blocked(),
            tombstones=tombstones,
        )
        reading, encode = stored.reading, stored.encode
    how = Packing(
        folder=plan.folder("images"),
        key="image",
        unit="images",
        failed=FAILED,
        reading=reading,
        encode=functools.partial(_encoded, plan, tombstones, encode),
        web=plan.web,
        url_of=reference_of,
        made_of_it=(plan.folder("select"), plan.folder("shards")),
    )
    packing.commit_pack(how, unit)


def _resized(resizing: Resizing, body: Body) -> Encoded:
    return resizing(body.data)


@contextlib.contextmanager
def _reading(plan: CaptionPlan, unit: str) -> Iterator[Read]:
    place = next(p for p in plan.places if p.unit == unit)
    tombstones = web.tombstones(plan.fetched)
    with _opened(place, plan.recipe.images, tombstones) as read:

        def read_safely(found: Found) -> bytes:
            try:
                return read(found)
            except (*PARSER_ERRORS, tarfile.TarError):
                raise UnusableImageError(UNREADABLE) from None

        yield heeding(read_safely, tombstones, reference_of)


@contextlib.contextmanager
def _opened(place: ImagePlace, settings: Images, tombstones: Tombstones) -> Iterator[Read]:
    """A function that reads one image of a place, at most a byte more than is allowed."""
    limit = settings.max_bytes + 1
    if place.kind == "folder":
        yield lambda found: _read_file(place.path, found, limit)
    elif place.kind == "tar":
        with place.path.open("rb") as file:
            yield lambda found: _read_member(file, found, limit)
    else:
        with reading_records(
            place.path, max_body=limit, unreadable=UNREADABLE, tombstones=tombstones
        ) as read:
            yield read


def _read_member(file: BinaryIO, found: Found, limit: int) -> bytes:
    file.seek(found.offset)
    with tarfile.open(fileobj=file, mode="r:") as tar:
        content = tar.extractfile(tar.next())  # type: ignore[arg-type]
        return content.read(limit) if content else b""


def _read_file(folder: Path, found: Found, limit: int) -> bytes:
    path = file_in(folder, found.origin.partition("|")[2])
    if path is None:
        raise FileNotFoundError(found.origin)
    with path.open("rb") as file:
        return file.read(limit)


def _resizing(plan: CaptionPlan) -> Resizing:
    with_pdq = len(plan.lists.blocked().pdq) > 0
    return Resizing(images=plan.recipe.images, resize=plan.recipe.resize, with_pdq=with_pdq)


def _encoded(
    plan: CaptionPlan,
    tombstones: Tombstones,
    encode: Callable[[Body], Encoded],
    body: Body,
    unit: str,
) -> Encoded:
    data, bounds, blocklist = body.data, plan.profile.images, plan.lists.blocked()
    if reason := blocklist.refuses_bytes(data):
        raise UnusableImageError(reason)
    if _is_crawled(plan, unit) and len(data) < bounds.min_crawled_bytes:
        raise UnusableImageError("too_few_bytes" if data else "empty")
    encoded = encode(body)
    if tombstones.covers_content(encoded.sha256):
        raise UnusableImageError(TOMBSTONE)
    if reason := blocklist.refuses(encoded) or _fault(encoded, bounds):
        raise UnusableImageError(reason)
    return replace(encoded, original_data=data) if plan.recipe.images.originals else encoded


def _is_crawled(plan: CaptionPlan, unit: str) -> bool:
    """Whether an image's bytes are as the web gave them."""
    if plan.imported:  # those of a stored copy say nothing of what was fetched
        return False
    kinds = {place.unit: place.kind for place in plan.places}
    return unit == WEB or kinds[unit] == "archive"


def _fault(encoded: Encoded, bounds: CaptionImageRules) -> str:
    width, height = encoded.original_width, encoded.original_height
    if is_too_small(width, height, bounds.min_side):
        return "too_small"
    if is_extreme(width, height, bounds.max_aspect):
        return "extreme_aspect"
    deviation = encoded.measures.grey_deviation
    return "single_colour" if is_flat(deviation, bounds.min_grey_deviation) else ""


def _graph(pipeline: beam.Pipeline, plan: CaptionPlan) -> None:
    blocks = pipeline | "Blocks" >> beam.Create(rows.blocks(plan))
    if plan.imported:
        images = (
            blocks
            | "Wanted" >> beam.FlatMap(lambda block: _wanted(plan, block))
            | "Distinct" >> beam.Distinct()
        )
        found = held(pipeline, images, plan.imported.build)
    else:
        found = _searched(pipeline, blocks, plan)
    all_packs.commit_packs(
        found,
        plan.folder("images"),
        functools.partial(commit_pack, plan),
        url_of=reference_of if plan.web else None,
    )


def _searched(
    pipeline: beam.Pipeline, blocks: PCollection[str], plan: CaptionPlan
) -> PCollection[Found]:
    """Where folders, tar files and archives have each image, or why they do not."""
    searched = (
        blocks
        | "Folders" >> beam.FlatMap(lambda block: looked_up(plan, block, _wanted(plan, block)))
        # Of an image of two blocks, between whose turns its file came, the folder has it.
        | "Each image" >> beam.CombinePerKey(max)
        | "Where" >> beam.MapTuple(in_folder)
    )
    in_folders = searched | "In a folder" >> beam.Filter(
        lambda s: isinstance(s, Found)
    ).with_output_types(Found)
    packed = [place for place in plan.places if place.kind != "folder"]
    followed = follow(
        searched
        | "Elsewhere" >> beam.Filter(lambda s: isinstance(s, Chase)).with_output_types(Chase),
        pipeline
        | "Places" >> beam.Create(packed)
        | "Held" >> beam.FlatMap(lambda place: resources(plan, place)),
        next_step,
        joins=_num_joins(plan),
        max_redirects=plan.recipe.images.max_redirects,
    )
    return (in_folders, followed) | "Found" >> beam.Flatten()


def _num_joins(plan: CaptionPlan) -> int:
    counts = plan.folder("index").counts(place.unit for place in plan.places)
    return num_steps(plan.places, num_joins(counts, plan.recipe.images.max_redirects))


def _wanted(plan: CaptionPlan, block: str) -> Iterator[str]:
    return iter({row["image"]: None for row in plan.folder("rows").rows(block, ["image"])})
