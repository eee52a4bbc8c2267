from hypothesis import given
from hypothesis import strategies as st

from openm3w.filters.quality.repetition import repeated_characters, top_characters
from openm3w.filters.quality.sequences import count_characters

TOPS, REPEATS = (2, 3, 4), (5, 6, 7, 8, 9, 10)


@given(words=st.lists(st.sampled_from(["a", "bb", "ccc"]), max_size=60))
def test_all_lengths_at_once_are_as_each_for_itself(words):
    tops, repeats = count_characters(words, TOPS, REPEATS)
    assert tops == {n: top_characters(words, n) for n in TOPS}
    assert repeats == {n: repeated_characters(words, n) for n in REPEATS}


def test_the_first_of_equally_common_sequences_counts():
    tops, _ = count_characters(["aaa", "b", "c", "x", "c", "x", "aaa", "b"], (2, 3), (5,))
    assert tops == {2: len("aaa b") * 2, 3: len("aaa b c")}


class _Clash(str):
    """A word whose hash is that of all others of its kind."""

    __slots__ = ()
    __eq__ = str.__eq__

    def __hash__(self):
        return 7


def test_equal_hashes_of_different_words_change_nothing():
    clashing = [_Clash(word) for word in [*"abcdefgabhi"]]
    tops, repeats = count_characters(clashing, TOPS, REPEATS)
    plain = list(map(str, clashing))
    assert tops == {n: top_characters(plain, n) for n in TOPS}
    assert repeats == {n: repeated_characters(plain, n) for n in REPEATS}
