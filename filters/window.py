"""M3W's training window: some consecutive tokens of a document."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.cut import Cut, numbered, rebuilt
from openm3w.filters.hashing import unit_interval
from openm3w.filters.registry import register
from openm3w.filters.words import token_pieces
from openm3w.shards.document import Document, Span, Text

WINDOW_TOKENS = 256
"""Flamingo (arXiv:2204.14198) section 2.4: L."""
IMAGE_TOKENS = 2
"""Flamingo writes `<EOC><image>` for an image (arXiv:2204.14198, appendix A.3)."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Cuts a document down to a window of consecutive tokens at a place drawn by its id.

    Tokens are approximated: one for every five characters begun of a run between spaces, one for
    each Han, kana or South-East Asian character, two for an image; see `openm3w.filters.words`.
    What is not wholly inside falls away, so that no word is cut. A document that is no longer than
    the window stays whole. The place is written to the document's scores (`window_start_token`,
    `window_tokens`), and whether the window reaches the document's end (`window_ends_document`, 1
    or 0): M3W writes `<EOC>` before each image and at that end; a window that ends before has none.

    Source: 256 tokens at a random place is Flamingo's (arXiv:2204.14198, section 2.4); a place
    that the document's id decides once, instead of one for each epoch, is ours.
    """

    name: ClassVar[str] = "window"
    reasons: ClassVar[frozenset[str]] = frozenset({"outside_window"})

    tokens: int = WINDOW_TOKENS
    seed: int = 0

    def __post_init__(self) -> None:
        if self.tokens < 1:
            raise ValueError(f"tokens is {self.tokens}, expected at least 1")

    def apply(self, document: Document) -> Cut:
        total = sum(count_tokens(span) for span in document.spans)
        # Every start from the first to the last that fills the window is as likely.
        places = max(1, total - self.tokens + 1)
        start = int(unit_interval(self.seed, self.name, document.doc_id) * places)
        scores = {
            **document.scores,
            "window_start_token": float(start),
            "window_tokens": float(min(total, self.tokens)),
            "window_ends_document": float(start + self.tokens >= total),
        }
        placed = dataclasses.replace(document, scores=scores)
        return rebuilt(placed, self._inside(document, start, start + self.tokens))

    def _inside(self, document: Document, start: int, end: int) -> Iterator[tuple[Span, int]]:
        at = 0
        for span, place in numbered(document.spans):
            size = count_tokens(span)
            if start <= at and at + size <= end:
                yield span, place
            elif isinstance(span, Text) and at < end and start < at + size:
                yield Text(text=_piece_between(span.text, start - at, end - at)), place
            at += size


def count_tokens(span: Span) -> int:
    """The length of a span in the approximate tokens that windows are measured in."""
    if isinstance(span, Text):
        return sum(tokens for _, _, tokens in token_pieces(span.text))
    return IMAGE_TOKENS


def _piece_between(text: str, start: int, end: int) -> str:
    """The part of `text` whose pieces lie wholly in the tokens from `start` until `end`."""
    at, taken = 0, []
    for first, last, tokens in token_pieces(text):
        if start <= at and at + tokens <= end:
            taken.append((first, last))
        at += tokens
    return text[taken[0][0] : taken[-1][1]] if taken else ""
