"""The first look at a page, before it is parsed."""

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop

_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
# Types that say nothing; browsers sniff these (WHATWG MIME Sniffing, section 7).
_UNKNOWN_TYPES = frozenset({"", "unknown/unknown", "application/unknown", "*/*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """What is known of an archived response for the price of reading it."""

    url: str
    status: int
    """HTTP status code."""
    content_type: str
    """The Content-Type header in lower case, parameters included; "" where there is none."""
    sniffed_type: str
    """`html`, `image` or `other`, by the first bytes of the body."""
    num_bytes: int
    """Size of the body."""
    truncated: str
    """The WARC-Truncated header, "" for a whole page. Cut pages are screened as others."""
    has_image_candidate: bool
    """Whether the raw bytes hold anything that may name an image."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Drops responses that cannot become an interleaved document, before any parsing.

    A page is HTML if its header says so and its bytes are no image, or if the header says nothing
    and its bytes look like HTML. Bounds are inclusive. Flamingo's rule "no document without
    images" is applied early through `needs_image`.

    Source: Flamingo (Alayrac et al., 2022, arXiv:2204.14198), appendix A.3, for `needs_image`;
    none for `max_bytes`, which is ours: over a hundred times Common Crawl's mean page of 85 KB.
    """

    name: ClassVar[str] = "screen"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {"bad_url", "http_status", "not_html", "empty_body", "too_large", "no_image_candidate"}
    )

    max_bytes: int = 10_000_000
    needs_image: bool = True
    language: bool = False
    """Whether pages that are surely in a language nobody wants are dropped before extraction, as
    `wrong_language_screened`; see `openm3w.pipeline.extraction.language_screen`."""

    def __post_init__(self) -> None:
        if self.max_bytes < 1:
            raise ValueError(f"max_bytes is {self.max_bytes}, expected at least 1")

    def keep(self, facts: PageFacts) -> Verdict:
        if facts.status != 200:
            return drop("http_status")
        if facts.num_bytes == 0:
            return drop("empty_body")
        if facts.num_bytes > self.max_bytes:
            return drop("too_large")
        if not _is_http(facts.url):
            return drop("bad_url")
        if not _is_html(facts.content_type, facts.sniffed_type):
            return drop("not_html")
        if self.needs_image and not facts.has_image_candidate:
            return drop("no_image_candidate")
        return KEEP


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _is_html(content_type: str, sniffed_type: str) -> bool:
    # Servers that answer `text/html, text/html` mean one of them.
    declared = content_type.partition(";")[0].partition(",")[0].strip()
    if declared in _UNKNOWN_TYPES:
        return sniffed_type == "html"
    return declared in _HTML_TYPES and sniffed_type != "image"
