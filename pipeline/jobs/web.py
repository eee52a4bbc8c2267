"""What job 3 asks of the web: through what is remembered, by the one fetcher of its process."""

import contextlib
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
from openm3w.pipeline.fetch.told import LiveLine, lines
from openm3w.pipeline.page import Clock

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


def web_of(settings: FetchSettings, store: Path, again: Again) -> "Web":
    """How a build asks; what comes is remembered in its store unless the settings say where."""
    return Web(settings=settings, store=settings.store or str(store / "fetched"), again=again)


def told_of(web: "Web") -> str:
    """How a build asks, as a line for the one who runs it."""
    manners, limits = web.settings.manners, web.settings.limits
    private = "; PRIVATE NETWORKS ARE ALLOWED" if limits.allow_private_networks else ""
    return f"{manners.user_agent}, remembered in {web.store}{private}"


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
def live(web: Web | None, runner: "Runner") -> Iterator[None]:
    """Shows a line on the progress of asking, where that happens in this process."""
    if web is None or runner.name != "local":
        yield
        return
    try:
        with LiveLine() as line, process.heard_by(line.add):
            yield
    finally:  # where a unit failed, those beside it end too
        process.close()


def host_lines(counts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The tables of outcomes and hosts over all units' counts; nothing where nothing was asked."""
    stats = HostStats()
    for count in counts:
        if "hosts" in count:
            stats.merge(HostStats.of_json(count["hosts"]))
    if stats.total().urls:
        yield from lines(stats)
