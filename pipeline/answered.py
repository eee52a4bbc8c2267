"""What the web answered a build, as the histograms and bars of its report."""

from collections.abc import Iterable, Mapping
from typing import Any

from openm3w.pipeline.fetch.hosts import LATENCY_EDGES, HostStats

_MOST_DOMAINS = 50


def answered(counts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`histograms` and `bars` over the counts of all units; empty where nothing was asked.

    They are of the URLs that this build asked for; what was remembered of earlier fetches was
    answered once, and is not counted again.
    """
    stats = HostStats()
    for count in counts:
        if "hosts" in count:
            stats.merge(HostStats.of_json(count["hosts"]))
    total = stats.total()
    if not total.urls:
        return {}
    failed = {host.domain: host.failed for host in stats.worst(_MOST_DOMAINS)}
    statuses = {f"HTTP {k}" if k != "none" else "no answer": v for k, v in _ranked(stats.statuses)}
    return {
        "histograms": {
            "seconds until a URL was answered": {
                "edges": list(LATENCY_EDGES),
                "counts": list(stats.latency),
            }
        },
        "bars": {
            "last answers to the URLs that were asked for": statuses,
            "outcomes of the URLs that were asked for": dict(_ranked(total.reasons)),
            **({"domains whose URLs failed": failed} if failed else {}),
        },
    }


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
