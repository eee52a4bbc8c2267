"""The rules that made C4 of Common Crawl: of lines, which shorten a text, and of whole pages."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.cut import Cut
from openm3w.filters.limits import Limit, at_least, at_most
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.quality.shorten import shorten_lines
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.shards.document import Document

END_MARKS = (".", "?", "!", '"', "'")
LINES_REMOVED = "c4_lines_removed"
"""Score of a shortened document."""

_ELLIPSIS = "..."
_JAVASCRIPT = "javascript"
_LOREM_IPSUM = "lorem ipsum"
_POLICIES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
_CITATION = re.compile(r"\[(?:\d*|edit|citation needed)\]")


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class C4Lines:
    """Removes lines that are no sentences, or are about JavaScript, cookies or terms of use.

    A line stays if it ends with one of `end_marks` (`closed_lines = false` asks for none) and not
    with an ellipsis, has `min_words` between spaces and none above `max_word_characters`. Marks of
    citations (`[1]`, `[edit]`, `[citation needed]`) are taken out of lines. A line for which
    `c4_page` drops the whole page stays for it to see, unless it would not have counted as a line
    at all. The number of removed lines is kept as the document's score `c4_lines_removed`; images
    stay.

    Source: C4 (Raffel et al., 2020, arXiv:1910.10683), section 2.2; citations, the longest word
    and the phrases on policies are those of its released code, and the apostrophe among the
    end marks is datatrove's.
    """

    name: ClassVar[str] = "c4_lines"
    reasons: ClassVar[frozenset[str]] = frozenset()

    min_words: int = 3
    max_word_characters: int = 1000
    closed_lines: bool = True
    end_marks: tuple[str, ...] = END_MARKS

    def __post_init__(self) -> None:
        if self.min_words < 0 or self.max_word_characters < 1:
            raise ValueError(
                f"min_words {self.min_words}, max_word_characters {self.max_word_characters}: "
                "expected 0 or more, and 1 or more"
            )

    def apply(self, document: Document) -> Cut:
        return shorten_lines(document, self._kept, score=LINES_REMOVED)

    def _kept(self, lines: Sequence[str]) -> Iterator[str | None]:
        lowered = "\n".join(lines).lower()
        # Nearly no text has any of these words: look once at all of it.
        named = _JAVASCRIPT in lowered or any(policy in lowered for policy in _POLICIES)
        for line in lines:
            if not self._is_short_enough(line):
                yield None
                continue
            plain = _CITATION.sub("", line) if "[" in line else line
            closed = plain.endswith(self.end_marks) and not plain.endswith(_ELLIPSIS)
            if (
                (self.closed_lines and not closed)
                or len(line.split(None, self.min_words)) < self.min_words
                or (named and _is_notice(plain))
            ):
                yield None
            else:
                yield plain

    def _is_short_enough(self, line: str) -> bool:
        most = self.max_word_characters
        return len(line) <= most or max(map(len, line.split())) <= most


def _is_notice(line: str) -> bool:
    lowered = line.lower()
    if _LOREM_IPSUM in lowered:
        return False
    if _JAVASCRIPT in lowered:
        return True
    return "{" not in line and any(policy in lowered for policy in _POLICIES)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class C4Page:
    """Drops texts with placeholder text or curly brackets, and with too few sentences.

    Meant to follow `c4_lines`. The list of bad words is no part of it.

    Source: C4 (Raffel et al., 2020, arXiv:1910.10683), section 2.2.
    """

    name: ClassVar[str] = "c4_page"
    reasons: ClassVar[frozenset[str]] = frozenset(
        {"c4_lorem_ipsum", "c4_curly_bracket", "c4_too_few_sentences"}
    )
    measuring: ClassVar[frozenset[str]] = frozenset()

    min_sentences: int = 5
    lorem_ipsum: bool = True
    """Whether placeholder text drops the page."""
    curly_bracket: bool = True
    """Whether a curly bracket, a sign of program code, drops the page."""

    def __post_init__(self) -> None:
        if self.min_sentences < 0:
            raise ValueError(f"min_sentences is {self.min_sentences}, expected 0 or more")

    def keep(self, text: TextFacts) -> Verdict:
        if self.lorem_ipsum and _LOREM_IPSUM in text.lowered:
            return drop("c4_lorem_ipsum")
        if self.curly_bracket and "{" in text.text:
            return drop("c4_curly_bracket")
        # Each line has a sentence at least, which spares most texts the counting.
        if len(text.lines) < self.min_sentences and text.sentences < self.min_sentences:
            return drop("c4_too_few_sentences")
        return KEEP

    def limits(self) -> tuple[Limit, ...]:
        """A switch that is off is a limit that is not there."""
        lorem_ipsum = at_most("c4_page.lorem_ipsum", 0, "c4_lorem_ipsum")
        curly_brackets = at_most("c4_page.curly_brackets", 0, "c4_curly_bracket")
        return (
            *((lorem_ipsum,) if self.lorem_ipsum else ()),
            *((curly_brackets,) if self.curly_bracket else ()),
            at_least("c4_page.sentences", self.min_sentences, "c4_too_few_sentences"),
        )

    def measure(self, text: TextFacts) -> dict[str, float]:
        """How often each stands in the text; a line is one sentence at least."""
        return {
            "c4_page.lorem_ipsum": float(text.lowered.count(_LOREM_IPSUM)),
            "c4_page.curly_brackets": float(text.text.count("{")),
            "c4_page.sentences": float(max(text.sentences, len(text.lines))),
        }
