"""The loosest bound over several profiles: what the early jobs may drop for good.

Jobs that read, fetch and score keep everything inside the floor, so that any of these profiles can
be chosen later without doing their work again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from openm3w.filters.language import Language
from openm3w.filters.optout import KNOWN_DIRECTIVES, KNOWN_USAGES, OptOut
from openm3w.filters.profiles import Profile
from openm3w.filters.rules.image import ImageRules, loosest
from openm3w.filters.rules.pages import PageRules
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.filters.words import count_words
from openm3w.shards.document import Document, Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """Bounds that no page or image kept by one of the profiles is outside of; all inclusive."""

    languages: tuple[str, ...]
    """Sorted; none means any."""
    min_language_score: float
    """0 where any language is wanted: then it is not asked."""
    min_words: int
    image: ImageRules
    """The loosest of each bound on what an image's bytes alone tell; no others."""
    near_duplicates: bool
    """Every profile drops near duplicates, so that nothing of them need be fetched."""
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

    def language(self) -> Language:
        """The filter of languages that every profile's is inside of."""
        return Language(languages=self.languages, min_score=self.min_language_score)

    def keep_text(self, document: Document) -> Verdict:
        """Judges an extracted page whose images nobody has fetched, cheap before dear."""
        if not any(text.strip() for text in document.texts):
            return drop("no_text")
        if not document.images:
            return drop("no_content_image")
        if not (verdict := self.language().keep(document)):
            return verdict
        if sum(map(count_words, document.texts)) < self.min_words:
            return drop("too_few_words")
        return KEEP

    def keep_image(self, image: Image) -> Verdict:
        """Judges an image by its content and the scores that come of its bytes alone.

        Where it stands and how often it occurs is not asked: nobody knows it yet.
        """
        page = Document(doc_id="")
        for image_filter in self.image.filters():
            if not (verdict := image_filter.keep(image, page)):
                return verdict
        return KEEP


def floor(profiles: Iterable[Profile]) -> Floor:
    """The floor under `profiles`.

    Raises:
        ValueError: there is no profile.
    """
    chosen = tuple(profiles)
    if not chosen:
        raise ValueError("a floor needs at least one profile")
    languages = _languages(chosen)
    return Floor(
        languages=languages,
        # Of any language no score is asked, and a bound that is never asked is none.
        min_language_score=min(p.min_language_score for p in chosen) if languages else 0.0,
        min_words=min(p.text.min_words for p in chosen),
        image=loosest(p.image for p in chosen),
        near_duplicates=all(p.duplicates.near for p in chosen),
        opt_out=_opt_out([p.opt_out for p in chosen]),
        pages=_pages([p.pages for p in chosen]),
    )


def _languages(profiles: tuple[Profile, ...]) -> tuple[str, ...]:
    if any(not profile.languages for profile in profiles):
        return ()
    return tuple(sorted({code for profile in profiles for code in profile.languages}))


def _pages(rules: list[PageRules]) -> tuple[PageRules, ...]:
    if not all(each.filters() for each in rules):
        return ()
    distinct = tuple(dict.fromkeys(rules))
    # What is stricter than another makes no floor looser.
    return tuple(
        each for each in distinct if not any(each.implies(o) for o in distinct if o != each)
    )


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
