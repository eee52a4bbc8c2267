"""Sentences of a text and where they stand: what images are scored against and assigned to."""

import re
from collections.abc import Iterator

# Sentence ends: western ones before a space, CJK and others anywhere, and line breaks.
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[\u3002\uff01\uff1f\u0964\u061f])|\n+")
_CJK = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
# A character of a script without spaces with the punctuation behind it, or a run of others.
_WORD = re.compile(rf"[{_CJK}][^\s\w]*|[^\s{_CJK}]+")


def sentence_places(text: str, max_words: int = 0) -> Iterator[tuple[int, int]]:
    """Where each sentence of `text` begins and ends; 0 words: no bound.

    A longer sentence is cut into pieces of at most `max_words` words, each a sentence of its own.
    Where a script writes no spaces, each character counts as a word: it is a token or more.
    """
    for start, end in _between_ends(text):
        words = [match.span() for match in _WORD.finditer(text, start, end)]
        for at in range(0, len(words), max_words or len(words) or 1):
            piece = words[at : at + max_words] if max_words else words
            yield piece[0][0], piece[-1][1]


def _between_ends(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _SENTENCE_END.finditer(text):
        yield start, match.start()
        start = match.end()
    yield start, len(text)
