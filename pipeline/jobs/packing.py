"""Images into packs, whatever names them: the search through archives, units, packs and ledgers.

The images of pages and those of caption pairs differ in where a search begins and in what reads
and encodes an image; all that is between is here. Only keys and ledger rows are shuffled.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import PCollection
from apache_beam.transforms.combiners import ToList

from openm3w.pipeline.images.decode import Encoded, UnusableImageError, UnwantedImageError
from openm3w.pipeline.images.ledger import LEDGER_FIELDS, stored_row
from openm3w.pipeline.images.packs import PackWriter
from openm3w.pipeline.images.resolve import Chase, Found, Resource
from openm3w.pipeline.page import Clock
from openm3w.pipeline.store import Folder
from openm3w.pipeline.tally import Tally
from openm3w.shards import commit
from openm3w.shards.funnel import Unit

MAX_IMAGES = 500
"""Images of one unit: at 40 kB a pack of 20 MB, a minute or two of work."""

ALL_PACKS = "all"
"""Pseudo-unit whose sidecar lists the packs once all are there."""

Step = Callable[[Chase, list[Resource]], Chase | Found]
Fetch = Callable[[Found], Encoded]
"""Reads and encodes one image, or raises UnusableImageError with the reason why not.

Of an UnwantedImageError the ledger has what was measured.
"""


@dataclass(frozen=True, slots=True)
class PackUnit:
    """Images that are fetched together, and the archive they are in ("" for those in none)."""

    name: str
    archive: str
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packing:
    """How the images of one build become packs."""

    folder: Folder
    key: str
    """The ledger's column that names an image."""
    unit: Unit
    """What the funnel calls them."""
    failed: frozenset[str]
    """Reasons that are errors; the others are decisions or absences."""
    opening: Callable[[str, Clock], AbstractContextManager[Fetch]]
    """Opens an archive for the images in it; the clock is for the steps of reading them."""

    @property
    def ledger(self) -> pa.Schema:
        return pa.schema([(self.key, pa.string()), *LEDGER_FIELDS])

    def row(self, image: str, reason: str = "") -> dict[str, Any]:
        """The ledger's row of an image that is in no pack, or the beginning of one that is."""
        outcome = "failed" if reason in self.failed else "dropped" if reason else "kept"
        return {self.key: image, "outcome": outcome, "reason": reason}


def pack_units(folder: Folder) -> list[str]:
    """Names of all units of packs, once they are committed."""
    sidecar = folder.sidecar(ALL_PACKS)
    return list(sidecar["counts"]["units"]) if sidecar else []


def pending(folder: Folder, *, bytes_too: bool = True) -> list[str]:
    """The packs that are still to be made, and ALL_PACKS where their list is."""
    if folder.sidecar(ALL_PACKS) is None:
        return [ALL_PACKS]
    names = pack_units(folder)
    return [n for n in names if not _is_there(folder, n)] if bytes_too else folder.pending(names)


def is_pending(folder: Folder) -> bool:
    """Whether a pack, or the list of all packs, is still to be made."""
    return bool(pending(folder))


def archive_of(name: str) -> str:
    """The archive of a unit of packs, or what stands for those that no archive holds."""
    return name.rpartition("-")[0]


def make_units(archive: str, found: Iterable[Found]) -> Iterator[PackUnit]:
    """Units of at most MAX_IMAGES, in the order of the archive so that reading goes forward."""
    ordered = sorted(found, key=lambda f: (f.offset, f.origin))
    for start in range(0, len(ordered), MAX_IMAGES):
        part = tuple(ordered[start : start + MAX_IMAGES])
        missing = part[0].reason != ""
        name = f"{archive}-{start // MAX_IMAGES:05d}"
        yield PackUnit(name=name, archive="" if missing else archive, found=part)


def commit_pack(packing: Packing, unit: PackUnit) -> None:
    """Reads, encodes and stores the images of one unit, and commits pack and ledger.

    Raises:
        OutputError: the store cannot be written.
    """
    folder, clock, tally = packing.folder, Clock(), Tally()
    if _is_there(folder, unit.name):
        return
    with contextlib.ExitStack() as stack:
        add = stack.enter_context(folder.writing(unit.name, packing.ledger))
        if unit.archive:
            fetch = stack.enter_context(packing.opening(unit.archive, clock))
            pack = stack.enter_context(commit.committed(folder.path(unit.name, "tar")))
            writer = PackWriter(pack, f"{unit.name}.tar")
            stack.callback(writer.close)
            rows = (_stored(packing, fetch, writer, found, clock) for found in unit.found)
        else:
            rows = (packing.row(found.origin, found.reason) for found in unit.found)
        for row in rows:
            tally.add(row["outcome"], row["reason"])
            add(row)
    counts = {"stages": [tally.to_json("images", packing.unit)]}
    folder.commit_sidecar(unit.name, counts=counts, seconds=clock.seconds)


def follow(
    chases: PCollection[Chase],
    resources: PCollection[tuple[str, Resource]],
    step: Step,
    *,
    joins: int,
    max_redirects: int,
) -> PCollection[Found]:
    """Where each search ends, after at most so many joins with what stands under its key."""
    ends = []
    for at in range(joins):
        steps = (
            {"chases": chases | f"Key {at}" >> beam.Map(lambda c: (c.key, c)), "at": resources}
            | f"Join {at}" >> beam.CoGroupByKey()
            | f"Step {at}" >> beam.FlatMap(_stepped, step, max_redirects)
        )
        ends.append(steps | f"Ended {at}" >> _only(Found))
        chases = steps | f"Going on {at}" >> _only(Chase)
    return (*ends, chases | "Lost" >> beam.Map(_lost)) | "Ends" >> beam.Flatten()


def commit_packs(
    found: PCollection[Found], folder: Folder, commit_unit: Callable[[PackUnit], None]
) -> None:
    """Commits everything found, unit by unit, and then the list of all units."""
    _ = (
        found
        | "By archive" >> beam.Map(lambda found: (_home(found), found))
        | "Group by archive" >> beam.GroupByKey()
        | "Units" >> beam.FlatMapTuple(make_units)
        | "Spread" >> beam.Reshuffle()
        | "Packs" >> beam.ParDo(CommitPack(commit_unit))
        | "Names" >> ToList()
        | "All packs" >> beam.Map(lambda names: _commit_all(folder, names))
    )


class CommitPack(beam.DoFn):
    """Commits a unit of packs and passes its name on."""

    def __init__(self, commit_unit: Callable[[PackUnit], None]) -> None:
        self._commit_unit = commit_unit

    def process(self, unit: PackUnit) -> Iterator[str]:
        self._commit_unit(unit)
        yield unit.name


def _stored(
    packing: Packing, fetch: Fetch, writer: PackWriter, found: Found, clock: Clock
) -> dict[str, Any]:
    try:
        encoded = fetch(found)
    except UnwantedImageError as error:
        return packing.row(found.origin, str(error)) | stored_row(error.encoded)
    except UnusableImageError as error:
        return packing.row(found.origin, str(error))
    place = writer.add(encoded.sha256, encoded.data)
    original = None
    if encoded.original_data:
        suffix = _SUFFIXES.get(encoded.original_format, encoded.original_format)
        original = writer.add(encoded.original.sha256, encoded.original_data, f".{suffix}")
    clock.lap("store")
    return packing.row(found.origin) | stored_row(encoded, place, original)


_SUFFIXES = {"jpeg": "jpg"}


def _is_there(folder: Folder, name: str) -> bool:
    """Whether a unit is committed and has its pack, where it kept an image at all."""
    sidecar = folder.sidecar(name)
    if sidecar is None:
        return False
    kept = sum(stage["kept"] for stage in sidecar["counts"]["stages"])
    return not kept or folder.path(name, "tar").is_file()


def _only(kind: type[Chase] | type[Found]) -> beam.PTransform[Any, Any]:
    return beam.Filter(lambda step: isinstance(step, kind)).with_output_types(kind)


def _stepped(
    joined: tuple[str, dict[str, Any]], step: Step, max_redirects: int
) -> Iterator[Chase | Found]:
    _, sides = joined
    resources = list(sides["at"])
    for chase in sides["chases"]:
        after = step(chase, resources)
        if isinstance(after, Chase) and after.hops > max_redirects:
            after = Found(after.origin, reason="too_many_redirects")
        yield after


def _lost(chase: Chase) -> Found:
    return Found(chase.origin, reason="too_many_redirects" if chase.hops else "not_found")


def _home(found: Found) -> str:
    """The archive of an image that was found; those that were not are spread over 16 names."""
    digest = hashlib.blake2b(found.origin.encode(), digest_size=1).hexdigest()
    return f"missing{digest[0]}" if found.reason else found.unit


def _commit_all(folder: Folder, names: list[str]) -> None:
    folder.commit_sidecar(ALL_PACKS, counts={"units": sorted(names)}, seconds={})
