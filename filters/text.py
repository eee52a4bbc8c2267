"""How much text a document has, and how much of it is taken."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.cut import Cut, numbered, rebuilt
from openm3w.filters.limits import Limit, at_least, at_most
from openm3w.filters.quality.facts import BLANK_LINES, TextFacts
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.filters.words import count_words, first_words
from openm3w.shards.document import Document, Span, Text

MIN_WORDS = 10
"""OBELICS (arXiv:2306.16527), document level; inclusive."""
MAX_WORDS = 100_000
"""Gopher (arXiv:2112.11446), table A1; inclusive."""
MAX_PARAGRAPH_WORDS = 1000
"""OBELICS (arXiv:2306.16527), paragraph level."""
MAX_DOCUMENT_WORDS = 2000
"""OBELICS (arXiv:2306.16527), document level; there longer documents are dropped, here cut."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class WordCount:
    """Drops documents with too few or too many words.

    Words as in `openm3w.filters.words`, over all texts; bounds are inclusive.

    Source: 10 is OBELICS' document bound (arXiv:2306.16527), 100,000 Gopher's (arXiv:2112.11446).
    """

    name: ClassVar[str] = "word_count"
    reasons: ClassVar[frozenset[str]] = frozenset({"too_few_words", "too_many_words"})
    measuring: ClassVar[frozenset[str]] = frozenset()

    min_words: int = MIN_WORDS
    max_words: int = MAX_WORDS

    def __post_init__(self) -> None:
        if not 0 <= self.min_words <= self.max_words:
            raise ValueError(f"min_words {self.min_words} is above max_words {self.max_words}")

    def keep(self, text: TextFacts) -> Verdict:
        words = text.num_words
        if words < self.min_words:
            return drop("too_few_words")
        if words > self.max_words:
            return drop("too_many_words")
        return KEEP

    def limits(self) -> tuple[Limit, ...]:
        return (
            at_least("word_count.words", self.min_words, "too_few_words"),
            at_most("word_count.words", self.max_words, "too_many_words"),
        )

    def measure(self, text: TextFacts) -> dict[str, float]:
        return {"word_count.words": float(text.num_words)}


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class CapText:
    """Cuts long paragraphs and long documents at a number of words; 0 is no cap.

    The document's cap is a window from its start: the text that crosses it is cut, and what comes
    after, images too, falls away.

    Source: the numbers are OBELICS' (arXiv:2306.16527), which drops what is longer; cutting it is
    ours.
    """

    name: ClassVar[str] = "cap_text"
    reasons: ClassVar[frozenset[str]] = frozenset({"outside_window"})

    max_paragraph_words: int = MAX_PARAGRAPH_WORDS
    max_document_words: int = MAX_DOCUMENT_WORDS

    def __post_init__(self) -> None:
        for name in ("max_paragraph_words", "max_document_words"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 (no cap) or more")

    def apply(self, document: Document) -> Cut:
        return rebuilt(document, self._taken(document))

    def _taken(self, document: Document) -> Iterator[tuple[Span, int]]:
        left = self.max_document_words
        for span, place in numbered(document.spans):
            if not isinstance(span, Text):
                yield span, place
                continue
            text = self._capped_paragraphs(span.text)
            words = count_words(text)
            if self.max_document_words and words > left:
                yield dataclasses.replace(span, text=first_words(text, left)), place
                return
            left -= words
            yield (span if text == span.text else dataclasses.replace(span, text=text)), place

    def _capped_paragraphs(self, text: str) -> str:
        cap = self.max_paragraph_words
        # A word has a character at least, which spares most texts the counting.
        if not cap or len(text) <= cap or count_words(text) <= cap:
            return text
        return "\n\n".join(
            first_words(paragraph, cap) if count_words(paragraph) > cap else paragraph
            for paragraph in BLANK_LINES.split(text)
        )
