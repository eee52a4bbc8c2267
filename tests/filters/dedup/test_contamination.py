import numpy as np
import pytest

from openm3w.filters.dedup.contamination import contamination, known_texts

WORDS = [f"w{at}" for at in range(40)]


def known(*texts, words=13):
    return known_texts(texts, words)


@pytest.mark.parametrize(
    ("shared", "share"),
    # A text of 40 words has 28 runs of 13; n shared words in a row make n - 12 of them.
    [(12, 0.0), (13, round(1 / 28, 4)), (20, round(8 / 28, 4)), (40, 1.0)],
)
def test_the_share_of_runs_that_evaluation_texts_have(shared, share):
    listed = known(" ".join(["before", *WORDS[:shared], "after"]))

    assert contamination(" ".join(WORDS), listed) == share


def test_case_and_punctuation_do_not_hide_a_text():
    listed = known(" ".join(WORDS))

    assert contamination(", ".join(WORDS).upper() + "!", listed) == 1.0


def test_a_document_of_fewer_words_than_a_run_is_one_run():
    short = " ".join(WORDS[:12])

    assert contamination(short, known(" ".join(WORDS))) == 0.0
    assert contamination(short, known(short)) == 1.0
    assert contamination(short, known(" ".join(WORDS[4:9]))) == 1.0
    assert contamination("", known(short)) == 0.0


@pytest.mark.parametrize(
    ("first", "end", "runs"),
    # A run from word s holds words s to s + 12; there are 28, from 0 to 27. A text of n words at
    # word f is held by those that begin at f + n - 13 to f.
    [(10, 22, 2), (10, 15, 9), (0, 5, 1), (3, 8, 4), (35, 40, 1), (30, 35, 6), (10, 14, 0)],
)
def test_a_text_shorter_than_a_run_is_looked_for_as_a_whole(first, end, runs):
    listed = known(" ".join(WORDS[first:end]))

    assert contamination(" ".join(WORDS), listed) == round(runs / 28, 4)
    assert (listed.texts, listed.whole, listed.missed) == (1, int(runs > 0), int(runs == 0))
    others = [*WORDS[: end - 1], "other", *WORDS[end:]]
    assert contamination(" ".join(others), listed) == 0.0, "all but its last word"


def test_characters_that_count_as_parts_of_a_word_are_looked_for_too():
    # Two characters of Han make a word: 10 make 5 words, 9 do not.
    text = "".join(chr(0x4E00 + at) for at in range(60))

    assert contamination(text, known(text[20:30])) > 0
    assert contamination(f"{text[:29]} other", known(text[20:30])) == 0.0
    assert known(text[20:30]).whole == known(text[20:29]).missed == 1
    # Of the 35 runs of 26 characters those that begin at characters 4 to 20 hold it.
    assert contamination(text, known(text[20:30])) == round(17 / 35, 4)


def test_texts_add_up():
    parts = [" ".join(WORDS[:5]), " ".join(WORDS[20:25]), " ".join(WORDS[:20]), "too short"]
    one, other = known(*parts[:2]), known(*parts[1:])

    both = one.joined(other)
    assert (both.texts, both.whole, both.missed) == (5, 3, 1)
    assert both.size == 2 + 8
    for text in (parts[0], parts[1], parts[2]):
        assert contamination(text, both) == 1.0


def test_without_evaluation_texts_nothing_is_shared():
    assert contamination(" ".join(WORDS), known()) == 0.0


def test_runs_are_distinct_and_ascending():
    listed = known(" ".join(WORDS), " ".join(WORDS[:20]))

    assert listed.size == 28
    assert np.all(np.diff(listed.runs[4 * 13]) > 0)
