import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.filters.dedup.paragraphs import (
    paragraph_key,
    paragraph_keys,
    paragraphs,
    without_paragraphs,
)
from openm3w.shards.document import Document, Image, Text

URL = "https://www.example.co.uk/a"


def test_blank_lines_part_paragraphs():
    assert paragraphs("one\ntwo\n\nthree\n\n \n\n") == ["one\ntwo", "three"]


def test_paragraphs_are_numbered_over_all_texts():
    found = list(paragraph_keys(URL, ["a\n\nb", "", "\n\n", "a"]))

    assert [number for number, _ in found] == [0, 1, 2]
    assert found[0][1] == found[2][1] != found[1][1]


PICTURE = Image(url="http://example.org/i.png")
DOCUMENT = Document(
    doc_id="d", spans=(Text(text="a\n\nb"), PICTURE, Text(text=" \n\nc\n\n\n\nd "), PICTURE)
)


@pytest.mark.parametrize(
    ("numbers", "spans"),
    [
        ((), DOCUMENT.spans),
        ((9,), DOCUMENT.spans),  # there are four
        ((1,), (Text(text="a"), *DOCUMENT.spans[1:])),
        ((0, 1), DOCUMENT.spans[1:]),
        ((0, 1, 2), (PICTURE, Text(text="d "), PICTURE)),
        ((3,), (*DOCUMENT.spans[:2], Text(text="c"), PICTURE)),
        ((0, 1, 2, 3), (PICTURE, PICTURE)),
    ],
)
def test_paragraphs_are_taken_out_by_their_numbers(numbers, spans):
    assert without_paragraphs(DOCUMENT, numbers).spans == spans


@given(
    st.lists(st.lists(st.sampled_from(["x", "y y", "z", "", " "])).map("\n\n".join), max_size=4),
    st.sets(st.integers(0, 9)),
)
def test_what_is_left_are_the_paragraphs_of_the_other_numbers(texts, numbers):
    before = list(paragraph_keys(URL, texts))
    document = Document(doc_id="d", spans=tuple(Text(text=text) for text in texts))

    left = without_paragraphs(document, numbers)

    kept = [key for number, key in before if number not in numbers]
    assert [key for _, key in paragraph_keys(URL, left.texts)] == kept


def test_one_domain_has_one_key_whatever_the_host_case_or_spacing():
    (one,) = paragraph_keys(URL, ["Share  THIS page"])
    (other,) = paragraph_keys("http://news.example.co.uk/b?c", ["share this\npage"])

    assert one == other
    assert len(one[1]) == 16


def test_another_domain_or_word_makes_another_key():
    (one,) = paragraph_keys(URL, ["share this page"])
    (elsewhere,) = paragraph_keys("https://example.org/a", ["share this page"])
    (reworded,) = paragraph_keys(URL, ["share that page"])

    assert len({one[1], elsewhere[1], reworded[1]}) == 3
    assert paragraph_key("a.org", "b") != paragraph_key("a.orgb", "")
