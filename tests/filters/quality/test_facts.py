import pytest

from openm3w.filters.quality.facts import (
    TextFacts,
    count_sentences,
    ends_sentence,
    repeated,
    split_words,
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("One, two (three).", ["One", ",", "two", "(", "three", ")."]),
        ("It's theirs\u2019.", ["It", "'s", "theirs", "\u2019."]),
        ("3.5 at 10:30, COVID-19 1/2", ["3.5", "at", "10:30", ",", "COVID-19", "1/2"]),
        ("well-known", ["well", "-", "known"]),
        ("a@example.org", ["a@example.org"]),
        ("Wait... what?!", ["Wait", "...", "what", "?!"]),
        ("\u2022 Gr\u00fc\u00dfe #tag", ["\u2022", "Gr\u00fc\u00dfe", "#", "tag"]),
        (
            "\u4f60\u597d\u4e16\u754c\u554a, ok",
            ["\u4f60\u597d", "\u4e16\u754c", "\u554a", ",", "ok"],
        ),
        (" \n ", []),
    ],
)
def test_words_are_those_of_a_tokenizer(text, words):
    assert split_words(text) == words


def test_lines_and_paragraphs_leave_white_space_out():
    text = TextFacts("one\n two \n\n \nthree\n\n\n\nfour\n")
    assert text.lines == ["one", "two", "three", "four"]
    assert text.paragraphs == ["one\n two", "three", "four"]


def test_words_are_counted_by_what_they_hold():
    kinds = TextFacts("four 22 ... x1 - four").kinds
    assert (kinds.spoken, kinds.alphabetic) == (4, 3)
    assert kinds.mean_length == 12 / 4


def test_nothing_is_told_of_an_empty_text():
    text = TextFacts("")
    assert (text.lines, text.paragraphs, text.words, text.sentences) == ([], [], [], 0)
    assert text.kinds.mean_length == 0
    assert (text.share(0), text.share(1)) == (0, 1)


def test_other_words_and_sentences_may_be_given():
    text = TextFacts("a b", words=["ab", "ab"], sentences=7)
    assert (text.counts["ab"], text.kinds.spoken, text.sentences) == (2, 2, 7)


def test_texts_of_a_document_stand_a_blank_line_apart(document, picture):
    assert TextFacts.of(document("one", picture(), "two")).paragraphs == ["one", "two"]


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        ("One. Two! Three?", 3),
        ("One. Two", 2),
        ("No end", 1),
        ('He said "no." Then he went.', 2),
        ("Version 3.5 is out.", 1),
        ("Well... maybe.", 2),
        ("\u4f60\u597d\u3002\u4e16\u754c\u3002", 2),
    ],
)
def test_sentences_end_at_a_full_stop_before_white_space(line, sentences):
    assert count_sentences(line) == sentences


@pytest.mark.parametrize(
    ("line", "ended"),
    [
        ("A.", True),
        ("A!", True),
        ("\u4f60\u3002", True),
        ("A:", False),
        ('A."', False),
        ("", False),
    ],
)
def test_a_line_ends_a_sentence_by_its_last_character(line, ended):
    assert ends_sentence(line) is ended


def test_repeated_parts_count_from_the_second_on():
    assert repeated(["ab", "c", "ab", "ab", "d"]) == (2, 4)
    assert repeated([]) == (0, 0)
