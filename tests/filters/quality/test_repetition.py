from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.filters.quality.repetition import (
    most_repeated_characters,
    most_top_characters,
    repeated_characters,
    top_characters,
)

WORDS = st.lists(st.sampled_from(["a", "bb", "ccc", "dddd", "."]), max_size=60)


@pytest.mark.parametrize(
    ("text", "n", "characters"),
    [
        ("a b a b a b", 2, 9),  # "a b" three times
        ("a b c d", 2, 3),  # all once: the first
        ("aaa b b b", 2, 6),  # "b b" twice, though "aaa b" is longer
        ("a", 2, 0),
        ("", 2, 0),
        ("x y z x y z", 3, 10),
    ],
)
def test_the_commonest_sequence_counts_with_all_its_occurrences(text, n, characters):
    assert top_characters(text.split(), n) == characters


@pytest.mark.parametrize(
    ("text", "n", "characters"),
    [
        ("a b c a b c", 3, 3),  # once before
        ("a b c a b c a b c", 3, 6),
        ("a a a a a", 2, 4),  # the second pair overlaps the first; then one more without overlap
        ("a b c d", 2, 0),
        ("a b a b", 3, 0),
        ("a", 2, 0),
    ],
)
def test_sequences_that_stood_before_are_counted_without_overlap(text, n, characters):
    assert repeated_characters(text.split(), n) == characters


@given(WORDS, st.integers(1, 6))
def test_no_top_sequence_is_above_its_bound(words, n):
    assert top_characters(words, n) <= most_top_characters(Counter(words))(n)


@given(WORDS, st.integers(1, 6), st.integers(0, 6))
def test_no_repetition_is_above_its_bound(words, n, more):
    assert repeated_characters(words, n + more) <= most_repeated_characters(words, n)


def test_a_text_without_repetition_has_the_bound_nought(filler):
    assert most_repeated_characters(filler(300), 5) == 0
    assert most_repeated_characters(["a"] * 5, 5) == 0
    assert most_repeated_characters(["a"] * 6, 5) == 5
