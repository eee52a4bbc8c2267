import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.text import CapText, WordCount
from openm3w.filters.words import count_words
from openm3w.shards.document import Document, Text


def words(count):
    return " ".join(["word"] * count)


@pytest.mark.parametrize(
    ("count", "reason"),
    [
        (0, "too_few_words"),
        (9, "too_few_words"),
        (10, None),
        (100_000, None),
        (100_001, "too_many_words"),
    ],
)
def test_word_count_bounds_are_inclusive(count, reason, document):
    assert WordCount().keep(TextFacts.of(document(words(count)))).reason == reason


def test_words_are_counted_over_all_texts(document, picture):
    text = TextFacts.of(document("one two", picture(), "three four"))
    assert WordCount(min_words=4).keep(text)


def test_bounds_in_the_wrong_order_are_refused():
    with pytest.raises(ValueError, match="min_words"):
        WordCount(min_words=5, max_words=4)


@pytest.mark.parametrize(("count", "left"), [(999, 999), (1000, 1000), (1001, 1000)])
def test_a_paragraph_is_cut_at_its_cap(count, left, document):
    cut = CapText().apply(document(f"{words(count)}\n\nshort end"))
    first, last = cut.document.texts[0].split("\n\n")
    assert (count_words(first), last) == (left, "short end")


@pytest.mark.parametrize(("count", "left"), [(1999, 1999), (2000, 2000), (2001, 2000)])
def test_a_document_is_cut_at_its_cap(count, left, document):
    page = document(*[words(500)] * 3, words(count - 1500))
    (text,) = CapText().apply(page).document.texts
    assert count_words(text) == left


def test_what_comes_after_the_cut_falls_away_with_its_images(document, picture):
    a, b, c = picture("a"), picture("b"), picture("c")
    page = document("one two", a, "three", b, "four five", c, "six")
    cut = CapText(max_document_words=4).apply(page)
    assert cut.document.spans == (
        Text(text="one two"),
        a,
        Text(text="three"),
        b,
        Text(text="four"),
    )
    assert cut.kept == (0, 1)


def test_an_image_right_after_the_last_whole_text_stays(document, picture):
    page = document("one two", picture("a"), "three", picture("b"))
    cut = CapText(max_document_words=2).apply(page)
    assert cut.document.texts == ("one two",)
    assert cut.kept == (0,)


def test_no_cap_leaves_a_document_as_it_is(document, picture):
    page = document(f"{words(3000)}\n \nend", picture(), "tail")
    assert CapText(max_paragraph_words=0, max_document_words=0).apply(page).document == page


def test_a_negative_cap_is_refused():
    with pytest.raises(ValueError, match="max_paragraph_words"):
        CapText(max_paragraph_words=-1)


@given(
    st.lists(st.text(st.sampled_from("ab \n\u4e2d\u6587."))), st.integers(1, 6), st.integers(1, 6)
)
def test_a_capped_document_is_inside_its_caps(texts, paragraph, total):
    page = Document(doc_id="0", spans=tuple(Text(text=text) for text in texts))
    capped = CapText(max_paragraph_words=paragraph, max_document_words=total).apply(page).document
    assert sum(map(count_words, capped.texts)) <= total
    for text in capped.texts:
        assert all(count_words(part) <= paragraph for part in text.split("\n\n"))
