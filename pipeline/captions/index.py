"""Job 2: what tar files and archives hold. One unit is one file; folders are asked directly.

The table is that of an archive's records; a member of a tar is written as a record under its name.
"""

import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

import apache_beam as beam

from openm3w.pipeline import runners
from openm3w.pipeline.archive import Damage, read_records
from openm3w.pipeline.captions.places import ImagePlace, members
from openm3w.pipeline.captions.plan import CaptionPlan
from openm3w.pipeline.images.records import RECORDS, record_row
from openm3w.pipeline.images.resolve import Resource, resource_keys
from openm3w.pipeline.runners import Runner


def run(plan: CaptionPlan, runner: Runner) -> None:
    """Indexes every tar file and archive whose unit is not committed yet."""
    pending = set(plan.folder("index").pending(p.unit for p in plan.places))
    places = [p for p in plan.places if p.unit in pending and p.kind != "folder"]
    if places:
        runners.run(
            runner,
            lambda p: (
                p
                | "Places" >> beam.Create(places)
                | "Spread" >> beam.Reshuffle()
                | "Index" >> beam.Map(lambda place: commit_index(plan, place))
            ),
        )


def commit_index(plan: CaptionPlan, place: ImagePlace) -> None:
    """Commits the rows of one file; damage ends it and is noted.

    Raises:
        OutputError: the store cannot be written.
    """
    folder = plan.folder("index")
    notes: list[str] = []
    redirects = revisits = 0
    rows = _tar_rows if place.kind == "tar" else _archive_rows
    with folder.writing(place.unit, RECORDS) as add:
        for row in rows(plan, place, notes):
            add(row)
            redirects += bool(row["location"])
            revisits += row["kind"] == "revisit"
    counts = {
        "source": place.name,
        "stages": [],
        "redirects": redirects,
        "revisits": revisits,
        "notes": notes,
    }
    folder.commit_sidecar(place.unit, counts=counts, seconds={})


def resources(plan: CaptionPlan, place: ImagePlace) -> Iterator[tuple[str, Resource]]:
    """The keys under which what a place holds can be found: see `images.steps`."""
    for row in plan.folder("index").rows(place.unit):
        if place.kind == "archive":
            yield from resource_keys(row, place.unit)
            continue
        for key, resource in resource_keys(row, place.unit):
            name = key.removeprefix("url:")
            yield f"path:{name}", resource
            yield f"last:{PurePosixPath(name).name}", resource


def _archive_rows(
    plan: CaptionPlan, place: ImagePlace, notes: list[str]
) -> Iterator[dict[str, Any]]:
    for record in read_records(place.path, max_body=plan.recipe.images.max_bytes):
        if isinstance(record, Damage):
            notes.append(f"damaged at byte {record.offset}: {record.error}")
        elif record.kind != "other":
            yield record_row(record)


def _tar_rows(plan: CaptionPlan, place: ImagePlace, notes: list[str]) -> Iterator[dict[str, Any]]:  # noqa: ARG001
    try:
        for member in members(place.path):
            yield {
                "url_key": member.name,
                "digest": "",
                "kind": "response",
                "content": "image",
                "status": 200,
                "location": "",
                "refers_to": "",
                "fetched": "",
                "offset": member.offset,
                "length": member.length,
            }
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        notes.append(f"the tar is damaged: {' '.join(str(error).split())[:200]}")
