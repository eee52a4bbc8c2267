"""Bytes of URLs: from what is remembered where that will do, else from the web.

The function that builds call, and that needs no Beam. One unit, of at most some hundred URLs, is
committed to the store at its end: after `kill -9` at most the units that were open are asked for
again.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from openm3w.filters.url import url_key
from openm3w.pipeline.fetch.fetching import Fetcher
from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.pipeline.fetch.settings import Manners, Refetch
from openm3w.pipeline.fetch.standing import is_unheard, stands
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.remembered import Remembered, moment, stale
from openm3w.pipeline.fetch.wishes import signals


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Which of what is remembered is asked for again."""

    refetch: Refetch = ""
    older_than_seconds: float = 0.0
    since: float = 0.0
    """When this began, in seconds since 1970: what was learned from then on is new, so that a run
    that was stopped goes on where it was."""

    def asks(self, known: Remembered, now: float) -> bool:
        """Whether this URL is asked for again."""
        if self.since and known.at >= moment(self.since):
            return False
        return stale(known, self.refetch, now, self.older_than_seconds)


class Got(NamedTuple):
    """A URL's bytes, or why there are none."""

    url: str
    reason: str
    """Of `outcomes`, or empty."""
    data: bytes = b""


def get(
    urls: Iterable[str],
    memory: Memory,
    fetcher: Fetcher,
    *,
    unit: str,
    again: Again | None = None,
    told: Callable[[Fetched], None] | None = None,
) -> Iterator[Got]:
    """Each distinct URL once, by its canonical spelling, in the order in which they are there.

    What others fetched, or refused to, under other manners is judged by the fetcher's own; what
    they fetched without hearing all of a site's wishes that these heed is asked for again. Where
    asking again fails for something that passes, as a 503, the bytes that are remembered stay.
    `told` hears of every URL that was asked for. The unit is committed when the last one has been
    taken.

    Raises:
        OutputError: the store cannot be read or written, or is damaged.
    """
    wanted = {url_key(url): url for url in reversed(list(urls))}
    known = memory.lookup(wanted)
    again, now = again or Again(), time.time()
    fresh = {
        key: row
        for key, row in known.items()
        if not again.asks(row, now) and stands(fetcher.settings, row)
    }
    manners = fetcher.settings.manners
    yield from _remembered(fresh, wanted, memory, manners)
    missing = [url for key, url in wanted.items() if key not in fresh]
    if not missing:
        return
    with memory.writing(unit) as writing:
        for found in fetcher.stream(reversed(missing)):
            if told:
                told(found)
            key = url_key(found.url)
            row = writing.add(found, known.get(key))
            if row.sha256 and not found.data and is_unheard(fetcher.settings, row):
                yield Got(found.url, found.reason)  # its bytes stay for those who heed less
            elif row.sha256 and not found.data:  # asked again in vain: what was there stays
                yield from _remembered({key: row}, wanted, memory, manners)
            else:
                yield Got(found.url, row.reason, found.data if not row.reason else b"")


def _remembered(
    rows: dict[str, Remembered], wanted: dict[str, str], memory: Memory, manners: Manners
) -> Iterator[Got]:
    with_bytes = []
    for key, row in rows.items():
        reason = row.reason or signals.refuses(manners, row.signals)
        if reason:
            yield Got(wanted[key], reason)
        else:
            with_bytes.append(row)
    for row, data in memory.read_many(with_bytes):
        yield Got(wanted[row.url_key], "", data)
