"""A document made smaller, and which of its images are left."""

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from openm3w.shards.document import Document, Image, Span, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What remains of a document."""

    document: Document
    kept: tuple[int, ...]
    """Places of the remaining images among the images of the document before, ascending."""


def numbered(spans: Iterable[Span]) -> Iterator[tuple[Span, int]]:
    """Each span with its place among the images; -1 for text."""
    seen = 0
    for span in spans:
        if isinstance(span, Image):
            yield span, seen
            seen += 1
        else:
            yield span, -1


def rebuilt(document: Document, items: Iterable[tuple[Span, int]]) -> Cut:
    """The document of some of its numbered spans; neighbouring texts become one.

    A blank line stands between merged texts, and texts of white space alone are left out.
    """
    spans: list[Span] = []
    texts: list[Text] = []
    kept: list[int] = []
    for span, place in items:
        if isinstance(span, Image):
            spans.extend(_merged(texts))
            texts = []
            spans.append(span)
            kept.append(place)
        elif span.text.strip():
            texts.append(span)
    spans.extend(_merged(texts))
    return Cut(document=dataclasses.replace(document, spans=tuple(spans)), kept=tuple(kept))


def _merged(texts: list[Text]) -> list[Text]:
    if len(texts) < 2:
        return texts
    first, *inner, last = (text.text for text in texts)
    parts = (first.rstrip(), *(text.strip() for text in inner), last.lstrip())
    return [Text(text="\n\n".join(parts))]
