import pytest

from openm3w.filters.dedup.exact import latest_first, name_of, text_key


@pytest.mark.parametrize("other", [["A  b", "c"], ["a", "b", "C"], ["a\nB c"], ["", "a b c "]])
def test_the_words_alone_make_a_texts_key(other):
    assert text_key(["a b c"]) == text_key(other)
    assert len(text_key(other)) == 32


def test_another_word_or_stop_makes_another_key():
    assert len({text_key([text]) for text in ("a b c", "a b", "a bc", "a b c.", "")}) == 5


def test_the_latest_capture_sorts_first_and_an_undated_one_last():
    captures = [
        ("2024-12-31T23:59:59Z", "f"),
        ("2024-12-31T23:59:59Z", "g"),
        ("2024-12-31T23:59:58Z", "a"),
        ("2023-12-31T23:59:59Z", "b"),
        ("1999-01-01T00:00:00Z", "c"),
        ("", "a"),
        ("", "b"),
    ]

    captures.reverse()
    assert sorted(captures, key=lambda capture: latest_first(*capture)) == captures[::-1]
    assert [name_of(latest_first(*capture)) for capture in captures] == list("bacbagf")


def test_a_fraction_of_a_second_is_later_than_none():
    exact, later = "2024-01-01T00:00:00Z", "2024-01-01T00:00:00.5Z"

    assert latest_first(later, "b") < latest_first(exact, "a")
