import random
import string

import pytest

from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.quality.obelics import (
    Obelics,
    ObelicsParagraphs,
    repeated_characters,
    repeated_words,
)
from openm3w.shards.document import Document, Text

OFF = {
    "min_words": 0,
    "max_words": 10_000,
    "max_repeated_characters": 1.0,
    "max_repeated_words": 1.0,
    "max_special_characters": 1.0,
    "min_stop_words": 0.0,
    "max_flagged_words": 1.0,
    "min_punctuation": 0.0,
}


def only(cls, *names, **more):
    """The rule with its published bounds of these names and none of the others."""
    return cls(**{name: bound for name, bound in OFF.items() if name not in names}, **more)


def different(number, length=5):
    """Words that share no longer sequence of letters."""
    draw = random.Random(number)
    return ["".join(draw.choices("bcdfghjklmnpqrstvwxz", k=length)) for _ in range(number)]


def reason(text, rule=None):
    return (rule or Obelics()).keep(TextFacts(text)).reason


def stays(paragraph, rule=None):
    page = Document(doc_id="0", spans=(Text(text=paragraph),))
    cut = (rule or ObelicsParagraphs()).apply(page)
    assert cut.document.scores == ({} if cut.document.texts else {"obelics_paragraphs_removed": 1})
    return cut.document.texts == (paragraph,)


PROSE = (
    "It was late in the year when the boat came back from the islands, and nobody had thought that "
    "it would. The men who stood at the harbour took off their caps, as one does for the dead."
)


def test_prose_is_kept():
    assert reason(PROSE) is None
    assert stays(PROSE)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (9, "obelics_too_few_words"),
        (10, None),
        (2000, None),
        (2001, "obelics_too_many_words"),
    ],
)
def test_a_document_has_10_to_2000_words(words, expected):
    rule = only(Obelics, "min_words", "max_words")
    assert reason(" ".join(different(words)), rule) == expected


@pytest.mark.parametrize(("words", "left"), [(3, False), (4, True), (1000, True), (1001, False)])
def test_a_paragraph_has_4_to_1000_words(words, left):
    rule = only(ObelicsParagraphs, "min_words", "max_words")
    assert stays(" ".join(different(words)), rule) is left


def test_runs_without_a_letter_are_no_words():
    rule = only(Obelics, "min_words")
    ten = "a1 (b) c's d- 'e' f. g-h i 2024 --- : j k"
    assert reason(ten, rule) is None
    assert reason(ten.replace("k", "1"), rule) == "obelics_too_few_words"


@pytest.mark.parametrize(
    ("cls", "stops"),
    [(Obelics, 35), (ObelicsParagraphs, 30)],
)
def test_stop_words_are_35_of_100_or_30_in_a_paragraph(cls, stops):
    rule = only(cls, "min_stop_words")
    for number, kept in ((stops, True), (stops - 1, False)):
        text = " ".join([*["With", "it\u2019s"] * 50][:number] + different(100 - number))
        if cls is Obelics:
            assert reason(text, rule) == (None if kept else "obelics_few_stop_words")
        else:
            assert stays(text, rule) is kept


@pytest.mark.parametrize(("cls", "signs"), [(Obelics, 275), (ObelicsParagraphs, 300)])
def test_characters_that_are_no_letters_are_275_of_1000_or_300_in_a_paragraph(cls, signs):
    rule = only(cls, "max_special_characters")
    for number, kept in ((signs, True), (signs + 1, False)):
        others = (" 7,\U0001f600-" * 100)[1 : number + 1]
        text = "a" + others + "\u00e9" * (999 - number)
        assert len(text) == 1000
        if cls is Obelics:
            assert reason(text, rule) == (None if kept else "obelics_special_characters")
        else:
            assert stays(text, rule) is kept


@pytest.mark.parametrize(("marks", "expected"), [(3, None), (2, "obelics_little_punctuation")])
def test_3_of_100_words_and_marks_are_marks(marks, expected):
    rule = only(Obelics, "min_punctuation")
    for mark in ",;:?!.":
        assert reason(" ".join(different(100 - marks)) + mark * marks, rule) == expected


@pytest.mark.parametrize(("words", "left"), [(11, True), (12, False)])
def test_a_paragraph_of_12_words_has_a_mark(words, left):
    rule = only(ObelicsParagraphs, "min_punctuation")
    assert stays(" ".join(different(words)), rule) is left
    assert stays(" ".join(different(words)) + ".", rule)


@pytest.mark.parametrize(("flagged", "expected"), [(1, None), (2, "obelics_flagged_words")])
def test_one_word_of_100_may_be_flagged(flagged, expected):
    text = " ".join([*different(100 - flagged), *["Rude"] * flagged])
    assert reason(text, only(Obelics, "max_flagged_words", flagged_words=("rude",))) == expected
    assert reason(text, only(Obelics, "max_flagged_words")) is None


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("a b c d e", 0),
        ("a b c d", 0),
        ("", 0),
        ("a b c d e a b c d e", 2 / 6),  # of six sequences, the first and the last
        ("a a a a a a", 1),
    ],
)
def test_sequences_of_words_that_stand_twice(text, share):
    assert repeated_words(text.split()) == share


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("abcdefghij", 0),
        ("abc", 0),
        ("", 0),
        ("aaaaaaaaaaaa", 1),  # one sequence, three times
        # 20 sequences, 19 different: one stands twice, and is among the four commonest.
        ("abcdefghij" + "klmnopqrs" + "abcdefghij", 2 / 20),
        # Two stand twice: both are among the four commonest of 19.
        ("abcdefghijk" + "lmnopqrst" + "abcdefghijk", 4 / 22),
    ],
)
def test_the_commonest_sequences_of_characters(text, share):
    assert repeated_characters(text) == pytest.approx(share)


def test_the_commonest_are_as_many_as_the_root_of_all_different_ones():
    once = "".join(map(chr, range(0x100, 0x100 + 46)))
    twice = string.ascii_letters[:19]  # ten sequences, each twice
    text = f"{twice}{once}{twice}"
    different_ones = len({text[at : at + 10] for at in range(len(text) - 9)})
    assert int(different_ones**0.5) == 8
    assert repeated_characters(text) == 16 / (len(text) - 9)


@pytest.mark.parametrize(("cls", "sequences"), [(Obelics, 20), (ObelicsParagraphs, 10)])
def test_sequences_of_words_that_stand_twice_are_20_of_100_or_10_in_a_paragraph(cls, sequences):
    # 104 words are 100 sequences; n + 4 words that stand twice are n sequences, twice.
    rule = only(cls, "max_repeated_words")
    for twice, kept in ((sequences // 2, True), (sequences // 2 + 1, False)):
        again = different(twice + 4, 6)
        text = " ".join([*again, *different(104 - 2 * len(again)), *again])
        if cls is Obelics:
            assert reason(text, rule) == (None if kept else "obelics_repeated_words")
        else:
            assert stays(text, rule) is kept


def test_the_commonest_sequences_of_characters_are_a_tenth_at_most():
    once = "".join(map(chr, range(0x100, 0x100 + 100)))
    for cls in (Obelics, ObelicsParagraphs):
        rule = only(cls, "max_repeated_characters")
        for times, kept in ((1, True), (2, True), (20, False)):
            text = f"{once}{'abcdefghij' * times}"
            assert (repeated_characters(text) <= 0.1) is kept
            if cls is Obelics:
                assert reason(text, rule) == (None if kept else "obelics_repeated_characters")
            else:
                assert stays(text, rule) is kept


def test_paragraphs_are_removed_one_by_one_and_images_stay(document, picture):
    good = PROSE
    page = document(f"Menu\n\n{good}\n\nShare", picture("a"), "Next", picture("b"), good)
    cut = ObelicsParagraphs().apply(page)
    assert cut.document.texts == (good, good)
    assert cut.kept == (0, 1)
    assert cut.document.scores == {"obelics_paragraphs_removed": 3}


def test_bounds_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="min_words 5"):
        Obelics(min_words=5, max_words=4)
    with pytest.raises(ValueError, match="min_stop_words is 2"):
        ObelicsParagraphs(min_stop_words=2)
