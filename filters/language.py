"""The language that extraction found, against the languages wanted."""

import re
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.limits import Limit, at_least
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.shards.document import Document

MIN_LANGUAGE_SCORE = 0.65
"""FineWeb (arXiv:2406.17557) and RefinedWeb (arXiv:2306.01116), for fastText; inclusive."""

ANY = "any"
"""In the place of languages: all are wanted."""
_CODE = re.compile(r"[a-z]{2,3}")


def wanted(language: str) -> tuple[str, ...]:
    """The languages that a profile's `language` names; none means any.

    Raises:
        ValueError: it is neither `any` nor codes with commas between them.
    """
    if language == ANY:
        return ()
    codes = tuple(code.strip() for code in language.split(","))
    if not all(map(_CODE.fullmatch, codes)):
        raise ValueError(
            f"language is {language!r}, expected a code as 'en', several as 'en,de', or {ANY!r}"
        )
    return codes


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Drops documents in a language not asked for, or of which the model is not sure.

    No languages means any, and then the score is not looked at. The bound is inclusive.

    Source: English only is Flamingo's and KOSMOS-1's rule (arXiv:2204.14198, arXiv:2302.14045);
    the score is that of FineWeb (arXiv:2406.17557).
    """

    name: ClassVar[str] = "language"
    reasons: ClassVar[frozenset[str]] = frozenset({"wrong_language", "uncertain_language"})

    measuring: ClassVar[frozenset[str]] = frozenset({"languages"})

    languages: tuple[str, ...] = ("en",)
    min_score: float = MIN_LANGUAGE_SCORE

    def __post_init__(self) -> None:
        if not 0 <= self.min_score <= 1:
            raise ValueError(f"min_score is {self.min_score}, expected 0 to 1")

    def keep(self, document: Document) -> Verdict:
        if not self.languages:
            return KEEP
        if document.signals.language not in self.languages:
            return drop("wrong_language")
        if document.signals.language_score < self.min_score:
            return drop("uncertain_language")
        return KEEP

    def measure(self, document: Document) -> dict[str, float]:
        wanted = not self.languages or document.signals.language in self.languages
        return {
            "language.wanted": float(wanted),
            "language.score": document.signals.language_score,
        }

    def limits(self) -> tuple[Limit, ...]:
        if not self.languages:
            return ()
        return (
            at_least("language.wanted", 1, "wrong_language"),
            at_least("language.score", self.min_score, "uncertain_language"),
        )
