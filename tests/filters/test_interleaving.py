import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.filters.interleaving import (
    HasImage,
    Interspersed,
    MaxImages,
    NumImages,
    SingleImage,
)
from openm3w.filters.limits import judge
from openm3w.shards.document import Document, Image, Text


def test_a_document_needs_an_image(document, picture):
    assert HasImage().keep(document(picture()))
    assert HasImage().keep(document("text")).reason == "no_image"


@pytest.mark.parametrize(
    ("layout", "interspersed"),
    [
        ("t i t", True),
        ("t i i t", True),
        ("i t i t", True),
        ("t i t i", True),
        ("t i", False),
        ("i t", False),
        ("i t i", False),
        ("i i", False),
        ("t t", False),
        ("t i _", False),
        ("_ i t", False),
        ("t _ i _ t", True),
        ("", False),
    ],
)
def test_interspersed_means_an_image_with_text_on_both_sides(
    layout, interspersed, document, picture
):
    spans = {"t": "text", "_": " \n", "i": picture()}
    page = document(*(spans[letter] for letter in layout.split()))
    reason = Interspersed().keep(page).reason
    assert reason == (None if interspersed else "not_interspersed")


def test_half_of_the_single_image_documents_stay(document, picture):
    pages = [document("a", picture(), "b", doc_id=f"{i:032x}") for i in range(2000)]
    kept = [bool(SingleImage().keep(page)) for page in pages]
    assert 0.46 < sum(kept) / len(kept) < 0.54
    assert kept == [bool(SingleImage().keep(page)) for page in pages]
    assert kept != [bool(SingleImage(seed=1).keep(page)) for page in pages]


@pytest.mark.parametrize(("share", "kept"), [(0.0, 0), (1.0, 200)])
def test_all_or_none_may_stay(share, kept, document, picture):
    pages = [document(picture(), doc_id=f"{i:032x}") for i in range(200)]
    assert sum(bool(SingleImage(share=share).keep(page)) for page in pages) == kept


def test_only_documents_with_exactly_one_image_are_sampled(document, picture):
    assert SingleImage(share=0).keep(document("text"))
    assert SingleImage(share=0).keep(document(picture("a"), picture("b")))
    reason = SingleImage(share=0).keep(document(picture())).reason
    assert reason == "single_image_sampled_out"


@pytest.mark.parametrize(("count", "kept"), [(0, 0), (4, 4), (5, 5), (6, 5), (9, 5)])
def test_the_first_five_images_stay(count, kept, document, picture):
    spans = [span for i in range(count) for span in (f"text {i}", picture(str(i)))]
    cut = MaxImages().apply(document(*spans))
    assert cut.kept == tuple(range(kept))
    assert cut.document.images == document(*spans).images[:kept]


def test_the_text_between_dropped_images_stays_as_one(document, picture):
    page = document("a", picture("a"), "b", picture("b"), "c", picture("c"), "d")
    assert MaxImages(max_images=1).apply(page).document.texts == ("a", "b\n\nc\n\nd")


@pytest.mark.parametrize(
    "build",
    [
        lambda: SingleImage(share=1.5),
        lambda: SingleImage(share=-0.5),
        lambda: MaxImages(max_images=0),
    ],
)
def test_senseless_numbers_are_refused(build):
    with pytest.raises(ValueError, match="expected"):
        build()


@given(
    st.lists(st.sampled_from(["text", "***", "i"]), max_size=6),
    st.sampled_from(["a", "b", "c"]),
)
def test_numbers_against_limits_are_the_verdict(spans, doc_id):
    picture = Image(url="https://example.org/a.jpg")
    made = tuple(picture if span == "i" else Text(text=span) for span in spans)
    found = Document(doc_id=doc_id, spans=made)
    rules = (
        *(HasImage(), Interspersed(), NumImages(), NumImages(min_images=2, most_images=3)),
        *(SingleImage(share=share) for share in (0.0, 0.3, 0.5, 1.0)),
    )
    for rule in rules:
        assert judge(rule.limits(), rule.measure(found)) == rule.keep(found)
