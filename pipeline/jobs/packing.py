"""One unit of images to its pack and ledger, whatever names the images.

The images of pages and those of caption pairs differ in where a search begins and in what reads
and encodes an image. All that is between is written once: `searching`, `grouping`, what is here,
and `all_packs`.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from openm3w.filters.url import url_key
from openm3w.pipeline.fetch.hosts import HostStats
from openm3w.pipeline.images.decode import Encoded, UnusableImageError, UnwantedImageError
from openm3w.pipeline.images.ledger import LEDGER_FIELDS, stored_row
from openm3w.pipeline.images.packs import PackWriter, pack_name
from openm3w.pipeline.images.resolve import Found
from openm3w.pipeline.jobs.grouping import WEB, PackUnit, UrlOf
from openm3w.pipeline.jobs.web import Body, Web
from openm3w.pipeline.page import Clock
from openm3w.pipeline.store import Folder
from openm3w.pipeline.tally import Tally
from openm3w.shards import commit
from openm3w.shards.funnel import Unit

Read = Callable[[Found], bytes]
"""Reads the bytes of one image, or raises UnusableImageError with the reason why not."""

Reading = Callable[[str], AbstractContextManager[Read]]
"""Opens an archive for the images in it."""

Encode = Callable[[Body, str], Encoded]
"""Encodes an image of an archive, or raises UnusableImageError with the reason why not.

Of an UnwantedImageError the ledger has what was measured.
"""


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
    reading: Reading
    encode: Encode
    web: Web | None = None
    """Asks for what is in no archive."""
    url_of: UrlOf = str
    """The URL that an image is asked for by."""
    made_of_it: tuple[Folder, ...] = ()
    """What is made from ledgers, and made again where one changes."""

    @property
    def ledger(self) -> pa.Schema:
        return pa.schema([(self.key, pa.string()), *LEDGER_FIELDS])

    def row(self, image: str, reason: str = "") -> dict[str, Any]:
        """The ledger's row of an image that is in no pack, or the beginning of one that is."""
        outcome = "failed" if reason in self.failed else "dropped" if reason else "kept"
        return {self.key: image, "outcome": outcome, "reason": reason}


def commit_pack(packing: Packing, unit: PackUnit) -> None:
    """Reads, encodes and stores the images of one unit, and commits pack and ledger.

    Where another build of this store was faster, its ledger stays. Where the unit was there before
    with other images or in another order, what was made of its ledger is forgotten first.

    Raises:
        OutputError: the store cannot be written.
    """
    folder, clock, tally, hosts = packing.folder, Clock(), Tally(), HostStats()
    before = folder.sidecar(unit.name)
    if has_its_pack(folder, before):
        return
    pack = ""
    if unit.archive:
        pack, rows = _packed(packing, unit, clock, hosts)
    else:
        rows = [packing.row(found.origin, found.reason) for found in unit.found]
    for row in rows:
        tally.add(row["outcome"], row["reason"])
    counts: dict[str, Any] = {"stages": [tally.to_json("images", packing.unit)], "pack": pack}
    if unit.archive == WEB:
        counts["hosts"] = hosts.as_json()
    now = folder.sidecar(unit.name)
    if now != before and has_its_pack(folder, now):
        return
    if not _is_the_same(now, counts):
        for made in packing.made_of_it:
            made.forget()
    with folder.writing(unit.name, packing.ledger) as add:
        for row in rows:
            add(row)
    folder.commit_sidecar(unit.name, counts=counts, seconds=clock.seconds)


def _packed(
    packing: Packing, unit: PackUnit, clock: Clock, hosts: HostStats
) -> tuple[str, list[dict[str, Any]]]:
    """Commits the pack of a unit; its file name, and the ledger's rows.

    Rows wait for the name, at most MAX_IMAGES of them: it is made of what the pack holds.
    """
    with contextlib.ExitStack() as stack:
        bodies = stack.enter_context(_bodies(packing, unit, clock, hosts))
        path = packing.folder.path(unit.name, "tar")
        file = stack.enter_context(
            commit.committed(path, named=lambda: pack_name(unit.name, writer.digest))
        )
        writer = PackWriter(file, "")
        stack.callback(writer.close)
        rows = [_stored(packing, unit, writer, body, clock) for body in bodies]
    pack = pack_name(unit.name, writer.digest)
    for row in rows:
        # An image has its place by the pack that was not called anything yet.
        row.update((name, pack) for name in _PACKS if row.get(name) is not None)
    return pack, rows


_PACKS = ("pack", "original_pack")
"""Columns of the ledger that name a pack."""


@contextlib.contextmanager
def _bodies(
    packing: Packing, unit: PackUnit, clock: Clock, hosts: HostStats
) -> Iterator[Iterator[Body]]:
    """The bytes of each image of a unit, or why there are none."""
    if unit.archive == WEB:
        if packing.web is None:
            raise ValueError(f"{unit.name}: this build asks nothing of the web")
        names: dict[str, list[str]] = {}
        for found in unit.found:
            names.setdefault(url_key(packing.url_of(found.origin)), []).append(found.origin)
        bodies = packing.web.get(unit.name, names, clock, hosts)
        yield (Body(name, body.reason, body.data) for body in bodies for name in names[body.origin])
        return
    with packing.reading(unit.archive) as read:
        yield (_read(read, found, clock) for found in unit.found)


def _read(read: Read, found: Found, clock: Clock) -> Body:
    try:
        return Body(found.origin, "", read(found))
    except UnusableImageError as error:
        return Body(found.origin, str(error))
    finally:
        clock.lap("read")


def _stored(
    packing: Packing, unit: PackUnit, writer: PackWriter, body: Body, clock: Clock
) -> dict[str, Any]:
    if body.reason:
        return packing.row(body.origin, body.reason)
    try:
        encoded = packing.encode(body, unit.archive)
    except UnwantedImageError as error:
        return packing.row(body.origin, str(error)) | stored_row(error.encoded)
    except UnusableImageError as error:
        return packing.row(body.origin, str(error))
    finally:
        clock.lap("decode and encode")
    place = writer.add(encoded.sha256, encoded.data)
    original = None
    if encoded.original_data:
        suffix = _SUFFIXES.get(encoded.original_format, encoded.original_format)
        original = writer.add(encoded.original.sha256, encoded.original_data, f".{suffix}")
    clock.lap("store")
    return packing.row(body.origin) | stored_row(encoded, place, original)


_SUFFIXES = {"jpeg": "jpg"}


def has_its_pack(folder: Folder, sidecar: Mapping[str, Any] | None) -> bool:
    """Whether a unit is committed and has its pack, where it kept an image at all."""
    if sidecar is None:
        return False
    counts = sidecar["counts"]
    kept = sum(stage["kept"] for stage in counts["stages"])
    return not kept or (folder.root / counts.get("pack", "")).is_file()


def _is_the_same(sidecar: Mapping[str, Any] | None, counts: Mapping[str, Any]) -> bool:
    """Whether a unit was committed before with these outcomes and this pack."""
    return sidecar is not None and all(
        sidecar["counts"].get(part) == counts[part] for part in ("stages", "pack")
    )
