import numpy as np
import pytest

from openm3w.filters.dedup import shingles as module
from openm3w.filters.dedup.shingles import shingles


def same(one, other):
    return shingles(one).tolist() == shingles(other).tolist()


@pytest.mark.parametrize(("count", "runs"), [(0, 0), (1, 1), (4, 1), (5, 1), (6, 2), (105, 101)])
def test_a_text_has_a_run_from_each_word_that_four_more_follow(count, runs):
    text = " ".join(f"word{number}" for number in range(count))

    assert len(set(shingles(text).tolist())) == runs


@pytest.mark.parametrize("words", [1, 2, 3, 24])
def test_runs_may_be_of_any_length(words):
    assert shingles(" ".join(map(str, range(50))), words).size == 51 - words


@pytest.mark.parametrize("text", ["", " \n", "... -- !?", "\u2014\u00a0\u201c", "\U0001f600", "_"])
def test_a_text_without_letter_or_digit_has_no_run(text):
    assert shingles(text).size == 0


@pytest.mark.parametrize(
    "other",
    [
        "the CAT sat on THE mat",
        "The cat, sat -- on\n\nthe (mat).",
        "\u201cThe\u201d cat sat\u00a0on the mat\u2026",
        "\uff34he cat sat on the \uff4dat",  # full width
        "the_cat_sat_on_the_mat",
    ],
)
def test_case_spacing_punctuation_and_width_do_not_count(other):
    assert same("The cat sat on the mat", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the cat sat on the mat", "the cat sat on the map"),
        ("the cat sat on the mat", "cat the sat on the mat"),
        ("a bc d e f", "ab c d e f"),
        ("a b c d e", "a b c d e e"),
        ("caf\u00e9 a b c d", "cafe a b c d"),
        ("\u65e5\u672c" * 5, "\u65e5\u672c" * 4 + "\u672c\u65e5"),
    ],
)
def test_letters_their_order_and_where_words_end_count(one, other):
    assert not same(one, other)


def test_a_combining_mark_is_part_of_its_word():
    # Two words: a vowel sign in the middle ends none.
    assert shingles("\u0939\u093f\u0928\u094d\u0926\u0940 \u092d\u093e\u0937\u093e", 1).size == 2


@pytest.mark.parametrize(
    ("unit", "characters"),
    [
        ("\u6f22", 10),  # Han: two characters a word
        ("\u30ab", 10),  # katakana
        ("\u0e01", 20),  # Thai: four
        ("\u1780", 20),  # Khmer
    ],
)
def test_without_spaces_characters_stand_for_words(unit, characters):
    assert shingles(unit * (characters + 3)).size == 4
    assert shingles(unit * (characters - 1)).size == 1


def test_spaces_and_stops_between_han_characters_do_not_count():
    assert same("\u6771\u4eac\u306f\u65e5\u672c\u306e\u9996\u90fd\u3067\u3059\u3002",
                "\u6771 \u4eac\u306f\u65e5\u672c\n\u306e\u9996\u90fd\u3067\u3059")  # fmt: skip


def test_of_mixed_scripts_a_run_is_what_adds_up_to_five_words():
    # 3 words and 4 characters; then 2 words and 6; ...: each next run begins one unit later.
    assert shingles("one two three " + "\u6f22" * 8).size == 3
    assert shingles("one two three " + "\u6f22" * 4).size == 1


def test_a_run_is_the_same_wherever_it_stands():
    run = "alpha beta gamma delta epsilon"
    before = " ".join(f"w{number}" for number in range(50_000))  # more than one block of runs

    alone = shingles(run)[0]
    assert shingles(f"{before} {run}")[-1] == alone
    assert shingles(f"{run} {before}")[0] == alone
    assert np.count_nonzero(shingles(f"{before} {run} {before}") == alone) == 1


def test_blocks_give_what_one_block_gives(monkeypatch):
    text = " ".join(f"w{number % 977}" for number in range(3000))
    whole = shingles(text)

    monkeypatch.setattr(module, "_RUNS_AT_A_TIME", 7)
    assert (shingles(text) == whole).all()


def test_runs_are_numbered_without_collisions_beyond_chance():
    # 200,000 runs that differ in little: about 4.7 collisions are expected of 32 bits.
    text = " ".join(map(str, range(200_004)))

    assert 200_000 - len(set(shingles(text).tolist())) < 25


def test_the_numbers_never_change():
    # Saved states hold what is made of them.
    assert shingles("The quick brown fox jumps over").tolist() == [3949647415, 1979241127]


def test_long_words_and_odd_characters_raise_nothing():
    assert shingles("x" * 600_000).size == 1
    assert shingles("\ud800 \U0010ffff \0 \ufffe a \u0e3a b").size == 1
