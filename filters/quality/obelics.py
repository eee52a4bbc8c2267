"""OBELICS' rules on text, of paragraphs, which shorten it, and of whole documents."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import ClassVar

from openm3w.filters.cut import Cut
from openm3w.filters.limits import Limit, at_least, at_most
from openm3w.filters.quality.bounds import check_order, check_shares
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.quality.function_words import FUNCTION_WORDS
from openm3w.filters.quality.repetition import character_sequences
from openm3w.filters.quality.shorten import shorten_paragraphs
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.shards.document import Document

PARAGRAPHS_REMOVED = "obelics_paragraphs_removed"
"""Score of a shortened document."""

CHARACTERS_IN_SEQUENCE = 10
WORDS_IN_SEQUENCE = 5

# What stands between spaces, without what is no letter at either end.
_WORD = re.compile(r"[^\W\d_](?:\S*[^\W\d_])?")
_MARKS = ",;:?!."
_PIECE = re.compile(rf"[\w']+|[{_MARKS}]")
_SHARES = (
    *("max_repeated_characters", "max_repeated_words", "max_special_characters"),
    *("min_stop_words", "max_flagged_words", "min_punctuation"),
)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ObelicsParagraphs:
    """Removes paragraphs that are too short or long, repeat themselves, or are no prose.

    What is measured is told under `obelics`; `min_punctuation` is asked of paragraphs of 12 words
    and marks or more. The number of removed paragraphs is kept as the document's score
    `obelics_paragraphs_removed`; images stay.

    Source: OBELICS (Laurençon et al., 2023, arXiv:2306.16527), appendix A, the bounds of its
    released code. Without its list of common words, which was not published.
    """

    name: ClassVar[str] = "obelics_paragraphs"
    reasons: ClassVar[frozenset[str]] = frozenset()

    min_words: int = 4
    max_words: int = 1000
    max_repeated_characters: float = 0.1
    max_repeated_words: float = 0.1
    max_special_characters: float = 0.3
    min_stop_words: float = 0.3
    max_flagged_words: float = 0.01
    min_punctuation: float = 0.001
    min_pieces_for_punctuation: int = 12
    flagged_words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_order(self, "min_words", "max_words")
        check_shares(self, *_SHARES)

    def apply(self, document: Document) -> Cut:
        return shorten_paragraphs(document, self._kept, score=PARAGRAPHS_REMOVED)

    def _kept(self, paragraphs: Sequence[str]) -> Iterator[str | None]:
        for paragraph in paragraphs:
            least = self.min_pieces_for_punctuation
            yield None if _fault(self, paragraph, least) else paragraph


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Obelics:
    """Drops texts that are too short or long, repeat themselves, or are no prose.

    All bounds are inclusive. Words stand between spaces, without what is no letter at their ends.
    Repeated characters are those of the commonest sequences of 10 characters, as many as the root
    of how many different ones there are and only such as stand twice or more, for all sequences;
    repeated words are sequences of 5 words that stand twice or more, for all of them. Special
    characters are all but letters, so spaces too; stop words are English function words;
    punctuation is `, ; : ? ! .` for each word or mark. `flagged_words` are the user's: none here.

    Source: OBELICS (Laurençon et al., 2023, arXiv:2306.16527), appendix A, the bounds of its
    released code; the list of function words is ours. Without its list of common words, which was
    not published, and its perplexity.
    """

    name: ClassVar[str] = "obelics"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {
            *("obelics_too_few_words", "obelics_too_many_words"),
            *("obelics_repeated_characters", "obelics_repeated_words"),
            *("obelics_special_characters", "obelics_few_stop_words"),
            *("obelics_flagged_words", "obelics_little_punctuation"),
        }
    )
    measuring: ClassVar[frozenset[str]] = frozenset({"flagged_words"})

    min_words: int = 10
    max_words: int = 2000
    max_repeated_characters: float = 0.1
    max_repeated_words: float = 0.2
    max_special_characters: float = 0.275
    min_stop_words: float = 0.35
    max_flagged_words: float = 0.01
    min_punctuation: float = 0.03
    flagged_words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_order(self, "min_words", "max_words")
        check_shares(self, *_SHARES)

    def keep(self, text: TextFacts) -> Verdict:
        fault = _fault(self, text.text, 0)
        return drop(f"obelics_{fault}") if fault else KEEP

    def limits(self) -> tuple[Limit, ...]:
        words, special = "obelics.words", "obelics.special_characters"
        most_words, most_characters = self.max_repeated_words, self.max_repeated_characters
        return (
            at_least(words, self.min_words, "obelics_too_few_words"),
            at_most(words, self.max_words, "obelics_too_many_words"),
            at_most(special, self.max_special_characters, "obelics_special_characters"),
            at_least("obelics.stop_words", self.min_stop_words, "obelics_few_stop_words"),
            at_most("obelics.flagged_words", self.max_flagged_words, "obelics_flagged_words"),
            at_least("obelics.punctuation", self.min_punctuation, "obelics_little_punctuation"),
            at_most("obelics.repeated_words", most_words, "obelics_repeated_words"),
            at_most("obelics.repeated_characters", most_characters, "obelics_repeated_characters"),
        )

    def measure(self, text: TextFacts) -> dict[str, float]:
        words, letters = _words(text.text)
        size = len(text.text)
        marks, pieces = _count_marks(text.text), len(_PIECE.findall(text.text))
        return {
            "obelics.words": float(len(words)),
            "obelics.special_characters": _share(size - letters, size),
            "obelics.stop_words": _share(_count(words, FUNCTION_WORDS), len(words)),
            "obelics.flagged_words": _share(
                _count(words, frozenset(self.flagged_words)), len(words)
            ),
            "obelics.punctuation": _share(marks, pieces),
            "obelics.repeated_words": repeated_words(words),
            "obelics.repeated_characters": repeated_characters(text.text),
        }


def repeated_characters(text: str) -> float:
    """The share that the commonest sequences of characters have of all, as OBELICS counts it."""
    different, again = character_sequences(text, CHARACTERS_IN_SEQUENCE)
    if not again:
        return 0.0
    taken = sorted(again, reverse=True)[: int(different**0.5)]
    return sum(taken) / (len(text) - CHARACTERS_IN_SEQUENCE + 1)


def repeated_words(words: Sequence[str]) -> float:
    """The share of the sequences of words that stand twice or more."""
    grams = list(zip(*(islice(words, at, None) for at in range(WORDS_IN_SEQUENCE)), strict=False))
    if len(set(grams)) == len(grams):
        return 0.0
    return sum(times for times in Counter(grams).values() if times > 1) / len(grams)


def _fault(rule: ObelicsParagraphs | Obelics, text: str, least_pieces: int) -> str:
    """What is wrong with a text by the bounds of `rule`, cheap before dear, or ""."""
    words, letters = _words(text)
    if len(words) < rule.min_words:
        return "too_few_words"
    if len(words) > rule.max_words:
        return "too_many_words"
    if _share(len(text) - letters, len(text)) > rule.max_special_characters:
        return "special_characters"
    if _share(_count(words, FUNCTION_WORDS), len(words)) < rule.min_stop_words:
        return "few_stop_words"
    if rule.flagged_words:
        flagged = _count(words, frozenset(rule.flagged_words))
        if _share(flagged, len(words)) > rule.max_flagged_words:
            return "flagged_words"
    if _share_of_marks(text, rule.min_punctuation, least_pieces) < rule.min_punctuation:
        return "little_punctuation"
    if repeated_words(words) > rule.max_repeated_words:
        return "repeated_words"
    if repeated_characters(text) > rule.max_repeated_characters:
        return "repeated_characters"
    return ""


def _share_of_marks(text: str, least: float, least_pieces: int) -> float:
    """Marks for each word or mark, or a number of `least` or more where that is surely so.

    In a text of too few words and marks they do not matter: that is 1.
    """
    marks = _count_marks(text)
    # There are no more pieces than characters, which spares nearly all paragraphs the counting.
    if (of_characters := _share(marks, len(text))) >= least:
        return of_characters
    pieces = len(_PIECE.findall(text))
    return _share(marks, pieces) if pieces >= least_pieces else 1.0


def _count_marks(text: str) -> int:
    return sum(map(text.count, _MARKS))


def _count(words: Sequence[str], wanted: frozenset[str]) -> int:
    return sum(map(wanted.__contains__, words))


def _words(text: str) -> tuple[list[str], int]:
    """The words of a text in lower case, and how many letters it has."""
    words, letters = [], 0
    for run in text.lower().replace("\u2019", "'").split():
        if run.isalpha():  # as most are
            words.append(run)
            letters += len(run)
        else:
            words += _WORD.findall(run)
            letters += sum(map(str.isalpha, run))
    return words, letters


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
