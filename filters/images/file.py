"""An image as a file: its bytes, its format and its address."""

import functools
import math
import re
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.limits import Limit, judge
from openm3w.filters.registry import register
from openm3w.filters.url_tokens import url_tokens
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.shards.document import Document, Image

MIN_BYTES = 1_000
"""Ours, for images in text: small diagrams are content. LAION-5B and COYO-700M: 5,000."""
KNOWN_FORMATS = ("avif", "bmp", "gif", "jpeg", "png", "webp")
"""What decoding calls the formats that it opens."""
FORMATS = ("jpeg", "png", "webp")
"""OBELICS (arXiv:2306.16527)."""
URL_TOKENS = (
    # OBELICS and MMC4 (as substrings)
    *("button", "icon", "logo", "plugin", "widget"),
    "avatar",  # MINT-1T
    *("porn", "sex", "xxx"),  # OBELICS; MINT-1T has the first and the last
)
"""Words in the addresses of images that are decoration or not wanted."""

ORIGINAL_BYTES = "original_bytes"
"""Score name: bytes of the image as it was fetched."""

_WORD = re.compile(r"[^\W\d_]+")


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class MinBytes:
    """Drops images of few bytes as they were fetched; the bound is inclusive.

    Reads `image.scores["original_bytes"]`.

    Source: LAION-5B (arXiv:2210.08402) and COYO-700M drop captioned images below 5,000; 1,000 for
    images between text is ours.
    """

    name: ClassVar[str] = "min_bytes"
    reasons: ClassVar[frozenset[str]] = frozenset({"too_few_bytes", "not_measured"})
    measuring: ClassVar[frozenset[str]] = frozenset()

    min_bytes: int = MIN_BYTES

    def __post_init__(self) -> None:
        if self.min_bytes < 1:
            raise ValueError(f"min_bytes is {self.min_bytes}, expected at least 1")

    def keep(self, image: Image, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(image, document))

    def measure(self, image: Image, document: Document) -> dict[str, float]:  # noqa: ARG002
        return {"min_bytes.bytes": image.scores.get(ORIGINAL_BYTES, math.nan)}

    def limits(self) -> tuple[Limit, ...]:
        return (
            Limit(measure="min_bytes.bytes", reason="not_measured"),
            Limit(measure="min_bytes.bytes", reason="too_few_bytes", least=self.min_bytes),
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """Drops images that came in another format than those named.

    Formats are what the bytes are, whatever their address or header says: avif, bmp, gif, jpeg,
    png or webp.

    Source: OBELICS (arXiv:2306.16527) takes jpg, jpeg, png and webp.
    """

    name: ClassVar[str] = "formats"
    reasons: ClassVar[frozenset[str]] = frozenset({"unwanted_format", "not_measured"})
    measuring: ClassVar[frozenset[str]] = frozenset()

    formats: tuple[str, ...] = FORMATS

    def __post_init__(self) -> None:
        if not self.formats:
            raise ValueError("formats is empty, expected at least one")
        for name in self.formats:
            if name not in KNOWN_FORMATS:
                raise ValueError(
                    f"formats has {name!r}, expected some of {', '.join(KNOWN_FORMATS)}"
                )

    def keep(self, image: Image, document: Document) -> Verdict:  # noqa: ARG002
        if image.content is None or not image.content.original_format:
            return drop("not_measured")
        return KEEP if image.content.original_format in self.formats else drop("unwanted_format")

    def measure(self, image: Image, document: Document) -> dict[str, float]:  # noqa: ARG002
        found = image.content.original_format if image.content is not None else ""
        kind = found if found in KNOWN_FORMATS else "other"
        unknown = 0.0 if found else math.nan
        return {
            f"formats.{name}": 1.0 if found and name == kind else unknown
            for name in (*KNOWN_FORMATS, "other")
        }

    def limits(self) -> tuple[Limit, ...]:
        unwanted = (name for name in (*KNOWN_FORMATS, "other") if name not in self.formats)
        return (
            Limit(measure="formats.other", reason="not_measured"),
            *(
                Limit(measure=f"formats.{name}", reason="unwanted_format", most=0)
                for name in unwanted
            ),
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class UrlTokens:
    """Drops images whose address has one of some words.

    Words are runs of letters, cut at the humps of camelCase, in any case and with or without a
    plural's s: `/img/siteLogo2.png` and `/icons/a.gif` have one, `essex.ac.uk/classic.jpg` has
    none, and neither has `/sitelogo.png`.

    Source: OBELICS (arXiv:2306.16527), MMC4 (arXiv:2304.06939) and MINT-1T (arXiv:2406.11271) look
    for these as substrings, which drops Essex; that they are words is ours.
    """

    name: ClassVar[str] = "url_tokens"
    reasons: ClassVar[frozenset[str]] = frozenset({"unwanted_url"})
    measuring: ClassVar[frozenset[str]] = frozenset({"tokens"})

    tokens: tuple[str, ...] = URL_TOKENS

    def __post_init__(self) -> None:
        for token in self.tokens:
            if not _WORD.fullmatch(token) or token != token.lower():
                raise ValueError(f"tokens has {token!r}, expected a word of lower-case letters")

    def keep(self, image: Image, document: Document) -> Verdict:  # noqa: ARG002
        words = url_tokens(image.url)
        return KEEP if words.isdisjoint(_with_plurals(self.tokens)) else drop("unwanted_url")

    def measure(self, image: Image, document: Document) -> dict[str, float]:  # noqa: ARG002
        words = url_tokens(image.url)
        return {
            f"url_tokens.{token}": float(not words.isdisjoint(_with_plurals((token,))))
            for token in self.tokens
        }

    def limits(self) -> tuple[Limit, ...]:
        return tuple(
            Limit(measure=f"url_tokens.{token}", reason="unwanted_url", most=0)
            for token in self.tokens
        )


@functools.lru_cache(maxsize=256)
def _with_plurals(tokens: tuple[str, ...]) -> frozenset[str]:
    return frozenset(form for token in tokens for form in (token, f"{token}s"))
