"""The loosest bound over several profiles: what the early jobs may drop for good.

Jobs that read, fetch and score keep everything inside the floor, so that any of these profiles can
be chosen later without doing their work again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from openm3w.filters.image import is_extreme, is_flat, is_too_small
from openm3w.filters.language import Language
from openm3w.filters.optout import KNOWN_DIRECTIVES, KNOWN_USAGES, OptOut
from openm3w.filters.profiles import Profile
from openm3w.filters.rules.pages import PageRules
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.filters.words import count_words
from openm3w.shards.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Bounds that no page or image kept by one of the profiles is outside of; all inclusive."""

    languages: tuple[str, ...]
    """Sorted; none means any."""
    min_language_score: float
    min_words: int
    min_side: int
    max_aspect: float
    min_grey_deviation: float
    opt_out: OptOut
    """The signals that every profile acts on. The first job may ask it before there is text."""
    pages: tuple[PageRules, ...] = ()
    """Each profile's; none where a profile takes every address."""

    def keep_url(self, url: str) -> Verdict:
        """Judges a page by its address: dropped is what every profile drops, for any reason."""
        denied = KEEP
        for rules in self.pages:
            verdict = rules.judge(url)
            if verdict:
                return KEEP
            denied = denied and verdict
        return denied

    def keep_text(self, document: Document) -> Verdict:
        """Judges an extracted page whose images nobody has fetched, cheap before dear."""
        if not any(text.strip() for text in document.texts):
            return drop("no_text")
        if not document.images:
            return drop("no_content_image")
        wanted = Language(languages=self.languages, min_score=self.min_language_score)
        if not (verdict := wanted.keep(document)):
            return verdict
        if sum(map(count_words, document.texts)) < self.min_words:
            return drop("too_few_words")
        return KEEP

    def keep_image(self, width: int, height: int, grey_deviation: float) -> Verdict:
        """Judges a decoded picture by its original size and its `grey_deviation` score."""
        if is_too_small(width, height, self.min_side):
            return drop("too_small")
        if is_extreme(width, height, self.max_aspect):
            return drop("extreme_aspect")
        if is_flat(grey_deviation, self.min_grey_deviation):
            return drop("single_colour")
        return KEEP


TEXT_REASONS = frozenset({"no_text", "no_content_image", "too_few_words"}) | Language.reasons
IMAGE_REASONS = frozenset({"too_small", "extreme_aspect", "single_colour"})


def floor(profiles: Iterable[Profile]) -> Floor:
    """The floor under `profiles`.

    Raises:
        ValueError: there is no profile.
    """
    chosen = tuple(profiles)
    if not chosen:
        raise ValueError("a floor needs at least one profile")
    return Floor(
        languages=_languages(chosen),
        min_language_score=min(p.min_language_score for p in chosen),
        min_words=min(p.text.min_words for p in chosen),
        min_side=min(p.image.min_side for p in chosen),
        max_aspect=max(p.image.max_aspect for p in chosen),
        min_grey_deviation=min(p.image.min_grey_deviation for p in chosen),
        opt_out=_opt_out([p.opt_out for p in chosen]),
        pages=_pages([p.pages for p in chosen]),
    )


def _languages(profiles: tuple[Profile, ...]) -> tuple[str, ...]:
    if any(not profile.languages for profile in profiles):
        return ()
    return tuple(sorted({code for profile in profiles for code in profile.languages}))


def _pages(rules: list[PageRules]) -> tuple[PageRules, ...]:
    return tuple(dict.fromkeys(rules)) if all(each.filters() for each in rules) else ()


def _opt_out(policies: list[OptOut]) -> OptOut:
    return OptOut(
        directives=tuple(
            name for name in KNOWN_DIRECTIVES if all(name in p.directives for p in policies)
        ),
        tdm_reservation=all(p.tdm_reservation for p in policies),
        content_usage=tuple(
            name for name in KNOWN_USAGES if all(name in p.content_usage for p in policies)
        ),
        agents=tuple(sorted(set.intersection(*(set(p.agents) for p in policies)))),
    )
