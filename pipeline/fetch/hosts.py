"""Which hosts a run spent its time on, and which gave nothing: what the table at its end shows."""

import bisect
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from openm3w.filters.url import registered_domain
from openm3w.pipeline.fetch.outcomes import Fetched, Result

MAX_HOSTS: Final = 10_000
"""Domains that are told apart; some 10 MB. Ours."""
FETCHED: Final = "fetched"
"""The reason of URLs that came."""
LATENCY_EDGES: Final = (0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 600)
"""Seconds; a URL with all its hops and attempts is counted between two of them."""


@dataclass(slots=True, kw_only=True)
class HostCount:
    """What was asked of a registered domain, and what came of it."""

    domain: str
    requests: int = 0
    """All hops and attempts; 0 for what was decided without a request."""
    bytes: int = 0
    """Of what was fetched."""
    seconds: float = 0.0
    """Of all requests, without waiting for a turn."""
    reasons: Counter[str] = field(default_factory=Counter)
    """URLs by reason, FETCHED for those that came."""
    failed: int = 0
    """URLs whose outcome is `failed`."""

    @property
    def urls(self) -> int:
        return self.reasons.total()

    @property
    def seconds_each(self) -> float:
        """Seconds of a request; 0 where there was none."""
        return self.seconds / self.requests if self.requests else 0.0

    def add(self, other: "HostCount") -> None:
        self.requests += other.requests
        self.bytes += other.bytes
        self.seconds += other.seconds
        self.reasons.update(other.reasons)
        self.failed += other.failed

    def as_json(self) -> dict[str, Any]:
        return {
            "domain": self.domain,
            "requests": self.requests,
            "bytes": self.bytes,
            "seconds": self.seconds,
            "reasons": dict(sorted(self.reasons.items())),
            "failed": self.failed,
        }


class HostStats:
    """Counts by registered domain, in bounded memory.

    Of more than `2 * max_hosts` domains, those stay that are among the first `max_hosts / 2` by
    URLs that failed or by seconds of a request; the others are counted together. Such a domain
    counts from 0 if it comes again, so a number in a table may lack what it had before, which was
    no more than what the domains had that stayed. Sums over all are exact.
    """

    def __init__(self, *, max_hosts: int = MAX_HOSTS) -> None:
        if max_hosts < 2:
            raise ValueError(f"max_hosts is {max_hosts}, expected at least 2")
        self._max_hosts = max_hosts
        self._hosts: dict[str, HostCount] = {}
        self._others = HostCount(domain="")
        self.statuses: Counter[str] = Counter()
        """URLs by the status of the last answer, `none` where no answer came."""
        self.latency: list[int] = [0] * (len(LATENCY_EDGES) - 1)
        """Those that were asked for, by seconds: see LATENCY_EDGES."""

    def __len__(self) -> int:
        """Domains that are told apart."""
        return len(self._hosts)

    def add(self, fetched: Fetched) -> None:
        """Counts what became of one URL, under the domain that was asked first."""
        self.add_result(fetched, len(fetched.data))

    def add_result(self, result: Result, num_bytes: int) -> None:
        """Likewise, where the bytes are not at hand."""
        if result.attempts + result.redirects:
            self.statuses[str(result.status or "none")] += 1
            at = bisect.bisect_right(LATENCY_EDGES, result.seconds) - 1
            self.latency[min(at, len(self.latency) - 1)] += 1
        self._count(
            HostCount(
                domain=registered_domain(result.url),
                requests=result.attempts + result.redirects,
                bytes=num_bytes,
                seconds=result.seconds,
                reasons=Counter({result.reason or result.outcome: 1}),
                failed=int(result.outcome == "failed"),
            )
        )

    def merge(self, other: "HostStats") -> None:
        """Adds what another worker counted."""
        self._add(other._hosts.values(), other._others)  # noqa: SLF001
        self._add_answers(other.statuses, other.latency)

    def slowest(self, number: int) -> list[HostCount]:
        """Domains by seconds of a request, the longest first, without those that took none."""
        return self._first(number, _slowness, self._hosts.values())

    def worst(self, number: int) -> list[HostCount]:
        """Domains by URLs that failed, most first, without those where none did."""
        return self._first(number, _failures, self._hosts.values())

    def total(self) -> HostCount:
        """All domains together, exactly."""
        total = HostCount(domain="")
        for host in (*self._hosts.values(), self._others):
            total.add(host)
        return total

    def as_json(self) -> dict[str, Any]:
        hosts = sorted(self._hosts.values(), key=lambda host: host.domain)
        return {
            "hosts": [host.as_json() for host in hosts],
            "others": self._others.as_json(),
            "statuses": dict(sorted(self.statuses.items())),
            "latency": list(self.latency),
        }

    @classmethod
    def of_json(cls, found: Mapping[str, Any], *, max_hosts: int = MAX_HOSTS) -> "HostStats":
        """What `as_json` gave.

        Raises:
            ValueError: it is something else.
        """
        stats = cls(max_hosts=max_hosts)
        try:
            stats._add(map(_of_json, found["hosts"]), _of_json(found["others"]))
            # Sidecars of earlier versions lack them.
            stats._add_answers(found.get("statuses", {}), found.get("latency", stats.latency))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"counts of hosts: {error!r}; expected what as_json gave") from error
        return stats

    def _add(self, hosts: Iterable[HostCount], others: HostCount) -> None:
        for host in hosts:
            self._count(host)
        self._others.add(others)

    def _add_answers(self, statuses: Mapping[str, int], latency: Iterable[int]) -> None:
        self.statuses.update(statuses)
        self.latency = [a + b for a, b in zip(self.latency, latency, strict=True)]

    def _count(self, count: HostCount) -> None:
        known = self._hosts.setdefault(count.domain, HostCount(domain=count.domain))
        known.add(count)
        if len(self._hosts) > 2 * self._max_hosts:
            self._fold()

    def _fold(self) -> None:
        each = self._max_hosts // 2
        hosts = self._hosts.values()
        kept = {
            host.domain
            for order in (_failures, _slowness)
            for host in self._first(each, order, hosts)
        }
        for domain in [domain for domain in self._hosts if domain not in kept]:
            self._others.add(self._hosts.pop(domain))

    @staticmethod
    def _first(
        number: int, order: Callable[[HostCount], float], hosts: Iterable[HostCount]
    ) -> list[HostCount]:
        found = [host for host in hosts if order(host) > 0]
        return sorted(found, key=lambda host: (-order(host), host.domain))[:number]


def _failures(host: HostCount) -> float:
    return host.failed


def _slowness(host: HostCount) -> float:
    return host.seconds_each


def _of_json(found: Mapping[str, Any]) -> HostCount:
    return HostCount(
        domain=found["domain"],
        requests=found["requests"],
        bytes=found["bytes"],
        seconds=found["seconds"],
        reasons=Counter(found["reasons"]),
        failed=found["failed"],
    )
