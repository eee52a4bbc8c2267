import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.filters.url_tokens import url_tokens


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://www.sussex.ac.uk/", {"www", "sussex", "ac", "uk"}),
        ("http://a.example/Essex", {"a", "example", "essex"}),
        ("http://a.example/freeSexPictures", {"a", "example", "free", "sex", "pictures"}),
        ("http://a.example/XXXVideos", {"a", "example", "xxx", "videos"}),
        ("http://a.example/PDF", {"a", "example", "pdf"}),
        ("http://a.example/sex2024_best-of", {"a", "example", "sex", "best", "of"}),
        ("http://a.example/%73ex?q=Caf%C3%A9#top", {"a", "example", "sex", "q", "café", "top"}),
        # Capitals of a host say nothing.
        ("http://EsSex.Example/", {"essex", "example"}),
        ("http://a.example/МирКино", {"a", "example", "миркино"}),
        ("http://[half", {"http", "half"}),
        ("", set()),
    ],
)
def test_words_end_at_what_is_no_letter_and_at_humps(url, words):
    assert url_tokens(url) == words


@given(st.text())
def test_any_text_has_words_and_none_raises(text):
    words = url_tokens(f"http://a.example/{text}")
    assert {"a", "example"} <= words
    assert not any(mark in word for word in words for mark in " /-_0")
