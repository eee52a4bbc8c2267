import dataclasses

import pytest

from openm3w.filters.quality.gopher import GopherQuality
from openm3w.filters.quality.gopher_repetition import GopherRepetition

STOPS = ["the", "and"]
QUALITY = GopherQuality()


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (0, "gopher_too_few_words"),
        (49, "gopher_too_few_words"),
        (50, None),
        (100_000, None),
        (100_001, "gopher_too_many_words"),
    ],
)
def test_the_number_of_words_is_from_50_to_100_000(count, reason, facts, filler):
    words = [*STOPS, *filler(count)][:count]
    assert QUALITY.keep(facts(" ".join(words))).reason == reason


def test_signs_are_no_words_of_that_number(facts, filler):
    assert QUALITY.keep(facts(" , ".join([*STOPS, *filler(47)]))).reason == "gopher_too_few_words"


@pytest.mark.parametrize(
    ("length", "odd", "reason"),
    [
        (3, "it", "gopher_short_mean_word"),
        (3, "its", None),
        (10, "x" * 24, None),  # 47 words of 10, two of 3, one of 24: 10 on average
        (10, "x" * 25, "gopher_long_mean_word"),
    ],
)
def test_words_have_3_to_10_letters_on_average(length, odd, reason, facts, filler):
    words = [*STOPS, *filler(47, length), odd]
    assert QUALITY.keep(facts(" ".join(words))).reason == reason


@pytest.mark.parametrize(
    ("sign", "reason"),
    [
        ("#", "gopher_too_many_hashes"),
        ("...", "gopher_too_many_ellipses"),
        ("\u2026", "gopher_too_many_ellipses"),
    ],
)
def test_a_tenth_of_the_words_may_be_hashes_or_ellipses(sign, reason, facts, filler):
    for signs, expected in ((10, None), (11, reason)):
        words = [*STOPS, *[sign] * signs, *filler(98 - signs)]
        assert QUALITY.keep(facts(" ".join(words))).reason == expected


@pytest.mark.parametrize(("bullets", "reason"), [(9, None), (10, "gopher_bullet_lines")])
@pytest.mark.parametrize("sign", ["\u2022", "-"])
def test_nine_lines_of_ten_may_have_a_bullet(bullets, reason, sign, facts, filler):
    lines = [f"{sign} the and {' '.join(filler(10))}"] * bullets
    lines += ["the and so on"] * (10 - bullets)
    assert QUALITY.keep(facts("\n\n".join(lines))).reason == reason


@pytest.mark.parametrize(("open_lines", "reason"), [(3, None), (4, "gopher_ellipsis_lines")])
@pytest.mark.parametrize("sign", ["...", "\u2026"])
def test_three_lines_of_ten_may_end_with_an_ellipsis(open_lines, reason, sign, facts, filler):
    line = f"the and {' '.join(filler(10))}"
    lines = [line + sign] * open_lines + [line] * (10 - open_lines)
    assert QUALITY.keep(facts("\n".join(lines))).reason == reason


@pytest.mark.parametrize(("numbers", "reason"), [(20, None), (21, "gopher_few_alphabetic_words")])
def test_four_words_of_five_have_a_letter(numbers, reason, facts, filler):
    words = [*STOPS, *filler(98 - numbers), *map(str, range(1000, 1000 + numbers))]
    assert QUALITY.keep(facts(" ".join(words))).reason == reason


@pytest.mark.parametrize(
    ("stops", "reason"),
    [
        ("the and", None),
        ("be to", None),
        ("of that", None),
        ("have with", None),
        ("the the", "gopher_few_stop_words"),
        ("the", "gopher_few_stop_words"),
        ("The And", "gopher_few_stop_words"),
        ("", "gopher_few_stop_words"),
    ],
)
def test_two_different_stop_words_are_there(stops, reason, facts, filler):
    assert QUALITY.keep(facts(f"{stops} {' '.join(filler(60))}")).reason == reason


def test_stop_words_of_another_language_can_be_named(facts, filler):
    german = GopherQuality(stop_words=("der", "und", "die"))
    assert german.keep(facts(f"der und {' '.join(filler(60))}"))


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"min_words": 9, "max_words": 8}, "min_words 9"),
        ({"min_mean_word_length": -1.0}, "min_mean_word_length"),
        ({"max_bullet_lines": 1.1}, "max_bullet_lines is 1.1"),
        ({"min_stop_words": 9}, "stop_words has 8"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(bounds, message):
    with pytest.raises(ValueError, match=message):
        GopherQuality(**bounds)


def only(name):
    """The rule with its published bound of this name and none of the others."""
    others = {f.name: 1.0 for f in dataclasses.fields(GopherRepetition) if f.name != name}
    return GopherRepetition(**others)


def padded(text, size, filler):
    """`text` with different words after it, of so many characters in all."""
    return f"{text} {' '.join(filler(size))}"[: size - 1] + "z"


def test_the_published_bounds():
    assert dataclasses.asdict(GopherRepetition()) == {
        "max_repeated_lines": 0.30,
        "max_repeated_paragraphs": 0.30,
        "max_repeated_line_characters": 0.20,
        "max_repeated_paragraph_characters": 0.20,
        "max_top_2_gram": 0.20,
        "max_top_3_gram": 0.18,
        "max_top_4_gram": 0.16,
        "max_repeated_5_grams": 0.15,
        "max_repeated_6_grams": 0.14,
        "max_repeated_7_grams": 0.13,
        "max_repeated_8_grams": 0.12,
        "max_repeated_9_grams": 0.11,
        "max_repeated_10_grams": 0.10,
    }


@pytest.mark.parametrize(
    ("name", "gap", "reason"),
    [
        ("max_repeated_lines", "\n", "gopher_repeated_lines"),
        ("max_repeated_paragraphs", "\n\n", "gopher_repeated_paragraphs"),
    ],
)
def test_three_lines_or_paragraphs_of_ten_may_stand_again(name, gap, reason, facts, filler):
    for again, expected in ((3, None), (4, reason)):
        parts = [*filler(10 - again), *filler(1) * again]
        assert only(name).keep(facts(gap.join(parts))).reason == expected


@pytest.mark.parametrize(
    ("name", "gap", "reason"),
    [
        ("max_repeated_line_characters", "\n", "gopher_repeated_line_characters"),
        ("max_repeated_paragraph_characters", "\n\n", "gopher_repeated_paragraph_characters"),
    ],
)
def test_a_fifth_of_the_characters_may_stand_again(name, gap, reason, facts, filler):
    part = "x" * 20
    text = padded(f"{part}{gap}{part}{gap}", 100, filler)
    assert len(text) == 100
    assert only(name).keep(facts(text)).reason is None
    assert only(name).keep(facts(text[:-1])).reason == reason


@pytest.mark.parametrize(("n", "share"), [(2, 20), (3, 18), (4, 16)])
def test_the_commonest_sequence_takes_a_bounded_share(n, share, facts, filler):
    # In 1,000 characters: five times one sequence of n words, of 2 * share characters.
    sequence = " ".join("q" * n for _ in range(n - 1))
    sequence += " " + "p" * (2 * share - len(sequence) - 1)
    breaks = filler(5, 3)
    text = padded(" ".join(f"{sequence} {word}" for word in breaks), 1000, filler)
    rule = only(f"max_top_{n}_gram")
    assert rule.keep(facts(text)).reason is None
    assert rule.keep(facts(text[:-1])).reason == "gopher_top_sequence"


@pytest.mark.parametrize(("n", "share"), [(5, 15), (6, 14), (7, 13), (8, 12), (9, 11), (10, 10)])
def test_sequences_that_stood_before_take_a_bounded_share(n, share, facts, filler):
    # In 1,000 characters: one sequence of n words and 10 * share letters, twice.
    words = filler(n - 1, 4)
    words.append("p" * (10 * share - 4 * (n - 1)))
    text = padded(" ".join([*words, "zz", *words]), 1000, filler)
    rule = only(f"max_repeated_{n}_grams")
    assert rule.keep(facts(text)).reason is None
    assert rule.keep(facts(text[:-1])).reason == "gopher_repeated_sequences"


def test_different_words_are_no_repetition(facts, filler):
    assert GopherRepetition().keep(facts(" ".join(filler(500))))
    assert GopherRepetition().keep(facts(""))


def test_a_share_above_one_is_refused():
    with pytest.raises(ValueError, match="max_top_2_gram is 2"):
        GopherRepetition(max_top_2_gram=2)
