"""Refusals of ours that are remembered, and whether we would refuse today."""

from typing import Final
from urllib.parse import urlsplit

from openm3w.pipeline.fetch.outcomes import Result
from openm3w.pipeline.fetch.settings import FetchSettings
from openm3w.pipeline.fetch.wishes import signals

_PORTS: Final = {"http": 80, "https": 443}


def is_lifted(settings: FetchSettings, known: Result) -> bool:
    """Whether a URL was refused for what these settings allow, so that it has to be asked for.

    What a server failed to give is not judged here: `refetch` asks for that again.
    """
    limits, manners = settings.limits, settings.manners
    if known.reason == "private_address":
        return limits.allow_private_networks or limits.nat64
    if known.reason == "bad_port":
        return not limits.ports or _port(known.final_url or known.url) in limits.ports
    if known.reason in ("robots_disallowed", "robots_unreachable"):
        return not manners.robots
    if known.reason in ("opt_out", "ai_txt"):
        return not signals.refuses(manners, known.signals)
    return False


def _port(url: str) -> int:
    try:
        parts = urlsplit(url)
        return parts.port or _PORTS.get(parts.scheme.lower(), 0)
    except ValueError:
        return 0
