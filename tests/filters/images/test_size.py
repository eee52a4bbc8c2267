import math

import pytest

from openm3w.filters.images.size import Aspect, MaxPixels, MaxSide, MinSide

UNMEASURED = [MinSide(), MaxSide(), MaxPixels(), Aspect()]


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [
        (64, 64, None),
        (63, 64, "too_small"),
        (64, 63, "too_small"),
        (1, 1000, "too_small"),
        (0, 0, "too_small"),
    ],
)
def test_the_shorter_side_is_at_least_64(width, height, reason, picture, document):
    assert MinSide().keep(picture("a", width, height), document()).reason == reason


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [
        (300, 100, None),
        (301, 100, "extreme_aspect"),
        (100, 300, None),
        (100, 301, "extreme_aspect"),
        (100, 0, "extreme_aspect"),
    ],
)
def test_three_to_one_is_allowed_either_way(width, height, reason, picture, document):
    assert Aspect().keep(picture("a", width, height), document()).reason == reason


def test_the_original_size_is_judged_and_not_the_stored_one(picture, document):
    wide = picture("a", 1536, 400)
    assert wide.content.width / wide.content.height < 3
    assert Aspect().keep(wide, document()).reason == "extreme_aspect"


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [(20_000, 9000, None), (20_001, 9000, "side_too_long"), (9000, 20_001, "side_too_long")],
)
def test_the_longer_side_is_at_most_twenty_thousand(width, height, reason, picture, document):
    assert MaxSide().keep(picture("a", width, height), document()).reason == reason


def test_an_aspect_that_is_exactly_the_bound_is_inside(picture, document):
    assert Aspect(max_aspect=1.1).keep(picture("a", 110, 100), document())
    assert Aspect(max_aspect=1.1).keep(picture("a", 100, 110), document())
    assert not Aspect(max_aspect=1.1).keep(picture("a", 1101, 1000), document())


@pytest.mark.parametrize(
    ("width", "height", "reason"), [(10, 10, None), (101, 1, "too_many_pixels"), (1, 100, None)]
)
def test_pixels_are_capped(width, height, reason, picture, document):
    verdict = MaxPixels(max_pixels=100).keep(picture("a", width, height), document())
    assert verdict.reason == reason


@pytest.mark.parametrize("image_filter", UNMEASURED, ids=lambda f: f.name)
def test_an_image_without_content_was_not_measured(image_filter, picture, document):
    image = picture("a", measured=False)
    assert image_filter.keep(image, document()).reason == "not_measured"


@pytest.mark.parametrize(
    "build",
    [
        lambda: MinSide(min_side=0),
        lambda: Aspect(max_aspect=0.9),
        lambda: Aspect(max_aspect=math.nan),
        lambda: MaxSide(max_side=0),
        lambda: MaxPixels(max_pixels=0),
    ],
)
def test_senseless_bounds_are_refused(build):
    with pytest.raises(ValueError, match="expected"):
        build()
