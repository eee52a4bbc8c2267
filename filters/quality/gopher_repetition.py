"""Gopher's rules against texts that repeat themselves."""

from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.limits import Limit, at_most
from openm3w.filters.quality import repetition
from openm3w.filters.quality.bounds import check_shares
from openm3w.filters.quality.facts import TextFacts, repeated
from openm3w.filters.quality.sequences import count_characters
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop


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
    measuring: ClassVar[frozenset[str]] = frozenset()

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

    def limits(self) -> tuple[Limit, ...]:
        repeated, name = "gopher_repeated", self.name
        paragraphs, lines = f"{name}.repeated_paragraph", f"{name}.repeated_line"
        return (
            at_most(f"{paragraphs}s", self.max_repeated_paragraphs, f"{repeated}_paragraphs"),
            at_most(
                f"{paragraphs}_characters",
                self.max_repeated_paragraph_characters,
                f"{repeated}_paragraph_characters",
            ),
            at_most(f"{lines}s", self.max_repeated_lines, f"{repeated}_lines"),
            at_most(
                f"{lines}_characters",
                self.max_repeated_line_characters,
                f"{repeated}_line_characters",
            ),
            *(
                at_most(f"{name}.top_{n}_gram", bound, "gopher_top_sequence")
                for n, bound in self._tops().items()
            ),
            *(
                at_most(f"{name}.repeated_{n}_grams", bound, f"{repeated}_sequences")
                for n, bound in self._repeats().items()
            ),
        )

    def measure(self, text: TextFacts) -> dict[str, float]:
        """What `limits` bounds, counted out where `keep` would know enough from an estimate."""
        size, name = len(text.text), self.name
        again, characters = repeated(text.paragraphs)
        lines_again, line_characters = repeated(text.lines)
        tops, repeats = count_characters(text.words, tuple(self._tops()), tuple(self._repeats()))
        return {
            f"{name}.repeated_paragraphs": text.share(again, len(text.paragraphs)),
            f"{name}.repeated_paragraph_characters": text.share(characters, size),
            f"{name}.repeated_lines": text.share(lines_again, len(text.lines)),
            f"{name}.repeated_line_characters": text.share(line_characters, size),
            **{f"{name}.top_{n}_gram": text.share(top, size) for n, top in tops.items()},
            **{f"{name}.repeated_{n}_grams": text.share(m, size) for n, m in repeats.items()},
        }

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
