"""Images into packs, whatever names them: the search through archives, units, packs and ledgers.

The images of pages and those of caption pairs differ in where a search begins and in what reads
and encodes an image; all that is between is here. Only keys and ledger rows are shuffled.
"""

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.pvalue import AsSingleton, PCollection
from apache_beam.transforms.combiners import Count, ToList

from openm3w.filters.url import registered_domain, url_key
from openm3w.pipeline.fetch.hosts import HostStats
from openm3w.pipeline.images.decode import Encoded, UnusableImageError, UnwantedImageError
from openm3w.pipeline.images.ledger import LEDGER_FIELDS, stored_row
from openm3w.pipeline.images.packs import PackWriter, pack_name
from openm3w.pipeline.images.resolve import Chase, Found, Resource
from openm3w.pipeline.jobs.side_by_side import SideBySide
from openm3w.pipeline.jobs.web import Body, Web
from openm3w.pipeline.page import Clock
from openm3w.pipeline.store import Folder
from openm3w.pipeline.tally import Tally
from openm3w.shards import commit
from openm3w.shards.funnel import Unit

MAX_IMAGES = 500
"""Images of one unit: at 40 kB a pack of 20 MB, a minute or two of work."""

_GROUP_IMAGES = 2_000
_MAX_GROUPS = 4_096
"""Groups of domains, each asked by one worker: four units and more, and enough for many workers."""

NOT_HELD = frozenset(
    {"not_in_archive", "redirect_not_in_archive", "revisit_not_in_archive", "not_found"}
)
"""Reasons of what archives and folders do not have.

What they have as something else is not asked again."""

ALL_PACKS = "all"
"""Pseudo-unit whose sidecar lists the packs once all are there."""

WEB = "web"
"""Stands for an archive where images are asked of the web."""

Step = Callable[[Chase, list[Resource]], Chase | Found]
UrlOf = Callable[[str], str]
"""Name of an image -> the http(s) URL that it can be asked for by, or ""."""
Read = Callable[[Found], bytes]
"""Reads the bytes of one image, or raises UnusableImageError with the reason why not."""
Reading = Callable[[str], AbstractContextManager[Read]]
"""Opens an archive for the images in it."""
Encode = Callable[[Body, str], Encoded]
"""Encodes an image of an archive, or raises UnusableImageError with the reason why not.

Of an UnwantedImageError the ledger has what was measured.
"""


@dataclass(frozen=True, slots=True)
class PackUnit:
    """Images that are fetched together, and the archive they are in: WEB, "" for none."""

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
    missing = any(each.reason for each in ordered[:1])
    yield from _units(archive, "" if missing else archive, ordered)


def make_web_units(group: str, found: Iterable[Found], url_of: UrlOf = str) -> Iterator[PackUnit]:
    """Units of at most MAX_IMAGES, each domain spread evenly over all of them.

    So the domain with most images, which can be asked no faster, is asked from the beginning on
    beside all others, and no unit is left to it alone, which its deadline would end.
    """
    by_domain: dict[str, list[tuple[str, Found]]] = {}
    for each in found:
        domain = registered_domain(url_of(each.origin))
        by_domain.setdefault(domain, []).append((_spread(each.origin), each))
    ordered = [
        ((at + int(_spread(domain), 16) / 2**64) / len(some), mark, each)
        for domain, some in by_domain.items()
        for at, (mark, each) in enumerate(sorted(some))
    ]
    yield from _units(group, WEB, [each for _, _, each in sorted(ordered)])


def _units(name: str, archive: str, ordered: Sequence[Found]) -> Iterator[PackUnit]:
    for start in range(0, len(ordered), MAX_IMAGES):
        part = tuple(ordered[start : start + MAX_IMAGES])
        yield PackUnit(name=f"{name}-{start // MAX_IMAGES:05d}", archive=archive, found=part)


def _spread(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def commit_pack(packing: Packing, unit: PackUnit) -> None:
    """Reads, encodes and stores the images of one unit, and commits pack and ledger.

    Where another build of this store was faster, its ledger stays. Where the unit was there before
    with other images or in another order, what was made of its ledger is forgotten first.

    Raises:
        OutputError: the store cannot be written.
    """
    folder, clock, tally, hosts = packing.folder, Clock(), Tally(), HostStats()
    before = folder.sidecar(unit.name)
    if _has_its_pack(folder, before):
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
    if now != before and _has_its_pack(folder, now):
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


def follow(
    chases: PCollection[Chase],
    resources: PCollection[tuple[str, Resource]],
    step: Step,
    *,
    joins: int,
    max_redirects: int,
    label: str = "",
) -> PCollection[Found]:
    """Where each search ends, after at most so many joins with what stands under its key.

    `label` tells a second search in one pipeline from the first.
    """
    ends = []
    for at in range(joins):
        keyed = chases | f"{label}Key {at}" >> beam.Map(lambda c: (c.key, c))
        steps = (
            {"chases": keyed, "at": resources}
            | f"{label}Join {at}" >> beam.CoGroupByKey()
            | f"{label}Step {at}" >> beam.FlatMap(_stepped, step, max_redirects)
        )
        ends.append(steps | f"{label}Ended {at}" >> _only(Found))
        chases = steps | f"{label}Going on {at}" >> _only(Chase)
    lost = chases | f"{label}Lost" >> beam.Map(_lost)
    return (*ends, lost) | f"{label}Ends" >> beam.Flatten()


def commit_packs(
    found: PCollection[Found],
    folder: Folder,
    commit_unit: Callable[[PackUnit], None],
    *,
    url_of: UrlOf | None = None,
) -> None:
    """Commits everything found, unit by unit, and then the list of all units.

    `url_of`: what is in no archive is asked of the web, by this URL.
    """
    here = found
    if url_of:
        here = found | "In archives" >> beam.Filter(lambda found: not is_for_web(found, url_of))
    units = (
        here
        | "By archive" >> beam.Map(lambda found: (_home(found), found))
        | "Group by archive" >> beam.GroupByKey()
        | "Units" >> beam.FlatMapTuple(make_units)
    )
    names = units | "Spread" >> beam.Reshuffle() | "Packs" >> beam.Map(_committed, commit_unit)
    if url_of:
        asked = (
            found
            | "For the web" >> _WebUnits(url_of)
            | "Spread what is asked" >> beam.Reshuffle()
            | "Ask the web" >> beam.ParDo(SideBySide(commit_unit))
        )
        names = (names, asked) | "Both" >> beam.Flatten()
    _ = (
        names
        | "Names" >> ToList()
        | "All packs" >> beam.Map(lambda names: _commit_all(folder, names))
    )


def is_for_web(found: Found, url_of: UrlOf) -> bool:
    """Whether an image that no archive has can be asked of the web."""
    url = url_of(found.origin) if found.reason in NOT_HELD else ""
    return url.startswith(("http://", "https://"))


class _WebUnits(beam.PTransform[Any, Any]):
    """Lists of units, each of some domains that no other list has: one worker has their turns."""

    def __init__(self, url_of: UrlOf) -> None:
        super().__init__()
        self._url_of = url_of

    def expand(self, found: PCollection[Found]) -> PCollection[list[PackUnit]]:
        url_of = self._url_of
        asked = found | "To be asked" >> beam.Filter(is_for_web, url_of)
        number = asked | "Number" >> Count.Globally()
        return (
            asked
            | "By domains" >> beam.Map(_by_domains, url_of, AsSingleton(number))
            | "Group by domains" >> beam.GroupByKey()
            | "Web units"
            >> beam.MapTuple(lambda group, some: list(make_web_units(group, some, url_of)))
        )


def _by_domains(found: Found, url_of: UrlOf, number: int) -> tuple[str, Found]:
    groups = min(max(number // _GROUP_IMAGES, 1), _MAX_GROUPS)
    at = int(_spread(registered_domain(url_of(found.origin))), 16) % groups
    return f"{WEB}{at:04d}", Found(found.origin)


def _committed(unit: PackUnit, commit_unit: Callable[[PackUnit], None]) -> str:
    commit_unit(unit)
    return unit.name


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


def _is_there(folder: Folder, name: str) -> bool:
    """Whether a unit is committed and has its pack, where it kept an image at all."""
    return _has_its_pack(folder, folder.sidecar(name))


def _has_its_pack(folder: Folder, sidecar: Mapping[str, Any] | None) -> bool:
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
