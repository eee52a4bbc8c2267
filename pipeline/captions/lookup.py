"""Which place has an image: folders are asked, tar files and archives are joined on a key.

An image's key is `scope|reference`; the scope is the folder beside the table, or "" where every
place is looked at. A search is a chase as for the images of pages, one join a step.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from openm3w.pipeline.captions.places import file_in, is_url
from openm3w.pipeline.captions.plan import CaptionPlan
from openm3w.pipeline.images.named import ImagePlace
from openm3w.pipeline.images.resolve import Chase, Found, Resource, hop
from openm3w.pipeline.page import Clock

_IN_FOLDERS = pa.schema([(name, pa.string()) for name in ("image", "unit", "reason")])


def reference_of(image: str) -> str:
    """What a table says of an image: a URL or a name."""
    return image.partition("|")[2]


def look_in_folders(image: str, places: Iterable[ImagePlace]) -> Found | None:
    """The folder that has an image; the pair's own where it is looked up beside its table."""
    scope, _, reference = image.partition("|")
    folders = [p for p in places if p.kind == "folder" and scope in ("", p.unit)]
    having = [place for place in folders if file_in(place.path, reference) is not None]
    if len(having) > 1:
        return Found(image, reason="ambiguous_name")
    return Found(image, having[0].unit) if having else None


def looked_up(
    plan: CaptionPlan, block: str, wanted: Iterable[str]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each distinct image of a block, and unit and reason of the folder that has it; "" for none.

    Where folders are not told apart by what they hold, what was found in them is committed, so that
    a run that was stopped goes on with the same units.
    """
    images = list(wanted)
    found = {row["image"]: (row["unit"], row["reason"]) for row in _found_in(plan, images, block)}
    for image in images:
        yield image, found.get(image, ("", ""))


def _found_in(plan: CaptionPlan, images: list[str], block: str) -> Iterable[Mapping[str, Any]]:
    having = (look_in_folders(image, plan.places) for image in images)
    rows_of = ({"image": f.origin, "unit": f.unit, "reason": f.reason} for f in having if f)
    if not (plan.beside and plan.web):
        return rows_of
    folder, clock = plan.folder("images").below("beside"), Clock()
    if folder.sidecar(block) is None:
        with folder.writing(block, _IN_FOLDERS) as add:
            for row in rows_of:
                add(row)
        clock.lap("look up")
        folder.commit_sidecar(block, counts={}, seconds=clock.seconds)
    return folder.rows(block)


def in_folder(image: str, where: tuple[str, str]) -> Found | Chase:
    """The end of a search where a folder has the image, or where it begins elsewhere."""
    unit, reason = where
    return Found(image, unit, reason=reason) if unit or reason else first_step(image)


def first_step(image: str) -> Chase:
    """Where the search in tar files and archives begins: see `next_step`."""
    reference = reference_of(image)
    return Chase(image, f"url:{reference}" if is_url(reference) else f"path:{reference}")


def next_step(chase: Chase, found: Iterable[Resource]) -> Chase | Found:
    """The next step from what was found under the chase's key, or the end.

    URLs are followed through an archive's redirects and revisits. A name must be that of one
    member, or else the last part of the name of one member.
    """
    kind, _, name = chase.key.partition(":")
    having = list(found)
    if kind == "path" and not having:
        return Chase(chase.origin, f"last:{PurePosixPath(name).name}")
    if kind in ("path", "last") and len(having) > 1:
        return Found(chase.origin, reason="ambiguous_name")
    step = hop(chase, having)
    if isinstance(step, Found) and step.reason == "not_in_archive":
        return step._replace(reason="not_found")
    return step


def num_steps(places: Iterable[ImagePlace], archive_joins: int) -> int:
    """How many joins the longest search takes, if those in archives take `archive_joins`."""
    kinds = {place.kind for place in places}
    return max(archive_joins if "archive" in kinds else 0, 2 if "tar" in kinds else 0)
