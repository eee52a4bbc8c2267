"""Text of a page to text as Unicode wants it."""

import re
import unicodedata
from typing import Final

from openm3w.pipeline.extraction.mojibake import MAX_ROUNDS, unscramble

INVISIBLE: Final = "\u00ad\u200b\u2060\ufeff"
"""Soft hyphen, zero-width space, word joiner, byte-order mark: they place line ends, no meaning.
Joiners (U+200C, U+200D) and marks of direction are letters' business in Persian, Hindi, Arabic,
Hebrew and emoji, and stay."""

MAX_MARKS: Final = 30
"""Combining marks on one letter (Unicode's Stream-Safe Text Format, UAX #15, section 13).
Normalising takes time with the square of their number; no writing system has more than a few."""

_MAY_BE_MARKS: Final = re.compile(rf"[^\x00-\u02ff\u3400-\u9fff\uac00-\ud7a3]{{{MAX_MARKS + 1},}}")
"""What may hold more of them than that; neither Latin words nor Chinese characters."""


def repair(text: str) -> str:
    """NFC, without invisible characters, and what was surely decoded wrongly turned back.

    Line breaks and spaces stay as they are; call it before no-break spaces become spaces, for
    they are bytes of letters that were decoded wrongly. Idempotent.
    """
    if text.isascii():
        return text
    for _ in range(MAX_ROUNDS):
        before, text = text, _repair(text)
        if text == before:
            break
    return text


def _repair(text: str) -> str:
    # First: a soft hyphen and a byte-order mark are bytes of letters that were decoded wrongly.
    text = unscramble(text)
    for char in INVISIBLE:
        if char in text:
            text = text.replace(char, "")
    return unicodedata.normalize("NFC", _MAY_BE_MARKS.sub(_bound_marks, text))


def _bound_marks(match: re.Match[str]) -> str:
    """The same text with no more marks on a letter than the bound."""
    kept, run = list[str](), 0
    for char in match[0]:
        run = run + 1 if unicodedata.combining(char) else 0
        if run <= MAX_MARKS:
            kept.append(char)
    return "".join(kept)
