"""How images are fetched: limits, manners, and what is believed of a site's wishes."""

import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from openm3w import __version__
from openm3w.filters.optout import OptOut

AGENT = "openm3w"
"""Our name in the user agent."""
PRODUCT = "OpenMMMW"
"""Our name in robots.txt: a product token has letters, `-` and `_` alone (RFC 9309, section 2.2.1),
and a parser that is strict reads `openm3w` as `openm`. It is part of the user agent."""
NAMES = (AGENT, PRODUCT.lower())
"""What means us in robots.txt and in scoped directives, in lower case: owners of sites write what
they see in their logs, too."""

ROBOTS_TXT = "robots.txt"
TDMREP_JSON = "tdmrep.json"
AI_TXT = "ai.txt"
"""Files in which a site says its wishes, as rows of the store name them."""

_MAX_CONTACT = 200
"""Characters; ours: it is sent with every request, and servers bound what they take of headers."""
_MAIL = re.compile(r"[^\s@]+@[^\s@.]+(?:\.[^\s@.]+)+")

Refetch = Literal["", "failed", "older-than", "all"]


def fault_of_contact(value: str) -> str:
    """Why a contact is none, as the end of a message; "" of one that is."""
    if _is_contact(value):
        return ""
    return (
        f"{value[:80]!r}, expected an http(s) URL or an e-mail address of at most {_MAX_CONTACT} "
        "characters, as https://example.org/bot"
    )


def _is_contact(value: str) -> bool:
    """Whether somebody can be written to there, and a user agent can say it."""
    if len(value) > _MAX_CONTACT or not value.isprintable() or any(c in " ();\\" for c in value):
        return False
    if "://" not in value:
        return _MAIL.fullmatch(value) is not None
    try:
        parts = urlsplit(value)
    except ValueError:  # brackets around no IPv6 address
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds one request."""

    connect_seconds: float = 10.0
    idle_seconds: float = 10.0
    """Between two reads of a body or of headers."""
    total_seconds: float = 30.0
    """Of one hop, from its turn to its last byte."""
    max_bytes: int = 20_000_000
    """Of a body, after its content encoding was undone; as `images.encoding.max_bytes`."""
    max_redirects: int = 5
    ports: tuple[int, ...] = (80, 443)
    """Ports that may be asked; none: all."""
    allow_private_networks: bool = False
    """For tests on loopback alone: addresses are checked as always, and private ones pass."""
    nat64: bool = False
    """Whether addresses of 64:ff9b::/96 are judged as the IPv4 address in them: for networks
    without IPv4, where DNS64 makes such an address of every other. Off, all are refused."""
    proxy_from_environment: bool = False
    """Whether HTTP_PROXY, HTTPS_PROXY and NO_PROXY are obeyed. Then the proxy looks names up, and
    it alone can refuse what they lead to: use one that does, such as smokescreen."""

    def __post_init__(self) -> None:
        for name in ("connect_seconds", "idle_seconds", "total_seconds", "max_bytes"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected more than 0")
        if self.max_redirects < 0:
            raise ValueError(f"max_redirects is {self.max_redirects}, expected 0 or more")
        if not all(0 < port < 1 << 16 for port in self.ports):
            raise ValueError(f"ports: {self.ports}, expected numbers of 1 to 65535")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How often a site is asked, and what of its wishes is honoured."""

    contact: str = ""
    """A URL or an e-mail address, sent in the user agent: whom a site's owner may write to."""
    per_domain: int = 2
    """Requests under way at a registered domain."""
    per_domain_rate: float = 4.0
    """Requests begun at a registered domain in a second; 0: no bound."""
    max_crawl_delay: float = 10.0
    """Seconds; a longer Crawl-delay of robots.txt is cut to it."""
    max_retry_after: float = 120.0
    """Seconds; a longer Retry-After ends the URL's turn as `asked_to_wait`."""
    retries: int = 1
    """Further attempts after a fault that may pass."""
    robots: bool = True
    """Whether robots.txt is asked and obeyed."""
    opt_out: OptOut = field(default_factory=lambda: OptOut(agents=NAMES))
    """Which of the signals in headers and well-known files are obeyed; all are recorded."""
    ai_txt: bool = True
    """Whether a disallowing ai.txt (Spawning) is obeyed."""
    well_known: bool = True
    """Whether tdmrep.json and ai.txt are asked at all: two more requests of each site, which a run
    over a million sites with one image each may not want to send. What is not obeyed (`ai_txt`,
    `opt_out.tdm_reservation`) is not asked either way."""

    @property
    def wishes(self) -> tuple[str, ...]:
        """The files that a site is asked before an image, each since it is heeded."""
        heeded = {
            ROBOTS_TXT: self.robots,
            TDMREP_JSON: self.well_known and self.opt_out.tdm_reservation,
            AI_TXT: self.well_known and self.ai_txt,
        }
        return tuple(name for name, is_heeded in heeded.items() if is_heeded)

    @property
    def user_agent(self) -> str:
        """What every request says of itself."""
        contact = f"; +{self.contact}" if self.contact else ""
        return f"{AGENT}/{__version__} ({PRODUCT}; research crawler{contact})"

    def __post_init__(self) -> None:
        if self.per_domain < 1 or self.retries < 0:
            raise ValueError("per_domain must be at least 1, retries at least 0")
        for name in ("per_domain_rate", "max_crawl_delay", "max_retry_after"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
        if self.contact and (fault := fault_of_contact(self.contact)):
            raise ValueError(f"contact: {fault}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchSettings:
    """All of it, how many requests there are at once, and where what was fetched is remembered."""

    store: str = ""
    """A folder or a URI of fsspec, shared by any number of builds; "": `fetched` in the store of
    the build."""

    concurrency: int = 128
    """Requests under way in a process. At a second each that is 128 images a second; what they
    hold at worst is this times `limits.max_bytes`."""
    bundle_seconds: float = 900.0
    """Until the URLs that are left of a bundle are given up as `deadline`. Ours: 500 URLs of one
    domain take 125 seconds at `per_domain_rate`, and hold a job no longer than this at worst."""
    limits: Limits = field(default_factory=Limits)
    manners: Manners = field(default_factory=Manners)

    def __post_init__(self) -> None:
        if self.concurrency < 1 or not self.bundle_seconds > 0:
            raise ValueError("concurrency must be at least 1, bundle_seconds more than 0")

    @property
    def deciding(self) -> tuple[object, ...]:
        """What decides about which bytes a URL gives; the rest is about how fast they come."""
        limits, manners = self.limits, self.manners
        asked = (limits.max_bytes, limits.max_redirects, limits.ports)
        heeded = (manners.robots, manners.well_known, manners.opt_out, manners.ai_txt)
        reached = (limits.allow_private_networks, limits.nat64)
        return (*asked, *reached, *heeded)
