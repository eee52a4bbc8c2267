"""What a page says about its use, and which of it is acted on."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.shards.document import Document

KNOWN_DIRECTIVES = ("noai", "noimageai", "noindex", "noimageindex")
OUR_AGENTS = ("openm3w", "ccbot")
"""Crawlers whose scoped directives bind us: our own, and Common Crawl's, whose pages we read."""

# Directives that take a value, which may hold colons, commas and words.
_VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
# `none` is short for `noindex, nofollow` (Google's robots meta tag specification).
_SHORT_FOR = {"none": "noindex"}
_ROBOTS = re.compile(
    r"(?:meta\s+(?P<meta>[^\s:]+)|x-robots-tag)\s*:(?P<value>.*)", re.IGNORECASE | re.DOTALL
)
_RESERVATION = re.compile(r"(?:meta\s+)?tdm-reservation\s*:\s*[\"']?1\b", re.IGNORECASE)
_AGENT = re.compile(r"[a-z*][^\s:]*")


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class OptOut:
    """Drops pages whose headers or meta tags ask not to be used.

    Reads `document.signals.opt_out`, where every signal is recorded as found: `x-robots-tag: noai`,
    `meta robots: noimageai`, `tdm-reservation: 1`. A directive addressed to one crawler
    (`otherbot: noai`, `meta otherbot`) counts if that crawler is one of `agents`; the address
    holds until the next one in the same header, as in Google's reading of X-Robots-Tag.

    Source: the four directives are img2dataset's default; tdm-reservation is the W3C community
    group's TDM Reservation Protocol. The agents are ours.
    """

    name: ClassVar[str] = "opt_out"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {f"opt_out_{directive}" for directive in KNOWN_DIRECTIVES} | {"opt_out_tdm_reservation"}
    )

    directives: tuple[str, ...] = KNOWN_DIRECTIVES
    tdm_reservation: bool = True
    agents: tuple[str, ...] = OUR_AGENTS

    def __post_init__(self) -> None:
        for directive in self.directives:
            if directive not in KNOWN_DIRECTIVES:
                known = ", ".join(KNOWN_DIRECTIVES)
                raise ValueError(f"directives: {directive!r} is none of {known}")

    def keep(self, document: Document) -> Verdict:
        return self.judge(document.signals.opt_out)

    def judge(self, signals: Iterable[str]) -> Verdict:
        """The same decision on the signals alone, before there is a document."""
        found: set[str] = set()
        for signal in signals:
            if self.tdm_reservation and _RESERVATION.match(signal.strip()):
                found.add("tdm_reservation")
            found.update(self._directives(signal))
        # One reason, and the same whatever the order of the headers.
        for directive in (*KNOWN_DIRECTIVES, "tdm_reservation"):
            if directive in found:
                return drop(f"opt_out_{directive}")
        return KEEP

    def _directives(self, signal: str) -> set[str]:
        match = _ROBOTS.fullmatch(signal.strip())
        if match is None:
            return set()
        named = (match["meta"] or "robots").lower()
        scope = "*" if named == "robots" else named
        return {
            word
            for agent, word in addressed_words(match["value"], scope)
            if word in self.directives and (agent == "*" or agent in self.agents)
        }


def addressed_words(value: str, scope: str) -> Iterator[tuple[str, str]]:
    """Pairs of addressed crawler (`*` for all) and directive of a robots header's value."""
    for part in re.split("[,;]", value.lower()):
        rest = part
        while True:
            before, colon, after = rest.partition(":")
            words = before.split()
            if not colon or not words or not _AGENT.fullmatch(words[-1]):
                break
            for word in words[:-1]:
                yield scope, _SHORT_FOR.get(word, word)
            if words[-1] in _VALUED:
                rest = ""
                break
            scope, rest = words[-1], after
        for word in rest.split():
            yield scope, _SHORT_FOR.get(word, word)
