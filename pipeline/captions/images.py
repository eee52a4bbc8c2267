"""Job 3: the images of the pairs, from where they are into packs.

Each distinct image is looked up, at most 500 of one place make a unit, which writes a pack and a
ledger row for each image. Only keys and ledger rows are shuffled.
"""

import contextlib
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.transforms.combiners import ToList

from openm3w.filters.image import is_extreme, is_flat, is_too_small
from openm3w.pipeline import runners
from openm3w.pipeline.archive import PARSER_ERRORS, read_record_at
from openm3w.pipeline.captions import rows
from openm3w.pipeline.captions.index import resources
from openm3w.pipeline.captions.lookup import (
    all_steps,
    first_step,
    home,
    look_in_folders,
    num_steps,
)
from openm3w.pipeline.captions.places import ImagePlace, file_in
from openm3w.pipeline.captions.plan import CaptionPlan
from openm3w.pipeline.captions.recipe import Images
from openm3w.pipeline.captions.resize import Resizing
from openm3w.pipeline.images.decode import Encoded, UnusableImageError
from openm3w.pipeline.images.packs import PackWriter
from openm3w.pipeline.images.resolve import Chase, Found
from openm3w.pipeline.jobs.images import PackUnit, make_units
from openm3w.pipeline.page import Clock
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.tally import Tally
from openm3w.shards import commit

FAILED = frozenset({"undecodable", "not_resized", "unreadable"})
"""Outcomes that are errors; the others are decisions or absences."""

LEDGER = pa.schema(
    [
        ("image", pa.string()),
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
        ("grey_deviation", pa.float64()),
    ]
)
"""One row for each distinct image; `offset` and `length` are of the bytes inside the pack."""

_ALL_PACKS = "all"
"""Pseudo-unit whose sidecar lists the packs once all are there."""


def run(plan: CaptionPlan, runner: Runner) -> None:
    """Stores what is not in a pack yet."""
    if plan.folder("images").pending([_ALL_PACKS, *pack_units(plan)]):
        runners.run(runner, lambda p: _graph(p, plan))


def pack_units(plan: CaptionPlan) -> list[str]:
    """Names of all units of packs, once they are committed."""
    sidecar = plan.folder("images").sidecar(_ALL_PACKS)
    return list(sidecar["counts"]["units"]) if sidecar else []


def commit_pack(plan: CaptionPlan, unit: PackUnit) -> None:
    """Reads, resizes and stores the images of one unit, and commits pack and ledger.

    Raises:
        OutputError: the store cannot be written.
        MissingError: img2dataset is not installed.
    """
    folder, clock, tally = plan.folder("images"), Clock(), Tally()
    if folder.sidecar(unit.name) is not None:
        return
    with contextlib.ExitStack() as stack:
        add = stack.enter_context(folder.writing(unit.name, LEDGER))
        if unit.archive:
            place = next(p for p in plan.places if p.unit == unit.archive)
            read = stack.enter_context(_reading(place, plan.recipe.images))
            pack = stack.enter_context(commit.committed(folder.path(unit.name, "tar")))
            writer = PackWriter(pack, f"{unit.name}.tar")
            stack.callback(writer.close)
            ledger = (_stored(plan, place, read, writer, found, clock) for found in unit.urls)
        else:
            ledger = (_ledger_row(found.origin, found.reason) for found in unit.urls)
        for row in ledger:
            tally.add(row["outcome"], row["reason"])
            add(row)
    counts = {"stages": [tally.to_json("images", "images")]}
    folder.commit_sidecar(unit.name, counts=counts, seconds=clock.seconds)


Read = Callable[[Found], bytes]


@contextlib.contextmanager
def _reading(place: ImagePlace, settings: Images) -> Iterator[Read]:
    """A function that reads one image of a place, at most a byte more than is allowed."""
    limit = settings.max_bytes + 1
    if place.kind == "folder":
        yield lambda found: _read_file(place.path, found, limit)
        return
    with place.path.open("rb") as file:

        def read_member(found: Found) -> bytes:
            file.seek(found.offset)
            with tarfile.open(fileobj=file, mode="r:") as tar:
                content = tar.extractfile(tar.next())  # type: ignore[arg-type]
                return content.read(limit) if content else b""

        def read_record(found: Found) -> bytes:
            return read_record_at(file, found.offset, max_body=limit).body

        yield read_member if place.kind == "tar" else read_record


def _read_file(folder: Path, found: Found, limit: int) -> bytes:
    path = file_in(folder, found.origin.partition("|")[2])
    if path is None:
        raise FileNotFoundError(found.origin)
    with path.open("rb") as file:
        return file.read(limit)


def _stored(
    plan: CaptionPlan,
    place: ImagePlace,
    read: Read,
    writer: PackWriter,
    found: Found,
    clock: Clock,
) -> dict[str, Any]:
    settings = plan.recipe.images
    try:
        data = read(found)
    except (*PARSER_ERRORS, tarfile.TarError):
        return _ledger_row(found.origin, "unreadable")
    finally:
        clock.lap("read")
    if place.kind == "archive" and len(data) < settings.min_crawled_bytes:
        return _ledger_row(found.origin, "too_few_bytes" if data else "empty")
    try:
        encoded = Resizing(images=settings, resize=plan.recipe.resize)(data)
    except UnusableImageError as error:
        return _ledger_row(found.origin, str(error))
    finally:
        clock.lap("decode, resize and encode")
    if reason := _fault(encoded, settings):
        return _ledger_row(found.origin, reason)
    row = _kept_row(found.origin, encoded, writer)
    clock.lap("store")
    return row


def _fault(encoded: Encoded, settings: Images) -> str:
    width, height = encoded.original_width, encoded.original_height
    if is_too_small(width, height, settings.min_side):
        return "too_small"
    if is_extreme(width, height, settings.max_aspect):
        return "extreme_aspect"
    return "single_colour" if is_flat(encoded.grey_deviation, settings.min_grey_deviation) else ""


def _kept_row(image: str, encoded: Encoded, writer: PackWriter) -> dict[str, Any]:
    place = writer.add(encoded.sha256, encoded.data)
    return _ledger_row(image, "") | {
        "sha256": encoded.sha256,
        "pack": place.pack,
        "offset": place.offset,
        "length": place.length,
        "width": encoded.width,
        "height": encoded.height,
        "original_width": encoded.original_width,
        "original_height": encoded.original_height,
        "grey_deviation": encoded.grey_deviation,
    }


def _ledger_row(image: str, reason: str) -> dict[str, Any]:
    outcome = "failed" if reason in FAILED else "dropped" if reason else "kept"
    return {"image": image, "outcome": outcome, "reason": reason}


def _graph(pipeline: beam.Pipeline, plan: CaptionPlan) -> None:
    images = (
        pipeline
        | "Blocks" >> beam.Create(rows.blocks(plan))
        | "Wanted" >> beam.FlatMap(lambda block: _wanted(plan, block))
        | "Distinct" >> beam.Distinct()
    )
    searched = images | "Folders" >> beam.Map(
        lambda image: look_in_folders(image, plan.places) or first_step(image)
    )
    ends = [searched | "In a folder" >> beam.Filter(lambda s: isinstance(s, Found))]
    chases = searched | "Elsewhere" >> beam.Filter(lambda s: isinstance(s, Chase))
    steps = num_steps(plan.places, plan.recipe.images.max_redirects)
    if steps:
        packed = [place for place in plan.places if place.kind != "folder"]
        held = (
            pipeline
            | "Places" >> beam.Create(packed)
            | "Held" >> beam.FlatMap(lambda place: resources(plan, place))
        )
    for at in range(steps):
        stepped = (
            {"chases": chases | f"Key {at}" >> beam.Map(lambda c: (c.key, c)), "at": held}
            | f"Join {at}" >> beam.CoGroupByKey()
            | f"Step {at}" >> beam.FlatMap(all_steps, plan.recipe.images.max_redirects)
        )
        ends.append(stepped | f"Ended {at}" >> beam.Filter(lambda s: isinstance(s, Found)))
        chases = stepped | f"Going on {at}" >> beam.Filter(lambda s: isinstance(s, Chase))
    lost = chases | "Lost" >> beam.Map(
        lambda c: Found(c.origin, reason="too_many_redirects" if c.hops else "not_found")
    )
    _ = (
        (*ends, lost)
        | "Found" >> beam.Flatten()
        | "By place" >> beam.Map(lambda found: (home(found), found))
        | "Group by place" >> beam.GroupByKey()
        | "Units" >> beam.FlatMapTuple(make_units)
        | "Spread" >> beam.Reshuffle()
        | "Packs" >> beam.ParDo(CommitPack(plan))
        | "Names" >> ToList()
        | "All packs" >> beam.Map(lambda names: _commit_all(plan, names))
    )


class CommitPack(beam.DoFn):
    """Commits a unit of packs and passes its name on."""

    def __init__(self, plan: CaptionPlan) -> None:
        self._plan = plan

    def process(self, unit: PackUnit) -> Iterator[str]:
        commit_pack(self._plan, unit)
        yield unit.name


def _wanted(plan: CaptionPlan, block: str) -> Iterator[str]:
    return iter({row["image"]: None for row in plan.folder("rows").rows(block, ["image"])})


def _commit_all(plan: CaptionPlan, names: list[str]) -> None:
    counts = {"units": sorted(names), "stages": []}
    plan.folder("images").commit_sidecar(_ALL_PACKS, counts=counts, seconds={})
