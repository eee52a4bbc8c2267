import math

import pytest

from openm3w.errors import RecipeError
from openm3w.filters.caption_profile import CaptionProfile, CaptionRules, load_caption_profile
from openm3w.filters.captions import (
    SCORES,
    CaptionLanguage,
    CaptionPair,
    CaptionScores,
    CaptionText,
    DuplicatePair,
    RepeatedCaption,
)
from openm3w.filters.images.copies import EvaluationImages
from openm3w.filters.limits import judge
from openm3w.filters.profiles import load_profile


def reason(rule, **about):
    return rule.keep(CaptionPair(**{"caption": "some words", **about})).reason


@pytest.mark.parametrize(
    ("length", "expected"),
    [(4, "short_caption"), (5, None), (1000, None), (1001, "long_caption")],
)
def test_bounds_on_characters_are_inclusive(length, expected):
    assert reason(CaptionText(), caption="x" * length) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [(2, "few_caption_words"), (3, None), (256, None), (257, "many_caption_words")],
)
def test_bounds_on_words_are_inclusive(words, expected):
    rule = CaptionText(max_characters=0, min_words=3, max_words=256)
    assert reason(rule, caption=" ".join(["word"] * words)) == expected


def test_zero_is_no_bound():
    rule = CaptionText(min_characters=0, max_characters=0)
    assert reason(rule, caption="") is None
    assert reason(rule, caption="word " * 5000) is None


@pytest.mark.parametrize("rule", [CaptionText(min_words=2, max_words=3), RepeatedCaption()])
@pytest.mark.parametrize("caption", ["", "one", "one two", "one two three four", "x" * 2000])
@pytest.mark.parametrize("occurrences", [1, 10, 11])
def test_numbers_against_limits_are_the_verdict(rule, caption, occurrences):
    pair = CaptionPair(caption=caption, occurrences=occurrences)
    assert judge(rule.limits(), rule.measure(pair)) == rule.keep(pair)


@pytest.mark.parametrize(
    ("name", "inside", "outside", "expected"),
    [
        ("similarity_b32", 0.5, 0.499, "low_similarity"),
        ("similarity_l14", 0.5, 0.499, "low_similarity"),
        ("aesthetic", 0.5, 0.499, "low_aesthetic"),
        ("watermark", 0.5, 0.501, "watermark"),
        ("unsafe", 0.5, 0.501, "unsafe"),
        ("nsfw_opennsfw2", 0.5, 0.501, "unsafe"),
        ("nsfw_gantman", 0.5, 0.501, "unsafe"),
        ("nsfw_tag", 0.5, 0.501, "unsafe"),
    ],
)
def test_a_score_is_good_or_bad_and_its_bound_inclusive(name, inside, outside, expected):
    rule = CaptionScores(bounds={name: 0.5})
    assert reason(rule, scores={name: inside}) is None
    assert reason(rule, scores={name: outside}) == expected
    assert reason(rule, scores={name: math.nan}) == "no_score"
    assert reason(rule, scores={}) is None


def test_every_score_is_bounded_by_the_test_above():
    assert len(SCORES) == 8
    assert {score.reason for score in SCORES.values()} | {"no_score"} == CaptionScores.reasons


@pytest.mark.parametrize(
    ("language", "score", "expected"),
    [
        ("en", 0.2, None),
        ("en", 0.199, "uncertain_language"),
        ("de", 1.0, "wrong_language"),
        ("", 0.0, "wrong_language"),
        ("en", math.nan, "uncertain_language"),
    ],
)
def test_the_language_of_a_caption_is_wanted_and_sure_enough(language, score, expected):
    rule = CaptionLanguage(languages=("en", "fr"), min_score=0.2)
    assert reason(rule, language=language, language_score=score) == expected
    anything = CaptionLanguage(languages=(), min_score=0.2)
    assert reason(anything, language=language, language_score=score) is None


def test_a_profile_names_languages_or_any():
    assert CaptionProfile().language_filters() == ()
    chosen = CaptionProfile(language="en, de", min_language_score=0.5)
    assert chosen.language_filters() == (CaptionLanguage(languages=("en", "de"), min_score=0.5),)


def test_a_caption_may_occur_ten_times():
    assert reason(RepeatedCaption(), occurrences=10) is None
    assert reason(RepeatedCaption(), occurrences=11) == "repeated_caption"


def test_of_equal_pairs_the_first_stays():
    assert reason(DuplicatePair(), is_first=True) is None
    assert reason(DuplicatePair(), is_first=False) == "duplicate_pair"


@pytest.mark.parametrize(
    ("rule", "values"),
    [
        (CaptionText, {"min_characters": 9, "max_characters": 8}),
        (CaptionText, {"min_words": -1}),
        (CaptionScores, {"bounds": {"beauty": 1.0}}),
        (CaptionScores, {"bounds": {"unsafe": math.nan}}),
        (RepeatedCaption, {"max_occurrences": 0}),
        (CaptionRules, {"max_occurrences": -1}),
        (CaptionProfile, {"scores": {"beauty": 1.0}}),
        (CaptionProfile, {"language": "english"}),
        (CaptionProfile, {"language": "en", "min_language_score": 1.5}),
        (CaptionProfile, {"min_language_score": 1.5}),
    ],
)
def test_bounds_without_sense_are_refused(rule, values):
    with pytest.raises(ValueError, match=r"expected|no score"):
        rule(**values)


def test_laion_is_as_published():
    profile = load_caption_profile("laion")
    assert profile.captions.text() == CaptionText(min_characters=5, max_characters=0)
    assert profile.scores == {"similarity_b32": 0.28}
    assert profile.images.min_crawled_bytes == 5000
    assert profile.corpus_filters() == ()


def test_coyo_is_as_published():
    profile = load_caption_profile("coyo")
    assert profile.captions.text() == CaptionText(
        min_characters=6, max_characters=1000, min_words=3, max_words=256
    )
    assert profile.scores == {"nsfw_opennsfw2": 0.5, "nsfw_gantman": 0.5}
    assert (profile.images.min_side, profile.images.max_aspect) == (200, 3.0)
    # Pictures whose perceptual hash is one of an evaluation set.
    assert profile.images.evaluation() == (EvaluationImages(distance=0),)
    assert profile.images.min_crawled_bytes == 5000
    assert profile.corpus_filters() == (RepeatedCaption(max_occurrences=10), DuplicatePair())


def test_datacomp_is_as_published():
    profile = load_caption_profile("datacomp")
    assert profile.captions.text() == CaptionText(min_characters=6, max_characters=0, min_words=3)
    assert (profile.images.min_side, profile.images.max_aspect) == (200, 3.0)
    assert profile.scores == {}
    assert profile.corpus_filters() == ()


def test_a_profile_of_the_other_kind_is_told():
    with pytest.raises(RecipeError, match="profile 'm3w' is for documents"):
        load_caption_profile("m3w")
    with pytest.raises(RecipeError, match="profile 'laion' is for captions"):
        load_profile("laion")
