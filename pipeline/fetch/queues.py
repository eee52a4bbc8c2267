"""Whose turn it is: fair over registered domains, polite to each. No clock and no network."""

import heapq
from itertools import count
from math import inf
from typing import Final, Generic, TypeVar

from openm3w.pipeline.fetch.domain import Domain

BROKEN_AFTER: Final = 10
"""Faults in a row after which a host is taken as dead. Ours: two at a time, with a connect time-out
of 10 s, that is 50 s; a host that answers every other time has ten in a row once in 1,024.
"""

T = TypeVar("T")


class HostQueues(Generic[T]):
    """Items by registered domain, given out in turn.

    A domain never has more than `per_domain` items under way, and starts them at least `1 / rate`
    seconds apart, or its own delay; after an item that cost several requests it rests for as long
    as after so many. Among domains that are ready, the one that has been for longest
    is next; so a domain with a million items slows no other. Each step is O(log domains).

    Circuit breaker: when `done` was told `broken_after` times in a row that a host could not be
    reached (`dns_failure`, `connect_failure`, `connect_timeout`), it returns True. `drain` then
    gives back all that waits for that host, to be counted as failed, so that a dead host costs
    seconds and not hours. It is counted by host and not by domain: under `cloudfront.net` or
    `blogspot.com` ten dead hosts in a row say nothing of the next. Without hosts a domain is one.

    Times are seconds of any clock that does not go back. A domain without items is forgotten when
    its pause is over, unless it has a delay of its own or a dead host.
    """

    def __init__(
        self, *, per_domain: int, rate: float = 0.0, broken_after: int = BROKEN_AFTER
    ) -> None:
        if per_domain < 1 or broken_after < 1 or not rate >= 0:
            raise ValueError("per_domain and broken_after must be at least 1, rate at least 0")
        self._per_domain = per_domain
        self._gap = 1 / rate if rate else 0.0
        self._broken_after = broken_after
        self._domains: dict[str, Domain[T]] = {}
        self._turns: list[tuple[float, int, str]] = []
        self._idle: list[tuple[float, int, str]] = []
        self._number = count(1)
        self._now = 0.0
        self._waiting = 0

    def __len__(self) -> int:
        """Items that wait, without those under way."""
        return self._waiting

    @property
    def domains(self) -> int:
        """Domains that are remembered."""
        return len(self._domains)

    def add(self, domain: str, item: T, *, host: str = "") -> None:
        """Puts an item at the end of its domain's line."""
        state = self._state(domain)
        state.back.append((host, item))
        self._waiting += 1
        self._settle(domain, state)

    def requeue(self, domain: str, item: T, not_before: float, *, host: str = "") -> None:
        """Puts an item back that is to start at this time or later.

        The item is a new one: its first start is ended by `done` or `skip` as any other.
        """
        state = self._state(domain)
        heapq.heappush(state.later, (not_before, next(self._number), host, item))
        self._waiting += 1
        self._settle(domain, state)

    def pop(self, now: float) -> T | None:
        """The item whose turn it is, which is then under way; None if nothing may start now."""
        self._now = max(self._now, now)
        self._forget_idle()
        time = self.next_time()
        if time is None or time > self._now:
            return None
        domain = heapq.heappop(self._turns)[2]
        state = self._domains[domain]
        item = state.take(self._now)
        state.turn = 0
        state.running += 1
        state.starts = [*state.starts[-self._per_domain :], self._now]
        state.owed = 0
        self._waiting -= 1
        self._settle(domain, state)
        return item

    def next_time(self) -> float | None:
        """When `pop` gives something, perhaps already; None if nothing waits but for `done`."""
        while self._turns:
            time, turn, domain = self._turns[0]
            state = self._domains.get(domain)
            if state and state.turn == turn:
                return time
            heapq.heappop(self._turns)
        return None

    def done(
        self,
        domain: str,
        now: float,
        *,
        requests: int = 1,
        pause: float = 0.0,
        host: str = "",
        unreachable: bool = False,
    ) -> bool:
        """Ends an item that was under way; True if `host` is now taken as dead.

        Args:
            domain: of the item.
            now: the time.
            requests: made for the item, as of a robots.txt before it; the domain rests for each.
            pause: seconds in which nothing of the domain is to start, as of a Retry-After.
            host: of the item, where it was added with one.
            unreachable: whether there was no way to the host; anything else it did is an answer.
        """
        state = self._ended(domain, now)
        state.paused_until = max(state.paused_until, now + pause)
        state.owed += requests - 1
        state.count(host, unreachable=unreachable)
        self._settle(domain, state)
        return self.is_broken(domain, host)

    def skip(
        self,
        domain: str,
        now: float,
        *,
        started: float,
        host: str = "",
        unreachable: bool = False,
    ) -> bool:
        """Ends an item for which nothing was asked, so that its start does not count.

        Without this a site whose robots.txt disallows 100,000 images would hold a run for hours.
        True if `host` is now taken as dead.

        Args:
            domain: of the item.
            now: the time.
            started: what `pop` was told that gave the item.
            host: of the item, where it was added with one.
            unreachable: whether nothing was asked since the host is known to be so.
        """
        state = self._ended(domain, now)
        if started in state.starts:
            state.starts.remove(started)
        if unreachable:
            state.count(host, unreachable=True)
        self._settle(domain, state)
        return self.is_broken(domain, host)

    def set_delay(self, domain: str, seconds: float) -> None:
        """Sets the least seconds between starts, from the last one on, as of a Crawl-delay.

        It never shortens those of the rate.
        """
        state = self._state(domain)
        state.delay = seconds
        self._settle(domain, state)

    def is_broken(self, domain: str, host: str = "") -> bool:
        """Whether a host is taken as dead: what is added is tried, until it has answered once."""
        state = self._domains.get(domain)
        faults = state.faults if state else None
        return bool(faults) and (faults or {}).get(host, 0) >= self._broken_after

    def drain(self, domain: str, host: str | None = None) -> list[T]:
        """Takes out all that waits for a host, or for all hosts of a domain, in its order."""
        state = self._domains.get(domain)
        if state is None:
            return []
        line = [*state.front[::-1], *state.back]
        given = [item for name, item in line if host in (None, name)]
        given += [item for _, _, name, item in sorted(state.later) if host in (None, name)]
        state.front = []
        state.back = [pair for pair in line if host not in (None, pair[0])]
        state.later = sorted(entry for entry in state.later if host not in (None, entry[2]))
        self._waiting -= len(given)
        self._settle(domain, state)
        return given

    def _state(self, domain: str) -> Domain[T]:
        return self._domains.setdefault(domain, Domain())

    def _ended(self, domain: str, now: float) -> Domain[T]:
        self._now = max(self._now, now)
        state = self._domains.get(domain)
        if state is None or not state.running:
            raise ValueError(f"{domain}: nothing is under way; done or skip was called twice")
        state.running -= 1
        return state

    def _rested_at(self, state: Domain[T]) -> float:
        last = max(state.starts, default=-inf)
        return max(state.paused_until, last + max(self._gap * (1 + state.owed), state.delay))

    def _ready_at(self, state: Domain[T]) -> float | None:
        if state.running >= self._per_domain or not (state.front or state.back or state.later):
            return None
        first = -inf if state.front or state.back else state.later[0][0]
        return max(first, self._rested_at(state))

    def _settle(self, domain: str, state: Domain[T]) -> None:
        """Gives a domain its place among the turns, once for each change of when it is ready."""
        ready = self._ready_at(state)
        if ready is None:
            state.turn = 0
            if not (state.running or state.front or state.back or state.later):
                entry = (self._rested_at(state), next(self._number), domain)
                heapq.heappush(self._idle, entry)
            return
        # A newcomer stands behind those that have been ready; who is ready keeps its place.
        time = max(ready, self._now)
        if not (state.turn and ready <= state.ready_at <= time):
            state.turn, state.ready_at = next(self._number), time
            heapq.heappush(self._turns, (time, state.turn, domain))

    def _forget_idle(self) -> None:
        while self._idle and self._idle[0][0] <= self._now:
            domain = heapq.heappop(self._idle)[2]
            state = self._domains.get(domain)
            if state and not self._is_of_use(state):
                del self._domains[domain]

    def _is_of_use(self, state: Domain[T]) -> bool:
        busy = state.running or state.front or state.back or state.later
        dead = any(number >= self._broken_after for number in (state.faults or {}).values())
        return bool(busy or state.delay or dead)
