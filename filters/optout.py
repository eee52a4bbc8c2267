"""What a page says about its use, and which of it is acted on."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from openm3w.filters.registry import register
from openm3w.filters.structured import parse_dictionary
from openm3w.filters.verdict import KEEP, Verdict, drop

if TYPE_CHECKING:
    from openm3w.shards.document import Document

KNOWN_DIRECTIVES = ("noai", "noimageai", "noindex", "noimageindex")
OUR_AGENTS = ("openm3w", "ccbot")
"""Crawlers whose scoped directives bind us: our own, and Common Crawl's, whose pages we read."""

KNOWN_USAGES: Mapping[str, tuple[str, ...]] = {
    "train-ai": ("train-genai", "genai", "train-ai", "ai", "bots", "all", "tdm"),
    "ai-use": ("ai-use", "ai-output", "inference", "bots", "all", "tdm"),
    "search": ("search", "bots", "all", "tdm"),
}
"""Category of draft-ietf-aipref-vocab-08 -> labels that say it, most specific first.

The first label that a statement has decides. Beside the category's own are those of revisions 00
to 07: what is `train-ai` now, training of generative models, was `train-genai` and `genai` inside a
wider `train-ai` and `ai`; and `bots`, `all` and `tdm` were any automated processing.
"""

# Directives that take a value, which may hold colons and words.
_VALUED = frozenset({"max-snippet", "max-image-preview", "max-video-preview"})
# Its value may hold a comma too: Wed, 01 Jan 2020 (RFC 1123) and Wednesday, 01-Jan-20 (RFC 850).
_UNAVAILABLE = re.compile(
    r"\bunavailable_after\s*:\s*(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\s*,)?[^,;]*"
)
# `none` is short for `noindex, nofollow` (Google's robots meta tag specification).
_SHORT_FOR = {"none": "noindex"}
_ROBOTS = re.compile(
    r"(?:meta\s+(?P<meta>[^\s:]+)|x-robots-tag)\s*:(?P<value>.*)", re.IGNORECASE | re.DOTALL
)
_USAGE = re.compile(r"(?P<meta>meta\s+)?content-usage\s*:(?P<value>.*)", re.IGNORECASE | re.DOTALL)
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

    A statement of usage preferences (`content-usage: train-ai=n`) counts if it disallows one of the
    categories of `content_usage`, by its own name or by that of a wider one, and no narrower label
    allows it. Headers make one statement, each meta another, and the most restrictive counts; one
    that is no structured dictionary says nothing.

    Source: the four directives are img2dataset's default; tdm-reservation is the W3C community
    group's TDM Reservation Protocol; content-usage is draft-ietf-aipref-attach-05 with the
    categories of draft-ietf-aipref-vocab-08. The agents are ours.
    """

    name: ClassVar[str] = "opt_out"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {f"opt_out_{directive}" for directive in KNOWN_DIRECTIVES}
        | {"opt_out_tdm_reservation", "opt_out_content_usage"}
    )

    directives: tuple[str, ...] = KNOWN_DIRECTIVES
    tdm_reservation: bool = True
    agents: tuple[str, ...] = OUR_AGENTS
    content_usage: tuple[str, ...] = ("train-ai",)
    """Categories of AIPREF that matter."""

    def __post_init__(self) -> None:
        for directive in self.directives:
            if directive not in KNOWN_DIRECTIVES:
                known = ", ".join(KNOWN_DIRECTIVES)
                raise ValueError(f"directives: {directive!r} is none of {known}")
        for usage in self.content_usage:
            if usage not in KNOWN_USAGES:
                known = ", ".join(KNOWN_USAGES)
                raise ValueError(f"content_usage: {usage!r} is none of {known}")

    def keep(self, document: "Document") -> Verdict:
        return self.judge(document.signals.opt_out)

    def judge(self, signals: Iterable[str]) -> Verdict:
        """The same decision on the signals alone, before there is a document."""
        found: set[str] = set()
        signals = tuple(signals)
        if any(disallows(usage, signals) for usage in self.content_usage):
            found.add("content_usage")
        for signal in signals:
            if self.tdm_reservation and _RESERVATION.match(signal.strip()):
                found.add("tdm_reservation")
            found.update(self._directives(signal))
        # One reason, and the same whatever the order of the headers.
        for directive in (*KNOWN_DIRECTIVES, "tdm_reservation", "content_usage"):
            if directive in found:
                return drop(f"opt_out_{directive}")
        return KEEP

    def _directives(self, signal: str) -> set[str]:
        match = _ROBOTS.fullmatch(signal.strip())
        if match is None:
            return set()
        named = (match["meta"] or "robots").lower()
        scope = "*" if named == "robots" else named
        ours = {"*", *(agent.lower() for agent in self.agents)}
        return {
            word
            for agent, word in addressed_words(match["value"], scope)
            if word in self.directives and agent in ours
        }


def addressed_words(value: str, scope: str) -> Iterator[tuple[str, str]]:
    """Pairs of addressed crawler (`*` for all) and directive of a robots header's value."""
    for part in re.split("[,;]", _UNAVAILABLE.sub("", value.lower())):
        pieces = part.split(":")
        for at, piece in enumerate(pieces):
            words = piece.split()
            if at == len(pieces) - 1 or not words or not _AGENT.fullmatch(words[-1]):
                for word in ":".join(pieces[at:]).split():
                    yield scope, _SHORT_FOR.get(word, word)
                break
            for word in words[:-1]:
                yield scope, _SHORT_FOR.get(word, word)
            if words[-1] in _VALUED:
                break
            scope = words[-1]


def disallows(usage: str, signals: Iterable[str]) -> bool:
    """Whether a statement among the raw signals disallows this category of `KNOWN_USAGES`."""
    found = [match for signal in signals if (match := _USAGE.fullmatch(signal.strip()))]
    if not found:
        return False
    # Lines of one header are one field (RFC 9110, section 5.2).
    header = ", ".join(match["value"].strip() for match in found if not match["meta"])
    statements = [header, *(match["value"] for match in found if match["meta"])]
    return any(_preference(usage, statement) == "n" for statement in statements)


def _preference(usage: str, statement: str) -> str:
    """`y`, `n`, or "" where the statement does not say."""
    try:
        said = parse_dictionary(statement)
    except ValueError:
        return ""
    values = (said.get(label, "") for label in KNOWN_USAGES[usage])
    return next((value for value in values if value in ("y", "n")), "")
