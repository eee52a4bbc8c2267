"""What text rules ask of a text, each found once and shared by all of them.

A **line** is one that holds more than white space; a **paragraph** ends at a blank line. Both are
without the white space around them. A **word** is what tokenizers make of a text rather than what
stands between spaces: a run of letters and digits, with signs inside it where a digit follows or
an address goes on (`3.5`, `10:30`, `COVID-19`, `example.org`), the ending of a contraction (`it`,
`'s`), or a run of other signs (`).`). Signs count because the published bounds were set with
tokenizers that count them. Chinese, Japanese and the scripts of South-East Asia are divided by
characters, as in `openm3w.filters.words`.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from openm3w.filters.quality.marks import SENTENCE_ENDS
from openm3w.filters.words import HAN_AND_KANA, SOUTH_EAST_ASIAN, count_words, is_unspaced
from openm3w.shards.document import Document

_INSIDE = r"(?:[.,:/@-]\d+|[.@]\w+)*"
_WORD = re.compile(rf"['\u2019]?\w+{_INSIDE}|[^\w\s]+")
_UNSPACED_WORD = re.compile(
    f"[{HAN_AND_KANA}]{{1,2}}|[{SOUTH_EAST_ASIAN}]{{1,4}}"
    f"|['\u2019]?[^\\W{HAN_AND_KANA}{SOUTH_EAST_ASIAN}]+{_INSIDE}|[^\\w\\s]+"
)
BLANK_LINES = re.compile(r"\n\s*\n")
_SENTENCE_END = re.compile(
    r"[.!?\u2026][\"'\u201d\u2019)\]]*(?=\s|$)|[\u3002\uff01\uff1f]", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """Numbers of words by what they hold."""

    spoken: int
    """With a letter or a digit."""
    alphabetic: int
    """With a letter."""
    mean_length: float
    """Characters of a spoken word, on average; 0 where there is none."""


class TextFacts:
    """A document's text and, once asked for, its lines, words and their numbers."""

    def __init__(
        self, text: str, *, words: Sequence[str] | None = None, sentences: int | None = None
    ) -> None:
        """`words` and `sentences` replace our own, to judge by another tokenizer's."""
        self.text = text
        if words is not None:
            self.words = words
        if sentences is not None:
            self.sentences = sentences

    @classmethod
    def of(cls, document: Document) -> "TextFacts":
        """The facts of all texts of a document, a blank line between them."""
        return cls("\n\n".join(document.texts))

    @cached_property
    def lowered(self) -> str:
        return self.text.lower()

    @cached_property
    def lines(self) -> Sequence[str]:
        return [line for raw in self.text.splitlines() if (line := raw.strip())]

    @cached_property
    def paragraphs(self) -> Sequence[str]:
        return [part for raw in BLANK_LINES.split(self.text) if (part := raw.strip())]

    @cached_property
    def words(self) -> Sequence[str]:
        return split_words(self.text)

    @cached_property
    def num_words(self) -> int:
        """As `openm3w.filters.words` counts them: runs between spaces, without signs alone."""
        return count_words(self.text)

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each word occurs."""
        return Counter(self.words)

    @cached_property
    def kinds(self) -> "Kinds":
        return _kinds(self.counts)

    @cached_property
    def num_ellipses(self) -> int:
        return self.text.count("...") + self.text.count("\u2026")

    @cached_property
    def sentences(self) -> int:
        return sum(map(count_sentences, self.lines))

    def share(self, number: int, of: int | None = None) -> float:
        """`number` for each word, or for each of `of`; of nothing, all."""
        whole = len(self.words) if of is None else of
        return number / whole if whole else float(bool(number))


def split_words(text: str) -> list[str]:
    """The words of `text`, signs among them."""
    if is_unspaced(text):
        return _UNSPACED_WORD.findall(text)
    words: list[str] = []
    for run in text.split():
        if run.isalnum():  # as most are; the expression takes twice as long for all of a text
            words.append(run)
        else:
            words.extend(_WORD.findall(run))
    return words


def count_sentences(line: str) -> int:
    """How many sentences a line has: its full stops before white space, and an open end."""
    ends = _SENTENCE_END.findall(line)
    closed = bool(ends) and line.endswith(ends[-1])
    return len(ends) + (0 if closed else 1)


def ends_sentence(line: str) -> bool:
    """Whether the last character ends sentences in some script."""
    return line[-1:] in SENTENCE_ENDS


def repeated(parts: Sequence[str]) -> tuple[int, int]:
    """How many parts stood before already, and the characters of those."""
    again = len(parts) - len(set(parts))
    if not again:
        return 0, 0
    characters = sum(map(len, parts)) - sum(map(len, set(parts)))
    return again, characters


def _kinds(counts: Counter[str]) -> Kinds:
    spoken = characters = alphabetic = 0
    for word, times in counts.items():
        if word.isalpha() or any(map(str.isalpha, word)):
            alphabetic += times
        elif not any(map(str.isalnum, word)):
            continue
        spoken += times
        characters += times * len(word)
    return Kinds(
        spoken=spoken, alphabetic=alphabetic, mean_length=characters / spoken if spoken else 0.0
    )
