"""The rules with which Gopher's authors chose web pages for MassiveWeb."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.limits import Limit, at_least, at_most
from openm3w.filters.quality.bounds import check_order, check_shares
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop

BULLETS = ("\u2022", "-")
ELLIPSES = ("...", "\u2026")
STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class GopherQuality:
    """Drops texts by their words, symbols, bullet points and ellipses.

    All bounds are inclusive. `min_words`, `max_words` and the mean length look at words that hold
    a letter or a digit; shares are of all words, signs among them, as the bounds were set with a
    tokenizer that counts them. Stop words are compared as they stand, and are English: name others
    for another language.

    Source: Gopher (Rae et al., 2021, arXiv:2112.11446), appendix A.1.1, all numbers and words.
    """

    name: ClassVar[str] = "gopher_quality"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {
            *("gopher_too_few_words", "gopher_too_many_words"),
            *("gopher_short_mean_word", "gopher_long_mean_word"),
            *("gopher_too_many_hashes", "gopher_too_many_ellipses"),
            *("gopher_bullet_lines", "gopher_ellipsis_lines"),
            *("gopher_few_alphabetic_words", "gopher_few_stop_words"),
        }
    )
    measuring: ClassVar[frozenset[str]] = frozenset({"stop_words"})

    min_words: int = 50
    max_words: int = 100_000
    min_mean_word_length: float = 3.0
    max_mean_word_length: float = 10.0
    max_symbols_per_word: float = 0.1
    max_bullet_lines: float = 0.9
    max_ellipsis_lines: float = 0.3
    min_alphabetic_words: float = 0.8
    min_stop_words: int = 2
    stop_words: tuple[str, ...] = STOP_WORDS

    def __post_init__(self) -> None:
        check_order(self, "min_words", "max_words")
        check_order(self, "min_mean_word_length", "max_mean_word_length")
        check_shares(self, "max_bullet_lines", "max_ellipsis_lines", "min_alphabetic_words")
        if len(set(self.stop_words)) < self.min_stop_words:
            raise ValueError(
                f"min_stop_words is {self.min_stop_words}, "
                f"but stop_words has {len(set(self.stop_words))}"
            )

    def keep(self, text: TextFacts) -> Verdict:
        reason = self._words(text) or self._symbols(text) or self._lines(text) or self._kinds(text)
        return drop(reason) if reason else KEEP

    def limits(self) -> tuple[Limit, ...]:
        words, length = "gopher_quality.words", "gopher_quality.mean_word_length"
        bullets, ellipses = "gopher_quality.bullet_lines", "gopher_quality.ellipsis_lines"
        alphabetic, symbols = "gopher_quality.alphabetic_words", self.max_symbols_per_word
        return (
            at_least(words, self.min_words, "gopher_too_few_words"),
            at_most(words, self.max_words, "gopher_too_many_words"),
            at_least(length, self.min_mean_word_length, "gopher_short_mean_word"),
            at_most(length, self.max_mean_word_length, "gopher_long_mean_word"),
            at_most("gopher_quality.hashes_per_word", symbols, "gopher_too_many_hashes"),
            at_most("gopher_quality.ellipses_per_word", symbols, "gopher_too_many_ellipses"),
            at_most(bullets, self.max_bullet_lines, "gopher_bullet_lines"),
            at_most(ellipses, self.max_ellipsis_lines, "gopher_ellipsis_lines"),
            at_least(alphabetic, self.min_alphabetic_words, "gopher_few_alphabetic_words"),
            at_least("gopher_quality.stop_words", self.min_stop_words, "gopher_few_stop_words"),
        )

    def measure(self, text: TextFacts) -> dict[str, float]:
        """What `limits` bounds; of a text without words, all are alphabetic."""
        lines, kinds = text.lines, text.kinds
        return {
            "gopher_quality.words": float(kinds.spoken),
            "gopher_quality.mean_word_length": kinds.mean_length,
            "gopher_quality.hashes_per_word": text.share(text.text.count("#")),
            "gopher_quality.ellipses_per_word": text.share(text.num_ellipses),
            "gopher_quality.bullet_lines": text.share(_num_bullets(lines), len(lines)),
            "gopher_quality.ellipsis_lines": text.share(_num_open(lines), len(lines)),
            "gopher_quality.alphabetic_words": (
                text.share(kinds.alphabetic) if text.words else 1.0
            ),
            "gopher_quality.stop_words": float(self._num_stop_words(text)),
        }

    def _words(self, text: TextFacts) -> str:
        kinds = text.kinds
        if kinds.spoken < self.min_words:
            return "gopher_too_few_words"
        if kinds.spoken > self.max_words:
            return "gopher_too_many_words"
        if kinds.mean_length < self.min_mean_word_length:
            return "gopher_short_mean_word"
        if kinds.mean_length > self.max_mean_word_length:
            return "gopher_long_mean_word"
        return ""

    def _symbols(self, text: TextFacts) -> str:
        if text.share(text.text.count("#")) > self.max_symbols_per_word:
            return "gopher_too_many_hashes"
        if text.share(text.num_ellipses) > self.max_symbols_per_word:
            return "gopher_too_many_ellipses"
        return ""

    def _lines(self, text: TextFacts) -> str:
        lines = text.lines
        if text.share(_num_bullets(lines), len(lines)) > self.max_bullet_lines:
            return "gopher_bullet_lines"
        if text.share(_num_open(lines), len(lines)) > self.max_ellipsis_lines:
            return "gopher_ellipsis_lines"
        return ""

    def _kinds(self, text: TextFacts) -> str:
        if text.words and text.share(text.kinds.alphabetic) < self.min_alphabetic_words:
            return "gopher_few_alphabetic_words"
        if self._num_stop_words(text) < self.min_stop_words:
            return "gopher_few_stop_words"
        return ""

    def _num_stop_words(self, text: TextFacts) -> int:
        return sum(word in text.counts for word in set(self.stop_words))


def _num_bullets(lines: Sequence[str]) -> int:
    return sum(line.startswith(BULLETS) for line in lines)


def _num_open(lines: Sequence[str]) -> int:
    return sum(line.endswith(ELLIPSES) for line in lines)
