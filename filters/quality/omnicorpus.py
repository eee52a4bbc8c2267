"""OmniCorpus' rules on text: of paragraphs, of whole texts, and of text for each image."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.cut import Cut
from openm3w.filters.limits import Limit, at_least, at_most
from openm3w.filters.quality.bounds import check_order, check_shares
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.quality.shorten import shorten_paragraphs
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.filters.words import count_words
from openm3w.shards.document import Document

PARAGRAPHS_REMOVED = "omnicorpus_paragraphs_removed"
"""Score of a shortened document."""

STOP_WORDS = ("the", "is", "are", "am", "to", "of", "and", "that", "have", "with")


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class OmniCorpusParagraphs:
    """Removes paragraphs that are short, or nearly all capitals or digits.

    Words stand between spaces, or as in `openm3w.filters.words` where a script has none.
    Capitals are for each character that is no white space, digits for each character; both bounds
    are inclusive. The number of removed paragraphs is kept as the document's score
    `omnicorpus_paragraphs_removed`; images stay.

    Source: OmniCorpus (Li et al., 2024, arXiv:2406.08418), the bounds of its released rules from
    human feedback. Of those rules, the lists of phrases are not here.
    """

    name: ClassVar[str] = "omnicorpus_paragraphs"
    reasons: ClassVar[frozenset[str]] = frozenset()

    min_words: int = 5
    max_capitals: float = 0.8
    max_digits: float = 0.8

    def __post_init__(self) -> None:
        check_shares(self, "max_capitals", "max_digits")
        if self.min_words < 0:
            raise ValueError(f"min_words is {self.min_words}, expected 0 or more")

    def apply(self, document: Document) -> Cut:
        return shorten_paragraphs(document, self._kept, score=PARAGRAPHS_REMOVED)

    def _kept(self, paragraphs: Sequence[str]) -> Iterator[str | None]:
        for paragraph in paragraphs:
            yield paragraph if self._stays(paragraph) else None

    def _stays(self, paragraph: str) -> bool:
        runs = paragraph.split()
        if len(runs) < self.min_words and count_words(paragraph) < self.min_words:
            return False
        most_capitals = self.max_capitals * _length(runs)
        most_digits = self.max_digits * len(paragraph)
        # What is in other runs is no more than that for nearly all paragraphs.
        if _length(runs) - _length(filter(str.islower, runs)) > most_capitals and (
            sum(map(str.isupper, paragraph)) > most_capitals
        ):
            return False
        return len(paragraph) - _length(filter(str.isalpha, runs)) <= most_digits or (
            sum(map(str.isdigit, paragraph)) <= most_digits
        )


def _length(runs: Iterable[str]) -> int:
    return sum(map(len, runs))


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class OmniCorpus:
    """Drops texts by their words, and those of short paragraphs only.

    Words and signs count alike here. Stop words count as often as they stand. The share of
    alphabetic words has to be above its bound; all other bounds are inclusive. A text of short
    paragraphs has none of `long_paragraph` words, and less than `mean_paragraph` on average. Words
    of no text are 0 long, and none of them is alphabetic.

    Source: OmniCorpus (Li et al., 2024, arXiv:2406.08418), the bounds of its released rules; those
    on words are after Gopher (arXiv:2112.11446), with other stop words.
    """

    name: ClassVar[str] = "omnicorpus"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {
            *("omnicorpus_too_few_words", "omnicorpus_too_many_words"),
            *("omnicorpus_mean_word", "omnicorpus_few_alphabetic_words"),
            *("omnicorpus_few_stop_words", "omnicorpus_short_paragraphs"),
        }
    )
    measuring: ClassVar[frozenset[str]] = frozenset({"stop_words", "long_paragraph"})

    min_words: int = 50
    max_words: int = 100_000
    min_mean_word_length: float = 3.0
    max_mean_word_length: float = 10.0
    min_alphabetic_words: float = 0.8
    min_stop_words: int = 2
    stop_words: tuple[str, ...] = STOP_WORDS
    long_paragraph: int = 35
    mean_paragraph: float = 12.0

    def __post_init__(self) -> None:
        check_order(self, "min_words", "max_words")
        check_order(self, "min_mean_word_length", "max_mean_word_length")
        check_shares(self, "min_alphabetic_words")

    def keep(self, text: TextFacts) -> Verdict:
        number = len(text.words)
        if number < self.min_words:
            return drop("omnicorpus_too_few_words")
        if number > self.max_words:
            return drop("omnicorpus_too_many_words")
        if not self.min_mean_word_length <= _mean_length(text) <= self.max_mean_word_length:
            return drop("omnicorpus_mean_word")
        if text.share(text.kinds.alphabetic) <= self.min_alphabetic_words:
            return drop("omnicorpus_few_alphabetic_words")
        if self._num_stop_words(text) < self.min_stop_words:
            return drop("omnicorpus_few_stop_words")
        if self._mean_paragraph(text.paragraphs) < self.mean_paragraph:
            return drop("omnicorpus_short_paragraphs")
        return KEEP

    def limits(self) -> tuple[Limit, ...]:
        """The lowest share of alphabetic words inside is the next number above the bound."""
        words, alphabetic = "omnicorpus.words", "omnicorpus.alphabetic_words"
        above = math.nextafter(self.min_alphabetic_words, math.inf)
        paragraph = "omnicorpus.mean_paragraph"
        return (
            at_least(words, self.min_words, "omnicorpus_too_few_words"),
            at_most(words, self.max_words, "omnicorpus_too_many_words"),
            Limit(
                measure="omnicorpus.mean_word_length",
                reason="omnicorpus_mean_word",
                least=self.min_mean_word_length,
                most=self.max_mean_word_length,
            ),
            at_least(alphabetic, above, "omnicorpus_few_alphabetic_words"),
            at_least("omnicorpus.stop_words", self.min_stop_words, "omnicorpus_few_stop_words"),
            at_least(paragraph, self.mean_paragraph, "omnicorpus_short_paragraphs"),
        )

    def measure(self, text: TextFacts) -> dict[str, float]:
        """What `limits` bounds; where one paragraph is long, the mean of all is infinite."""
        return {
            "omnicorpus.words": float(len(text.words)),
            "omnicorpus.mean_word_length": _mean_length(text),
            "omnicorpus.alphabetic_words": text.share(text.kinds.alphabetic),
            "omnicorpus.stop_words": float(self._num_stop_words(text)),
            "omnicorpus.mean_paragraph": self._mean_paragraph(text.paragraphs),
        }

    def _num_stop_words(self, text: TextFacts) -> int:
        return sum(text.counts[word] for word in set(self.stop_words))

    def _mean_paragraph(self, paragraphs: Sequence[str]) -> float:
        """Words of a paragraph on average; infinite where one is long, or where there is none."""
        sizes = [len(paragraph.split()) for paragraph in paragraphs]
        if max(sizes, default=self.long_paragraph) >= self.long_paragraph:
            return math.inf
        return sum(sizes) / len(sizes)


def _mean_length(text: TextFacts) -> float:
    return sum(map(len, text.words)) / len(text.words) if text.words else 0.0


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class OmniCorpusImages:
    """Drops documents of more than two images with little text for each.

    Words as in `openm3w.filters.words`, over all texts; both bounds are inclusive.

    Source: OmniCorpus (Li et al., 2024, arXiv:2406.08418), the bounds of its released rules.
    """

    name: ClassVar[str] = "omnicorpus_images"
    reasons: ClassVar[frozenset[str]] = frozenset({"omnicorpus_little_text_per_image"})
    measuring: ClassVar[frozenset[str]] = frozenset({"few_images"})
    judges_rest: ClassVar[bool] = True
    """It looks at the images that are left to write, so it is not measured of the page."""

    few_images: int = 2
    """So many need no text."""
    min_words_per_image: float = 50.0

    def __post_init__(self) -> None:
        if self.few_images < 0 or self.min_words_per_image < 0:
            raise ValueError("few_images and min_words_per_image: expected 0 or more")

    def keep(self, document: Document) -> Verdict:
        if self._words_per_image(document) < self.min_words_per_image:
            return drop("omnicorpus_little_text_per_image")
        return KEEP

    def limits(self) -> tuple[Limit, ...]:
        name, least = "omnicorpus_images.words_per_image", self.min_words_per_image
        return (at_least(name, least, "omnicorpus_little_text_per_image"),)

    def measure(self, document: Document) -> dict[str, float]:
        """What `limits` bounds; infinite where images are few."""
        return {"omnicorpus_images.words_per_image": self._words_per_image(document)}

    def _words_per_image(self, document: Document) -> float:
        images = len(document.images)
        if images <= self.few_images:
            return math.inf
        return sum(map(count_words, document.texts)) / images
