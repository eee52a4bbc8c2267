"""Text of a page to text as Unicode wants it."""

import unicodedata
from typing import Final

from openm3w.pipeline.extraction.mojibake import MAX_ROUNDS, unscramble

INVISIBLE: Final = "\u00ad\u200b\u2060\ufeff"
"""Soft hyphen, zero-width space, word joiner, byte-order mark: they place line ends, no meaning.
Joiners (U+200C, U+200D) and marks of direction are letters' business in Persian, Hindi, Arabic,
Hebrew and emoji, and stay."""


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
    return unicodedata.normalize("NFC", text)
