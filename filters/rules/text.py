"""`[text]`: how much text a document has, and how much of it is taken."""

from dataclasses import dataclass

from openm3w.filters.text import (
    MAX_DOCUMENT_WORDS,
    MAX_PARAGRAPH_WORDS,
    MAX_WORDS,
    MIN_WORDS,
    CapText,
    WordCount,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRules:
    """Bounds on text; see `WordCount` and `CapText`."""

    min_words: int = MIN_WORDS
    max_words: int = MAX_WORDS
    max_paragraph_words: int = MAX_PARAGRAPH_WORDS
    """0: no cap."""
    max_document_words: int = MAX_DOCUMENT_WORDS
    """0: no cap."""

    def __post_init__(self) -> None:
        if self.min_words < 1:
            raise ValueError(f"min_words is {self.min_words}, expected at least 1")
        self.word_count()
        self.cap()

    def word_count(self) -> WordCount:
        return WordCount(min_words=self.min_words, max_words=self.max_words)

    def cap(self) -> CapText:
        return CapText(
            max_paragraph_words=self.max_paragraph_words,
            max_document_words=self.max_document_words,
        )
