"""Job 2: what tar files and archives hold. One unit is one file; folders are asked directly.

The table is that of an archive's records; a member of a tar is written as a record under its name.
"""

import tarfile
from collections.abc import Iterator
from pathlib import PurePosixPath

from openm3w.pipeline.captions.places import members
from openm3w.pipeline.captions.plan import CaptionPlan
from openm3w.pipeline.images.named import ImagePlace
from openm3w.pipeline.images.resolve import Resource, resource_keys
from openm3w.pipeline.jobs import indexing
from openm3w.pipeline.jobs.indexing import Counted, Row
from openm3w.pipeline.runners import Runner


def run(plan: CaptionPlan, runner: Runner) -> None:
    """Indexes every tar file and archive whose unit is not committed yet."""
    places = [place for place in plan.places if place.kind != "folder"]
    indexing.run(plan.folder("index"), "index", places, _rows, runner)


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


def _rows(place: ImagePlace, counted: Counted) -> Iterator[Row]:
    rows = _tar_rows if place.kind == "tar" else indexing.archive_rows
    return rows(place, counted)


def _tar_rows(place: ImagePlace, counted: Counted) -> Iterator[Row]:
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
        note = f"the tar is damaged: {' '.join(str(error).split())[:200]}"
        counted.damaged("damaged_tar", note)
