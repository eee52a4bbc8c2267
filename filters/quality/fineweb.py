"""The rules that FineWeb adds to those of C4 and Gopher."""

from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.limits import Limit, at_least, at_most
from openm3w.filters.quality.bounds import check_shares
from openm3w.filters.quality.facts import TextFacts, ends_sentence, repeated
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class FineWeb:
    """Drops texts whose lines are rarely closed, mostly short, repeated, or too many.

    All bounds are inclusive. A line is closed where it ends with a sentence end of any script
    (Unicode's property Sentence_Terminal), short with up to `short_line_characters`. Repeated
    lines count by characters, from their second occurrence on. `max_breaks_per_word` are line
    breaks for each word; blank lines between paragraphs are no further breaks.

    Source: FineWeb (Penedo et al., 2024, arXiv:2406.17557), section 3.6; what the paper does not
    define, as the length of a short line, is its released code's.
    """

    name: ClassVar[str] = "fineweb"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {
            *("fineweb_open_lines", "fineweb_short_lines"),
            *("fineweb_repeated_characters", "fineweb_many_lines"),
        }
    )
    measuring: ClassVar[frozenset[str]] = frozenset({"short_line_characters"})

    min_closed_lines: float = 0.12
    max_short_lines: float = 0.67
    short_line_characters: int = 30
    max_repeated_characters: float = 0.01
    max_breaks_per_word: float = 0.3

    def __post_init__(self) -> None:
        check_shares(self, "min_closed_lines", "max_short_lines", "max_repeated_characters")
        if self.short_line_characters < 0 or self.max_breaks_per_word < 0:
            raise ValueError("short_line_characters and max_breaks_per_word: expected 0 or more")

    def keep(self, text: TextFacts) -> Verdict:
        lines = text.lines
        if text.share(sum(map(ends_sentence, lines)), len(lines)) < self.min_closed_lines:
            return drop("fineweb_open_lines")
        lengths = [len(line) for line in lines]
        short = sum(length <= self.short_line_characters for length in lengths)
        if text.share(short, len(lines)) > self.max_short_lines:
            return drop("fineweb_short_lines")
        if text.share(repeated(lines)[1], sum(lengths)) > self.max_repeated_characters:
            return drop("fineweb_repeated_characters")
        if text.share(max(len(lines) - 1, 0)) > self.max_breaks_per_word:
            return drop("fineweb_many_lines")
        return KEEP

    def limits(self) -> tuple[Limit, ...]:
        repeated, breaks = "fineweb.repeated_characters", "fineweb.breaks_per_word"
        return (
            at_least("fineweb.closed_lines", self.min_closed_lines, "fineweb_open_lines"),
            at_most("fineweb.short_lines", self.max_short_lines, "fineweb_short_lines"),
            at_most(repeated, self.max_repeated_characters, "fineweb_repeated_characters"),
            at_most(breaks, self.max_breaks_per_word, "fineweb_many_lines"),
        )

    def measure(self, text: TextFacts) -> dict[str, float]:
        lines = text.lines
        lengths = [len(line) for line in lines]
        short = sum(length <= self.short_line_characters for length in lengths)
        return {
            "fineweb.closed_lines": text.share(sum(map(ends_sentence, lines)), len(lines)),
            "fineweb.short_lines": text.share(short, len(lines)),
            "fineweb.repeated_characters": text.share(repeated(lines)[1], sum(lengths)),
            "fineweb.breaks_per_word": text.share(max(len(lines) - 1, 0)),
        }
