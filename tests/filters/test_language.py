import pytest

from openm3w.filters.language import Language
from openm3w.filters.limits import judge


@pytest.mark.parametrize(
    ("language", "score", "reason"),
    [
        ("en", 1.0, None),
        ("en", 0.65, None),
        ("en", 0.6499, "uncertain_language"),
        ("de", 1.0, "wrong_language"),
        ("", 0.0, "wrong_language"),
    ],
)
def test_english_by_default_with_an_inclusive_score(language, score, reason, document):
    page = document("text", language=language, language_score=score)
    assert Language().keep(page).reason == reason
    assert judge(Language().limits(), Language().measure(page)).reason == reason


def test_several_languages_may_be_wanted(document):
    wanted = Language(languages=("en", "de"))
    assert wanted.keep(document("text", language="de"))
    assert not wanted.keep(document("text", language="fr"))


def test_no_languages_means_any_even_where_none_was_found(document):
    assert Language(languages=()).keep(document("text", language="", language_score=0.0))


@pytest.mark.parametrize("score", [-0.1, 1.1])
def test_a_score_outside_zero_to_one_is_refused(score):
    with pytest.raises(ValueError, match="min_score"):
        Language(min_score=score)
