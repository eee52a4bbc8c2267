import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.filters.words import count_words, first_words, token_pieces

# Letters, punctuation, spaces, Han, kana, Thai with its marks, Hangul, an emoji.
MIXED = st.text(
    st.sampled_from("ab1'-. \n\u4e2d\u6587\u3042\u30ab\u0e01\u0e33\u0e48\ud55c\U0001f600\u3002")
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        (" \n\t ", 0),
        ("One two\nthree.", 3),
        ("don't well-known 3.14 e.g.", 4),
        ("- | \u2014 * !!!", 0),
        ("a-b -- c", 2),
        ("_", 0),
        ("\u4e2d\u6587", 1),
        ("\u4e2d\u6587\u5b57", 2),
        ("\u4e2d\u6587\u3002\u5b57\u5178\u3002", 2),
        ("\u30ab\u30e1\u30e9", 2),
        ("OpenM3W\u306f\u901f\u3044", 3),
        ("\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", 2),
        ("\ud55c\uad6d\uc5b4 \ud14d\uc2a4\ud2b8", 2),
        ("\u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440", 2),
    ],
)
def test_words_are_counted_with_and_without_spaces(text, words):
    assert count_words(text) == words


@pytest.mark.parametrize(
    ("text", "limit", "first"),
    [
        ("one two  three", 3, "one two  three"),
        ("one two  three", 2, "one two"),
        ("one, - two", 1, "one, -"),
        ("one two", 0, ""),
        ("\u4e2d\u6587\u5b57\u5178", 1, "\u4e2d\u6587"),
        ("a \u4e2d\u6587\u5b57\u5178 b", 2, "a \u4e2d\u6587"),
    ],
)
def test_a_text_is_cut_after_its_first_words(text, limit, first):
    assert first_words(text, limit) == first


@given(MIXED, st.integers(0, 12))
def test_cutting_agrees_with_counting(text, limit):
    first = first_words(text, limit)
    assert text.startswith(first)
    assert count_words(first) == min(limit, count_words(text))


@given(MIXED, MIXED)
def test_a_blank_line_between_texts_neither_adds_nor_takes_words(left, right):
    assert count_words(f"{left}\n\n{right}") == count_words(left) + count_words(right)


@given(MIXED)
def test_token_pieces_cover_everything_but_white_space(text):
    at, left_out = 0, ""
    for start, end, tokens in token_pieces(text):
        assert tokens >= 1
        left_out += text[at:start]
        at = end
    assert not (left_out + text[at:]).strip()


def test_tokens_of_a_run_are_its_fifths_rounded_up():
    text = "abcde abcdef \u4e2d\u6587"
    assert [tokens for _, _, tokens in token_pieces(text)] == [1, 2, 1, 1]
