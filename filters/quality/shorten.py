"""Texts of a document made shorter, line by line or paragraph by paragraph."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from openm3w.filters.cut import Cut, numbered, rebuilt
from openm3w.filters.quality.facts import BLANK_LINES
from openm3w.shards.document import Document, Span, Text

Keep = Callable[[Sequence[str]], Iterable[str | None]]
"""From the parts of a text to each of them as it stays, None where it does not."""

_MORE_BLANK_LINES = re.compile(r"\n{3,}")


def shorten_lines(document: Document, keep: Keep, *, score: str) -> Cut:
    """What `keep` leaves of the lines of each text; images all stay.

    `score` names the document's score that says how many were removed; none is entered for none.
    """
    return _shortened(document, keep, score, _lines)


def shorten_paragraphs(document: Document, keep: Keep, *, score: str) -> Cut:
    """What `keep` leaves of the paragraphs of each text, as `shorten_lines` does of lines."""
    return _shortened(document, keep, score, _paragraphs)


def with_score(document: Document, name: str, number: int) -> Document:
    """The document with this score added to what it had; itself where the number is 0."""
    if not number:
        return document
    scores = {**document.scores, name: document.scores.get(name, 0.0) + number}
    return dataclasses.replace(document, scores=scores)


def _shortened(
    document: Document, keep: Keep, score: str, shorten: Callable[[str, Keep], tuple[str, int]]
) -> Cut:
    removed = 0

    def spans() -> Iterator[tuple[Span, int]]:
        nonlocal removed
        for span, place in numbered(document.spans):
            if isinstance(span, Text):
                text, times = shorten(span.text, keep)
                removed += times
                yield (span if text == span.text else Text(text=text)), place
            else:
                yield span, place

    cut = rebuilt(document, spans())
    return dataclasses.replace(cut, document=with_score(cut.document, score, removed))


def _lines(text: str, keep: Keep) -> tuple[str, int]:
    lines = text.splitlines()
    parts = [part for line in lines if (part := line.strip())]
    kept = list(keep(parts))
    if kept == parts:
        return text, 0
    left = iter(kept)
    with_gaps = ["" if not line.strip() else next(left) for line in lines]
    joined = "\n".join(line for line in with_gaps if line is not None)
    return _MORE_BLANK_LINES.sub("\n\n", joined).strip("\n"), kept.count(None)


def _paragraphs(text: str, keep: Keep) -> tuple[str, int]:
    parts = BLANK_LINES.split(text)
    kept = list(keep(parts))
    if kept == parts:
        return text, 0
    return "\n\n".join(part for part in kept if part is not None), kept.count(None)
