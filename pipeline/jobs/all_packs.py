"""All packs of a build: the graph that shares them out to workers, and which are still to be made.

Of images only names are shuffled, never bytes.
"""

from collections.abc import Callable
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsSingleton, PCollection
from apache_beam.transforms.combiners import Count, ToList

from openm3w.pipeline.images.resolve import Found
from openm3w.pipeline.jobs.grouping import (
    PackUnit,
    UrlOf,
    home,
    is_for_web,
    make_units,
    make_web_units,
    not_asked,
    web_group,
)
from openm3w.pipeline.jobs.packing import has_its_pack
from openm3w.pipeline.jobs.side_by_side import SideBySide
from openm3w.pipeline.progress import ALL
from openm3w.pipeline.store import Folder

ALL_PACKS = ALL
"""Pseudo-unit whose sidecar lists the packs once all are there."""


def pack_units(folder: Folder) -> list[str]:
    """Names of all units of packs, once they are committed."""
    sidecar = folder.sidecar(ALL_PACKS)
    return list(sidecar["counts"]["units"]) if sidecar else []


def pending(folder: Folder, *, bytes_too: bool = True) -> list[str]:
    """The packs that are still to be made, and ALL_PACKS where their list is."""
    if folder.sidecar(ALL_PACKS) is None:
        return [ALL_PACKS]
    names = pack_units(folder)
    if not bytes_too:
        return folder.pending(names)
    return [name for name in names if not has_its_pack(folder, folder.sidecar(name))]


def is_pending(folder: Folder) -> bool:
    """Whether a pack, or the list of all packs, is still to be made."""
    return bool(pending(folder))


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
        here = (
            found
            | "In archives" >> beam.Filter(lambda found: not is_for_web(found, url_of))
            | "Not asked" >> beam.Map(not_asked, url_of)
        )
    units = (
        here
        | "By archive" >> beam.Map(lambda found: (home(found), found))
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
            | "By domains" >> beam.Map(web_group, url_of, AsSingleton(number))
            | "Group by domains" >> beam.GroupByKey()
            | "Web units"
            >> beam.MapTuple(lambda group, some: list(make_web_units(group, some, url_of)))
        )


def _committed(unit: PackUnit, commit_unit: Callable[[PackUnit], None]) -> str:
    commit_unit(unit)
    return unit.name


def _commit_all(folder: Folder, names: list[str]) -> None:
    folder.commit_sidecar(ALL_PACKS, counts={"units": sorted(names)}, seconds={})
