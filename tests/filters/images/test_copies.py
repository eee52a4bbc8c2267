from dataclasses import replace

import pytest

from openm3w.filters.images.copies import EvaluationImages, Frequency, Twins
from openm3w.filters.profiles import load_profile
from openm3w.filters.selection import select

ZERO = "0" * 16


def hashed(image, digits):
    return replace(image, content=replace(image.content, phash=digits))


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ({}, None),
        ({"url_count": 10, "content_count": 10}, None),
        ({"url_count": 11, "content_count": 1}, "frequent_url"),
        ({"url_count": 1, "content_count": 11}, "frequent_content"),
        ({"url_count": 11, "content_count": 11}, "frequent_url"),
    ],
)
def test_an_image_may_occur_ten_times(scores, reason, picture, document):
    assert Frequency().keep(picture("a", **scores), document()).reason == reason


def test_zero_is_no_bound_on_a_count(picture, document):
    often = picture("a", url_count=10**6, content_count=10**6)
    assert Frequency(max_url_count=0).keep(often, document()).reason == "frequent_content"
    assert Frequency(max_content_count=0).keep(often, document()).reason == "frequent_url"
    assert Frequency(max_url_count=0, max_content_count=0).keep(often, document())


@pytest.mark.parametrize(
    ("distance", "reason"),
    [(0, "in_evaluation_set"), (5, "in_evaluation_set"), (6, None), (64, None)],
)
def test_pictures_up_to_five_bits_from_an_evaluation_set_are_dropped(
    distance, reason, picture, document
):
    assert (
        EvaluationImages().keep(picture("a", eval_distance=distance), document()).reason == reason
    )


def test_without_evaluation_sets_every_image_is_kept(picture, document):
    assert EvaluationImages(distance=63).keep(picture("a"), document())


def test_of_twins_the_first_stays(picture, document):
    page = document(
        "One.",
        hashed(picture("a"), ZERO),
        "Two.",
        hashed(picture("b"), "000000000000001f"),  # five bits from the first
        hashed(picture("c"), "000000000000003f"),  # six bits from the first, one from the second
        "Three.",
        hashed(picture("d"), "ffffffffffffffff"),
    )

    cut = Twins().apply(page)

    assert cut.kept == (0, 2, 3)
    assert [image.content.sha256 for image in cut.document.images] == ["a", "c", "d"]
    assert cut.document.texts == ("One.", "Two.", "Three.")


def test_images_without_a_hash_are_no_twins(picture, document):
    page = document(picture("a"), picture("b"), "x", picture("c", measured=False))

    assert Twins().apply(page).document == page


def test_an_image_that_was_dropped_has_no_twins(picture, document):
    """The second of two equal pictures stays where the first is too small to be kept."""
    words = "one two three four five six seven"
    page = document(
        words,
        hashed(picture("small", 60, 60), ZERO),
        hashed(picture("large", 90, 90), ZERO),
        hashed(picture("again", 90, 90), "0000000000000001"),
        words,
    )
    profile = load_profile("kosmos1", ["image.twin_distance=5", "document.single_image_share=1.0"])

    selection = select(page, ["", "", ""], profile, similarity_model="")

    assert selection.images == ("too_small", "", "near_twin")
    without = replace(profile, image=replace(profile.image, twin_distance=-1))
    assert select(page, ["", "", ""], without, similarity_model="").images[2] == ""


@pytest.mark.parametrize(
    "build",
    [
        lambda: Frequency(max_url_count=-1),
        lambda: EvaluationImages(distance=-1),
        lambda: Twins(distance=64),
    ],
)
def test_senseless_bounds_are_refused(build):
    with pytest.raises(ValueError, match="expected"):
        build()
