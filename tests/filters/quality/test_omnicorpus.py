import pytest

from openm3w.filters.quality.omnicorpus import OmniCorpus, OmniCorpusImages, OmniCorpusParagraphs

STOPS = ["the", "and"]
RULE = OmniCorpus()


@pytest.mark.parametrize(
    ("paragraph", "left"),
    [
        ("one two three four", False),
        ("one two three four five", True),
        ("ABCD EFGH IJKL MNOP qrst", True),  # 16 of 20
        ("ABCD EFGH IJKL MNOP Qrst", False),
        ("1234 5678 1234 5678 1234 56 ab", True),
        ("12345678901234567890123456789012345 a b c d", False),
        ("1234567890123456 a b c d", True),
        ("\u4f60\u597d\u4e16\u754c\u4f60\u597d\u4e16\u754c\u4f60", True),
        ("\u4f60\u597d\u4e16\u754c\u4f60\u597d\u4e16\u754c", False),
    ],
)
def test_which_paragraphs_stay(paragraph, left, document, picture):
    good = "This is a good paragraph of text."
    page = document(f"{good}\n\n{paragraph}", picture(), good)
    cut = OmniCorpusParagraphs().apply(page)
    assert cut.document.texts == ((page.texts[0] if left else good), good)
    assert cut.document.scores.get("omnicorpus_paragraphs_removed", 0) == (0 if left else 1)
    assert cut.kept == (0,)


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (49, "omnicorpus_too_few_words"),
        (50, None),
        (100_000, None),
        (100_001, "omnicorpus_too_many_words"),
    ],
)
def test_the_number_of_words_is_from_50_to_100_000(count, reason, facts, filler):
    assert RULE.keep(facts(" ".join([*STOPS, *filler(count - 2)]))).reason == reason


@pytest.mark.parametrize(
    ("length", "odd", "reason"),
    [
        (3, "it", "omnicorpus_mean_word"),
        (3, "its", None),
        (10, "x" * 24, None),
        (10, "x" * 25, "omnicorpus_mean_word"),
    ],
)
def test_words_have_3_to_10_letters_on_average(length, odd, reason, facts, filler):
    assert RULE.keep(facts(" ".join([*STOPS, *filler(47, length), odd]))).reason == reason


@pytest.mark.parametrize(
    ("numbers", "reason"), [(19, None), (20, "omnicorpus_few_alphabetic_words")]
)
def test_more_than_four_words_of_five_have_a_letter(numbers, reason, facts, filler):
    words = [*STOPS, *filler(98 - numbers), *map(str, range(1000, 1000 + numbers))]
    assert RULE.keep(facts(" ".join(words))).reason == reason


@pytest.mark.parametrize(
    ("stops", "reason"),
    [
        ("the the", None),
        ("is am", None),
        ("the", "omnicorpus_few_stop_words"),
        ("be so", "omnicorpus_few_stop_words"),
    ],
)
def test_stop_words_stand_there_twice(stops, reason, facts, filler):
    assert RULE.keep(facts(f"{stops} {' '.join(filler(60))}")).reason == reason


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ([12] * 5, None),
        ([11, *[12] * 4], "omnicorpus_short_paragraphs"),
        ([34, *[2] * 10], "omnicorpus_short_paragraphs"),
        ([35, *[2] * 10], None),
    ],
)
def test_one_paragraph_is_long_or_all_are_not_short(sizes, reason, facts, filler):
    words = iter([*STOPS, *filler(sum(sizes))])
    text = "\n\n".join(" ".join(next(words) for _ in range(size)) for size in sizes)
    assert RULE.keep(facts(text)).reason == reason


@pytest.mark.parametrize(
    ("images", "words", "reason"),
    [
        (2, 0, None),
        (3, 149, "omnicorpus_little_text_per_image"),
        (3, 150, None),
    ],
)
def test_three_images_or_more_have_50_words_each(images, words, reason, document, picture):
    page = document(*[picture() for _ in range(images)], "word " * words)
    assert OmniCorpusImages().keep(page).reason == reason


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OmniCorpus(min_words=9, max_words=8), "min_words 9"),
        (lambda: OmniCorpusParagraphs(max_digits=2), "max_digits is 2"),
        (lambda: OmniCorpusParagraphs(min_words=-1), "min_words is -1"),
        (lambda: OmniCorpusImages(few_images=-1), "few_images"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
