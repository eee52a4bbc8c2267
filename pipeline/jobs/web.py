"""What job 3 asks of the web: through what is remembered, by the one fetcher of its process."""

import contextlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from openm3w.errors import RecipeError
from openm3w.pipeline.fetch import process
from openm3w.pipeline.fetch.getting import Again, get
from openm3w.pipeline.fetch.hosts import HostStats
from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.pipeline.fetch.settings import FetchSettings
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.opening import FETCHED
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.fetch.told import LiveLine, lines
from openm3w.pipeline.jobs.watching import watching
from openm3w.pipeline.page import Clock
from openm3w.pipeline.store import Folder
from openm3w.shards.uris import shown

if TYPE_CHECKING:
    from openm3w.pipeline.runners import Runner


def check_contact(settings: FetchSettings) -> None:
    """Looks whether somebody is named whom the owner of a site may write to.

    Raises:
        RecipeError: nobody is.
    """
    if not settings.manners.contact:
        raise RecipeError(
            "images.source=http: name a URL or an e-mail address that the owners of sites may "
            "write to, by --contact or in fetch.manners.contact"
        )


def remembered_at(settings: FetchSettings, store: Path, shared: str = "") -> str:
    """The URI of what is remembered of fetches: `shared`, or where the settings say, or in `store`.

    `shared`: what `--store` names where that is no folder of this machine.

    Raises:
        RecipeError: there are two such places.
    """
    if shared and settings.store not in ("", shared):
        raise RecipeError(
            f"--store: what is fetched would be remembered at {shown(shared)}, and fetch.store "
            f"says {shown(settings.store)}; leave one of them out"
        )
    return shared or settings.store or str(store / FETCHED)


def told_of_tombstones(uri: str) -> Iterator[str]:
    """A line on what is buried at a URI, where anything is; fails before any work where it must.

    Raises:
        InputError: no store can be at this URI.
        MissingError: the package for its protocol is not installed.
        OutputError: what is there is no store, or what is buried cannot be read.
    """
    if number := len(Memory.open(uri).tombstones()):
        yield (
            f"tombstones: {number} in {shown(uri)}; what they cover is neither asked for nor stored"
        )


def tombstones(uri: str) -> Tombstones:
    """What is buried at a URI now; a process reads it once, and after that what came since.

    Raises:
        OutputError: it is no store, or what is buried cannot be read.
    """
    return process.memory_at(uri).tombstones()


def told_of(web: "Web") -> str:
    """How a build asks, as a line for the one who runs it."""
    manners, limits = web.settings.manners, web.settings.limits
    private = "; PRIVATE NETWORKS ARE ALLOWED" if limits.allow_private_networks else ""
    return (
        f"{manners.user_agent}, remembered in {shown(web.store)}{_told_again(web.again)}{private}"
    )


def _told_again(again: Again) -> str:
    if not again.refetch:
        return ""
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(again.since))
    return f"; --refetch {again.refetch}, of what was learned before {since}"


class Body(NamedTuple):
    """The bytes of an image, or why there are none."""

    origin: str
    reason: str
    data: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """How a build asks; small and picklable."""

    settings: FetchSettings
    store: str
    """URI of what is remembered."""
    again: Again

    def get(self, unit: str, urls: Iterable[str], clock: Clock, hosts: HostStats) -> Iterator[Body]:
        """Each URL's bytes as they come; `hosts` counts those that were asked for.

        Raises:
            OutputError: what is remembered cannot be read or written.
        """
        fetcher = process.fetcher_for(self.settings, self.store)

        def told(found: Fetched) -> None:
            hosts.add(found)
            process.tell(found)

        memory = process.memory_at(self.store)
        for url, reason, data in get(urls, memory, fetcher, unit=unit, again=self.again, told=told):
            clock.lap("fetch")
            yield Body(url, reason, data)


@contextlib.contextmanager
def asking(web: Web | None, runner: "Runner", packs: Folder, units: str) -> Iterator[None]:
    """Around a job that asks: what is remembered is put in order, and a line tells of progress.

    Of what other processes ask the line tells when they commit a unit to `packs`, whose name begins
    with `units`.

    Small files of rows are merged before the job, since what a run left that was killed is read by
    each of its workers, and after it, for the runs to come.

    Raises:
        OutputError: what is remembered cannot be read or written.
    """
    if web is None:
        yield
        return
    Memory.open(web.store).compact()
    with _live() if runner.name == "local" else _live_elsewhere(packs, units):
        yield
    Memory.open(web.store).compact()


@contextlib.contextmanager
def _live() -> Iterator[None]:
    """Shows a line on the progress of what this process asks."""
    try:
        with LiveLine() as line, process.heard_by(line.add):
            yield
    finally:  # where a unit failed, those beside it end too
        process.close()


@contextlib.contextmanager
def _live_elsewhere(packs: Folder, units: str) -> Iterator[None]:
    """Shows a line on the progress of what worker processes ask."""
    with LiveLine() as line:

        def told(counts: Mapping[str, Any]) -> None:
            if "hosts" in counts:
                line.add_many(HostStats.of_json(counts["hosts"]).total())

        with watching(packs, units, told):
            yield


def host_lines(counts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The tables of outcomes and hosts over all units' counts; nothing where nothing was asked."""
    stats = HostStats()
    for count in counts:
        if "hosts" in count:
            stats.merge(HostStats.of_json(count["hosts"]))
    if stats.total().urls:
        yield from lines(stats)
