"""Whether what is remembered stands today, where it was learned by other settings.

A refusal of ours stands where we would refuse today; what was fetched, where we would hear no more
of its sites today before we ask.
"""

from typing import Final
from urllib.parse import urlsplit

from openm3w.pipeline.fetch.outcomes import Result
from openm3w.pipeline.fetch.settings import FetchSettings
from openm3w.pipeline.fetch.wishes import signals

_PORTS: Final = {"http": 80, "https": 443}


def stands(settings: FetchSettings, known: Result) -> bool:
    """Whether what is known of a URL will do, so that it has not to be asked for."""
    return not is_lifted(settings, known) and not is_unheard(settings, known)


def is_unheard(settings: FetchSettings, known: Result) -> bool:
    """Whether a URL was fetched without asking its sites for what these settings heed.

    What did not come is not judged here, nor what signals forbid that were recorded: nothing of it
    is used.
    """
    manners = settings.manners
    if known.outcome != "fetched" or signals.refuses(manners, known.signals):
        return False
    return not set(manners.wishes).issubset(known.wishes)


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
