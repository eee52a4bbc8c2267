import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.errors import InputError
from openm3w.shards.catalog.query import Query, Range


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", Query()),
        ("  red   tram ", Query(words=("red", "tram"))),
        ('"red tram" don\'t', Query(words=("red tram", "don't"))),
        ("lang:en Kind:caption", Query(language="en", kind="caption")),
        ("site:example.org", Query(domain="example.org")),
        ('dropped:"too few" key:4f', Query(dropped="too few", key="4f")),
        ("images:2..", Query(ranges=(("images", Range(low=2)),))),
        ("similarity:..0.4", Query(ranges=(("similarity", Range(high=0.4)),))),
        ("similarity:-.2..1e-1", Query(ranges=(("similarity", Range(low=-0.2, high=0.1)),))),
        ("images:3", Query(ranges=(("images", Range(low=3, high=3)),))),
        ("width:..", Query(ranges=(("width", Range()),))),
        ("https://example.org/a", Query(words=("https://example.org/a",))),
        ("tram -red --", Query(words=("tram", "--"), without=("red",))),
        (":colon first", Query(words=(":colon", "first"))),
    ],
)
def test_what_is_typed(text, found):
    assert Query.parse(text) == found
    assert Query.parse(str(found)) == found
    assert bool(found) == bool(text.strip())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('"red tram', "a quote is not closed"),
        ("langage:en", "did you mean 'language'?"),
        ("similarity:high", "no number or range such as 0.2..0.4"),
        ("image:two", "did you mean 'images'?"),
        ("images:two", "is no number or range of images; write images:2.. or images:2..5"),
        ("-lang:en", "only words can be left out by a -"),
        ("images:3..2", "the range ends before it begins"),
    ],
)
def test_what_cannot_be_meant_is_said(text, said):
    with pytest.raises(InputError, match=said.replace("?", r"\?")):
        Query.parse(text)


@given(st.text(st.characters(exclude_characters='"'), max_size=30))
def test_any_text_is_a_query_or_a_clear_error(text):
    try:
        found = Query.parse(text)
    except InputError:
        return
    assert Query.parse(str(found)) == found


def test_a_range_says_its_ends():
    assert str(Range(low=1, high=math.inf)) == "1.."
    assert str(Range(low=0.5, high=0.5)) == "0.5"
