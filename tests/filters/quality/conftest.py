"""Texts of a given number of words, lines or characters that break no other rule."""

from collections.abc import Iterator
from itertools import product

import pytest

from openm3w.filters.quality.facts import TextFacts


def make_filler(number: int, length: int = 5) -> list[str]:
    """That many different words of so many letters, without a vowel."""
    letters: Iterator[tuple[str, ...]] = product("bcdfghjklmnpqrstvwxz", repeat=length)
    return ["".join(next(letters)) for _ in range(number)]


def make_text(text: str) -> TextFacts:
    return TextFacts(text)


@pytest.fixture
def filler():
    """`filler(3, 5)`: three different words of five letters."""
    return make_filler


@pytest.fixture
def facts():
    """`facts("text")`: what rules take."""
    return make_text
