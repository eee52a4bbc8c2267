import numpy as np
import pytest

from openm3w.filters.dedup.contamination import contamination, known_ngrams

WORDS = [f"w{at}" for at in range(40)]


def known(*texts, words=13):
    return known_ngrams(texts, words)


@pytest.mark.parametrize(
    ("shared", "share"),
    # A text of 40 words has 28 runs of 13; n shared words in a row make n - 12 of them.
    [(12, 0.0), (13, round(1 / 28, 4)), (20, round(8 / 28, 4)), (40, 1.0)],
)
def test_the_share_of_runs_that_evaluation_texts_have(shared, share):
    listed = known(" ".join(["before", *WORDS[:shared], "after"]))

    assert contamination(" ".join(WORDS), 13, listed) == share


def test_case_and_punctuation_do_not_hide_a_text():
    listed = known(" ".join(WORDS))

    assert contamination(", ".join(WORDS).upper() + "!", 13, listed) == 1.0


def test_texts_of_fewer_words_have_no_runs():
    short = " ".join(WORDS[:12])

    assert known(short).size == 0
    assert contamination(short, 13, known(" ".join(WORDS))) == 0.0
    assert contamination(short, 12, known(short, words=12)) == 1.0


def test_without_evaluation_texts_nothing_is_shared():
    assert contamination(" ".join(WORDS), 13, known()) == 0.0


def test_runs_are_distinct_and_ascending():
    listed = known(" ".join(WORDS), " ".join(WORDS[:20]))

    assert listed.size == 28
    assert np.all(np.diff(listed) > 0)
