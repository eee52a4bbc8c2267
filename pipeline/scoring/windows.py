"""Windows of text that an image is scored against.

CLIP reads 77 tokens and cuts the rest off without a word, so windows are sentences, or pieces of
at most `max_words` words; a whole paragraph is never scored.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from openm3w.filters.sentences import sentence_places
from openm3w.shards.document import Document, Image, Text

Origin = Literal["before", "after", "alt", "caption", "title"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Which windows an image gets."""

    scope: Literal["near", "all"] = "near"
    """`near`: `each_side` windows before and after, alt text and caption. `all`: every window."""
    each_side: int = 2
    max_words: int = 60
    """77 tokens of CLIP at about 1.3 tokens a word."""

    def __post_init__(self) -> None:
        if self.each_side < 0 or self.max_words < 1:
            raise ValueError("each_side must be at least 0 and max_words at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One text an image is scored against, and where it was taken from."""

    text: str
    origin: Origin


def image_windows(document: Document, windows: Windows) -> list[list[Window]]:
    """For each image of `document`, in order, its windows: before, after, alt, title, caption.

    So with every window in scope the first ones are the document's sentences in reading order.
    """
    pieces: list[list[str] | Image] = [
        list(split(span.text, windows.max_words)) if isinstance(span, Text) else span
        for span in document.spans
    ]
    return [
        _windows_of(pieces, at, windows)
        for at, piece in enumerate(pieces)
        if isinstance(piece, Image)
    ]


def split(text: str, max_words: int) -> Iterator[str]:
    """Sentences of `text`, cut into pieces of at most `max_words` words.

    Where a script writes no spaces, each character counts as a word: it is a token or more.
    """
    for start, end in sentence_places(text, max_words):
        yield " ".join(text[start:end].split())


def _windows_of(pieces: Sequence[list[str] | Image], at: int, windows: Windows) -> list[Window]:
    image = pieces[at]
    if not isinstance(image, Image):
        raise TypeError(f"no image at {at}")
    before = [text for piece in pieces[:at] if isinstance(piece, list) for text in piece]
    after = [text for piece in pieces[at + 1 :] if isinstance(piece, list) for text in piece]
    if windows.scope == "near":
        start = max(0, len(before) - windows.each_side)
        before, after = before[start:], after[: windows.each_side]
    found = [Window(text=text, origin="before") for text in before]
    found += [Window(text=text, origin="after") for text in after]
    named: tuple[tuple[str, Origin], ...] = (
        (image.alt, "alt"),
        (image.title, "title"),
        (image.caption, "caption"),
    )
    for text, origin in named:
        first = next(split(text, windows.max_words), "")
        if first and all(window.text != first for window in found):
            found.append(Window(text=first, origin=origin))
    return found
