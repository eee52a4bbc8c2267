"""Languages of texts, long, short and empty."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.pipeline.extraction.language import detect_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The harbour was dredged for the first time\nin forty years.", "en"),
        ("Der Hafen wurde zum ersten Mal seit vierzig Jahren ausgebaggert.", "de"),
        ("THE HARBOUR WAS DREDGED FOR THE FIRST TIME IN FORTY YEARS", "en"),
        ("これは日本語で書かれた普通の文章です。", "ja"),
        ("تم تجريف الميناء لأول مرة منذ أربعين عاما", "ar"),
        ("港口四十年来首次疏浚。", "zh"),
    ],
)
def test_the_language_is_told_with_its_confidence(text: str, language: str) -> None:
    found, score = detect_language(text)
    assert found == language
    assert 0.5 < score <= 1.0


@pytest.mark.parametrize("text", ["", " \n\t", "1234 5678", "!?…", "https://news.example/a"])
def test_texts_without_letters_have_no_language(text: str) -> None:
    assert detect_language(text) == ("", 0.0)


def test_long_texts_are_judged_by_their_middle() -> None:
    middle = "Der Hafen wurde zum ersten Mal seit vierzig Jahren ausgebaggert. " * 200
    assert detect_language("All rights reserved. " * 5 + middle)[0] == "de"


@given(st.text(max_size=100))
def test_no_text_raises(text: str) -> None:
    language, score = detect_language(text)
    assert (language == "") == (score == 0.0)
