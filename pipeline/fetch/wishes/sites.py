"""What a site says before an image is asked for: one question for each site, however many ask."""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf
from typing import Final
from urllib.parse import urlsplit

from openm3w.filters.url import url_key
from openm3w.pipeline.fetch.outcomes import PASSING, Answer
from openm3w.pipeline.fetch.settings import AI_TXT, ROBOTS_TXT, TDMREP_JSON, Manners
from openm3w.pipeline.fetch.wishes.robots import NO_RULES, Get, Robots, Rules, ask_robots
from openm3w.pipeline.fetch.wishes.signals import DISALLOWED_BY_ROBOTS, refuses
from openm3w.pipeline.fetch.wishes.wishes import (
    AI_TXT_PATH,
    TDMREP_PATH,
    Reservation,
    Wishes,
    ask_ai_txt,
    ask_tdmrep,
)

MAX_AGE: Final = 86_400.0
"""Seconds that an answer is believed: 24 hours (RFC 9309, section 2.4)."""
MAX_AGE_UNREACHABLE: Final = 600.0
"""Seconds that a site without a robots.txt that could be read is left alone. Ours: a passing fault
costs a site minutes of a run, and a dead one some requests in a day."""
MAX_AGE_PASSING: Final = 0.4
"""Seconds until a robots.txt is asked for a second time, after a fault that may pass. Ours: less
than the wait of the URL that asked first, which then asks again for both."""
MAX_SITES: Final = 20_000
MAX_CHARS: Final = 8_000_000
"""Of all files that are remembered; parsed rules take about sixteen times as many bytes. Ours, as
`MAX_SITES`: what was forgotten is asked again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a site says of one URL."""

    reason: str = ""
    """Of `outcomes.REFUSED` where the URL is not to be asked, else ""."""
    signals: tuple[str, ...] = ()
    """All that its files say of use, obeyed or not, each with the file's name before it."""
    wishes: tuple[str, ...] = field(default=(), compare=False)
    """Files that were asked, now or before, or that robots.txt keeps us from asking; those after a
    file that forbids are not among them, and none is where robots.txt could not be read."""
    crawl_delay: float = 0.0
    """Seconds between requests, at most `Manners.max_crawl_delay`; 0: the site does not say."""
    fault: str = ""
    """What happened where the reason is `robots_unreachable`: `dns_failure`, `connect_timeout` ...;
    "" where the site answered with a status of 5xx."""
    requests: int = field(default=0, compare=False)
    """Made to learn it; 0: it was known."""


@dataclass(slots=True, eq=False)
class _Site:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    failed: bool = False
    """Whether its robots.txt could not be asked for the last time."""
    robots: Robots | None = None
    wishes: Wishes | None = None
    expires: float = inf
    chars: int = 0


class _Counted:
    """Counts what is asked."""

    def __init__(self, get: Get) -> None:
        self._get = get
        self.requests = 0

    async def __call__(self, url: str, max_bytes: int) -> Answer:
        self.requests += 1
        return await self._get(url, max_bytes)


class Sites:
    """What sites say, asked once a day: robots.txt, then tdmrep.json, then ai.txt.

    A file that robots.txt disallows, or that no setting would heed, is not asked. Sites are
    remembered within bounds, and the one that was longest without a question is forgotten first.
    """

    def __init__(
        self,
        manners: Manners,
        get: Get,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_sites: int = MAX_SITES,
        max_chars: int = MAX_CHARS,
    ) -> None:
        self._manners = manners
        self._heeded = manners.wishes
        self._get = get
        self._clock = clock
        self._max_sites = max_sites
        self._max_chars = max_chars
        self._chars = 0
        self._sites: OrderedDict[str, _Site] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sites)

    async def about(self, url: str) -> Word:
        """May this URL be asked, and what is said of it; never raises if `get` never does.

        A reservation in a file is heeded before the image is asked. The image's own headers, which
        would come before the file in TDMRep, can so forbid more, and never allow more.
        """
        get = _Counted(self._get)
        word = await self._about(url_key(url), get)
        return replace(word, requests=get.requests) if get.requests else word

    async def _about(self, url: str, get: Get) -> Word:
        origin = _origin(url)
        if not origin:
            return Word(reason="bad_url")
        site = self._site(origin)
        robots = await self._robots(site, origin, get) if self._manners.robots else Robots()
        delay = min(robots.rules.crawl_delay, self._manners.max_crawl_delay)
        if robots.reason:
            return Word(reason=robots.reason, fault=robots.fault)
        if not robots.rules.allows(url):
            return Word(
                reason="robots_disallowed",
                signals=(DISALLOWED_BY_ROBOTS,),
                wishes=(ROBOTS_TXT,),
                crawl_delay=delay,
            )
        wishes = await self._wishes(site, origin, robots.rules, get)
        usage = (f"robots.txt content-usage: {said}" for said in robots.rules.usage(url))
        signals = (*usage, *wishes.signals(url))
        return Word(
            reason=refuses(self._manners, signals),
            signals=signals,
            wishes=self._heeded,
            crawl_delay=delay,
        )

    async def _robots(self, site: _Site, origin: str, get: Get) -> Robots:
        if site.robots is not None:
            return site.robots
        # A lock and not a shared task: if the asker is cancelled, the next one in line asks.
        async with site.lock:
            if site.robots is None:
                site.robots = await ask_robots(origin, get)
                age = self._age(site.robots, failed=site.failed)
                site.failed = bool(site.robots.fault)
                self._keep(site, origin, site.robots.rules.chars, age)
            return site.robots

    def _age(self, robots: Robots, *, failed: bool) -> float:
        if robots.reason != "robots_unreachable":
            return MAX_AGE
        again = robots.fault in PASSING and not failed and self._manners.retries > 0
        return MAX_AGE_PASSING if again else MAX_AGE_UNREACHABLE

    async def _wishes(self, site: _Site, origin: str, rules: Rules, get: Get) -> Wishes:
        if site.wishes is not None:
            return site.wishes
        async with site.lock:
            if site.wishes is None:
                # One after the other: the place of a turn is for one request at a time.
                reservations, tdm = await self._tdmrep(origin, rules, get)
                media, ai = await self._ai_txt(origin, rules, get)
                site.wishes = Wishes(reservations, media, tdm + ai)
                self._keep(site, origin, site.wishes.chars, MAX_AGE)
            return site.wishes

    async def _tdmrep(
        self, origin: str, rules: Rules, get: Get
    ) -> tuple[tuple[Reservation, ...], int]:
        if TDMREP_JSON in self._heeded and rules.allows(origin + TDMREP_PATH):
            return await ask_tdmrep(origin, get)
        return (), 0

    async def _ai_txt(self, origin: str, rules: Rules, get: Get) -> tuple[Rules, int]:
        if AI_TXT in self._heeded and rules.allows(origin + AI_TXT_PATH):
            return await ask_ai_txt(origin, get)
        return NO_RULES, 0

    def _site(self, origin: str) -> _Site:
        site = self._sites.get(origin)
        failed = False
        if site and site.expires <= self._clock() and not site.lock.locked():
            failed = site.failed
            self._forget(origin)
            site = None
        if site is None:
            site = self._sites[origin] = _Site(failed=failed)
        self._sites.move_to_end(origin)
        self._shrink()
        return site

    def _keep(self, site: _Site, origin: str, chars: int, seconds: float) -> None:
        site.expires = min(site.expires, self._clock() + seconds)
        if self._sites.get(origin) is site:  # else it was forgotten between two questions
            site.chars += chars
            self._chars += chars
            self._shrink()

    def _shrink(self) -> None:
        """Forgets sites that nobody is asking just now, the latest never."""
        while len(self._sites) > self._max_sites or self._chars > self._max_chars:
            latest = next(reversed(self._sites))
            idle = (o for o, site in self._sites.items() if not site.lock.locked() and o != latest)
            origin = next(idle, None)
            if origin is None:
                return
            self._forget(origin)

    def _forget(self, origin: str) -> None:
        self._chars -= self._sites.pop(origin).chars


_PLAIN = re.compile(r"https?://[a-z0-9.-]+(?::[1-9][0-9]{0,3})?(?=/)")
"""The origin of a URL without a user, and with a port of at most four digits if with any."""


def _origin(url: str) -> str:
    """`scheme://host:port` of a canonical http(s) URL, without a user; "" of anything else."""
    plain = _PLAIN.match(url)
    if plain:  # as nearly all
        return plain[0]
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if known else ""
