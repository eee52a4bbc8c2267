"""What became of a URL that was asked for, and the reasons there are."""

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["fetched", "dropped", "failed"]
"""`dropped`: not asked, or not used, by a decision of ours; `failed`: asked, and nothing came."""

REFUSED = frozenset(
    {
        "bad_url",  # no http(s) URL that can be asked
        "bad_scheme",  # another than http(s), of the URL itself or of a redirect
        "bad_port",
        "private_address",  # of the host itself or of a redirect, whatever name it came by
        "robots_disallowed",
        "robots_unreachable",  # 5xx or no answer: RFC 9309 takes it as disallowed
        "opt_out",  # headers or well-known files, by `Manners.opt_out`
        "ai_txt",
        "tombstone",
        "asked_to_wait",  # Retry-After beyond what we wait for
    }
)
"""Decisions."""
ABSENT = frozenset({"not_found", "http_status", "too_many_redirects", "redirect_loop"})
"""The site answered, and not with the image."""
FAULTS = frozenset(
    {
        "dns_failure",
        "connect_failure",
        "connect_timeout",
        "tls_failure",
        "idle_timeout",
        "total_timeout",
        "connection_lost",  # reset, or fewer bytes than were promised
        "bad_response",  # no HTTP
        "bad_encoding",  # a content encoding that cannot be undone
        "too_large",
        "empty",
        "deadline",  # of the bundle
        "lost",  # fetched once, and the stored bytes were found damaged or missing
    }
)
PASSING = frozenset(
    {"dns_failure", "connect_failure", "connect_timeout", "idle_timeout", "connection_lost"}
)
"""Faults after which a second attempt may succeed."""
PASSING_STATUS = frozenset({429, 500, 502, 503, 504})
"""Too many requests, and what servers say when they are overloaded or restarted."""
NOT_NOW = frozenset({"robots_unreachable", "asked_to_wait"})
"""Refusals that are about the moment and not about the URL."""
_ANSWERED = frozenset({"too_large", "empty"})
"""Faults of what the server has there now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One hop: what a server said to one request."""

    url: str
    reason: str = ""
    """Of FAULTS or REFUSED, or "" and the rest is filled in; else what came before the failure."""
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    """Names in lower case, values as they came, in their order."""
    body: bytes = b""
    """Content encoding undone; empty of a redirect, and of a status that is not 200."""
    location: str = ""
    """Absolute URL that a redirect points to."""
    seconds: float = 0.0

    def values(self, name: str) -> tuple[str, ...]:
        """The values of a header, in their order."""
        return tuple(value for found, value in self.headers if found == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one URL, all hops and attempts together."""

    url: str
    outcome: Outcome
    reason: str = ""
    status: int = 0
    """Of the last answer; 0: none came."""
    final_url: str = ""
    """The last address that was asked, where it is another."""
    redirects: int = 0
    attempts: int = 0
    fetched_at: str = ""
    """Of the last answer, as `2026-11-23T05:12:47Z`."""
    seconds: float = 0.0
    """Of all requests, without waiting for a turn."""
    content_type: str = ""
    etag: str = ""
    last_modified: str = ""
    signals: tuple[str, ...] = ()
    """Everything that headers, robots.txt and well-known files say about use, obeyed or not."""
    wishes: tuple[str, ...] = ()
    """Files that every site on the way was asked for its wishes (`Manners.wishes`), or that its
    robots.txt keeps us from asking."""

    @property
    def passes(self) -> bool:
        """Whether it tells of the moment alone, so that an older copy is as good as before.

        A picture that is gone, forbidden, another one or opted out is none of these.
        """
        if self.reason == "http_status":
            return self.status in PASSING_STATUS
        return self.reason in NOT_NOW or self.reason in FAULTS - _ANSWERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched(Result):
    """What became of a URL just now, with its bytes."""

    data: bytes = b""
    """Of what was fetched."""
