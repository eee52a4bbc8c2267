"""The rules with which Gopher's authors chose web pages for MassiveWeb."""

from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.quality import repetition
from openm3w.filters.quality.bounds import check_order, check_shares
from openm3w.filters.quality.facts import TextFacts, repeated
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
        if text.share(sum(line.startswith(BULLETS) for line in lines), len(lines)) > (
            self.max_bullet_lines
        ):
            return "gopher_bullet_lines"
        if text.share(sum(line.endswith(ELLIPSES) for line in lines), len(lines)) > (
            self.max_ellipsis_lines
        ):
            return "gopher_ellipsis_lines"
        return ""

    def _kinds(self, text: TextFacts) -> str:
        if text.words and text.share(text.kinds.alphabetic) < self.min_alphabetic_words:
            return "gopher_few_alphabetic_words"
        if sum(word in text.counts for word in set(self.stop_words)) < self.min_stop_words:
            return "gopher_few_stop_words"
        return ""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class GopherRepetition:
    """Drops texts that repeat lines, paragraphs or sequences of words.

    All bounds are inclusive. Lines and paragraphs count from their second occurrence on, as
    numbers and by their characters; `top_N_gram` is the commonest sequence of N words with all its
    occurrences, and `repeated_N_grams` are sequences that stood before, none counted in two of
    them. All but the numbers are shares of the text's characters.

    Source: Gopher (Rae et al., 2021, arXiv:2112.11446), table A1.
    """

    name: ClassVar[str] = "gopher_repetition"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {
            *("gopher_repeated_lines", "gopher_repeated_paragraphs"),
            *("gopher_repeated_line_characters", "gopher_repeated_paragraph_characters"),
            *("gopher_top_sequence", "gopher_repeated_sequences"),
        }
    )

    max_repeated_lines: float = 0.30
    max_repeated_paragraphs: float = 0.30
    max_repeated_line_characters: float = 0.20
    max_repeated_paragraph_characters: float = 0.20
    max_top_2_gram: float = 0.20
    max_top_3_gram: float = 0.18
    max_top_4_gram: float = 0.16
    max_repeated_5_grams: float = 0.15
    max_repeated_6_grams: float = 0.14
    max_repeated_7_grams: float = 0.13
    max_repeated_8_grams: float = 0.12
    max_repeated_9_grams: float = 0.11
    max_repeated_10_grams: float = 0.10

    def __post_init__(self) -> None:
        check_shares(self, *self.__slots__)

    def keep(self, text: TextFacts) -> Verdict:
        reason = self._parts(text) or self._sequences(text)
        return drop(reason) if reason else KEEP

    def _parts(self, text: TextFacts) -> str:
        size = len(text.text)
        number, characters = repeated(text.paragraphs)
        if text.share(number, len(text.paragraphs)) > self.max_repeated_paragraphs:
            return "gopher_repeated_paragraphs"
        if text.share(characters, size) > self.max_repeated_paragraph_characters:
            return "gopher_repeated_paragraph_characters"
        number, characters = repeated(text.lines)
        if text.share(number, len(text.lines)) > self.max_repeated_lines:
            return "gopher_repeated_lines"
        if text.share(characters, size) > self.max_repeated_line_characters:
            return "gopher_repeated_line_characters"
        return ""

    def _sequences(self, text: TextFacts) -> str:
        size = len(text.text)
        most_top = repetition.most_top_characters(text.counts)
        for n, bound in self._tops().items():
            if text.share(most_top(n), size) > bound and (
                text.share(repetition.top_characters(text.words, n), size) > bound
            ):
                return "gopher_top_sequence"
        repeats = self._repeats()
        # Longer sequences cover no more than the shortest: it is found once for all.
        most = text.share(repetition.most_repeated_characters(text.words, min(repeats)), size)
        for n, bound in repeats.items():
            if most > bound and (
                text.share(repetition.repeated_characters(text.words, n), size) > bound
            ):
                return "gopher_repeated_sequences"
        return ""

    def _tops(self) -> dict[int, float]:
        return {2: self.max_top_2_gram, 3: self.max_top_3_gram, 4: self.max_top_4_gram}

    def _repeats(self) -> dict[int, float]:
        return {
            5: self.max_repeated_5_grams,
            6: self.max_repeated_6_grams,
            7: self.max_repeated_7_grams,
            8: self.max_repeated_8_grams,
            9: self.max_repeated_9_grams,
            10: self.max_repeated_10_grams,
        }
