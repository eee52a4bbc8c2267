import pytest

from openm3w.filters.sentences import sentence_places


@pytest.mark.parametrize(
    ("text", "max_words", "sentences"),
    [
        ("One. Two! Three? Four", 0, ["One.", "Two!", "Three?", "Four"]),
        ("  One  two.   Three ", 0, ["One  two.", "Three"]),
        ("A line\n\nanother", 0, ["A line", "another"]),
        ("一二。三四！五", 0, ["一二。", "三四！", "五"]),
        ("a b c d e f g", 3, ["a b c", "d e f", "g"]),
        ("a b c. d", 3, ["a b c.", "d"]),
        ("", 0, []),
        (" \n ", 5, []),
    ],
)
def test_a_sentence_is_where_its_place_says(text, max_words, sentences):
    assert [text[start:end] for start, end in sentence_places(text, max_words)] == sentences
