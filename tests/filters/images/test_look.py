import math

import pytest

from openm3w.filters.images.look import LowEntropy, MinSharpness, SingleColour
from openm3w.shards.document import Image

ALL = [SingleColour(), LowEntropy(), MinSharpness()]


@pytest.mark.parametrize(
    ("deviation", "reason"),
    [(127.5, None), (4.0, None), (3.9999, "single_colour"), (0.0, "single_colour")],
)
def test_a_picture_of_one_colour_is_dropped(deviation, reason, picture, document):
    image = picture("a", grey_deviation=deviation)
    assert SingleColour().keep(image, document()).reason == reason


@pytest.mark.parametrize(
    ("bits", "reason"), [(8.0, None), (1.0, None), (0.999, "low_entropy"), (0.0, "low_entropy")]
)
def test_a_picture_has_at_least_one_bit(bits, reason, picture, document):
    assert LowEntropy().keep(picture("a", entropy=bits), document()).reason == reason


@pytest.mark.parametrize(
    ("sharpness", "reason"), [(5000.0, None), (50.0, None), (49.99, "blurred"), (0.0, "blurred")]
)
def test_a_blurred_picture_is_dropped(sharpness, reason, picture, document):
    assert MinSharpness().keep(picture("a", sharpness=sharpness), document()).reason == reason


@pytest.mark.parametrize("image_filter", ALL, ids=lambda f: f.name)
def test_what_has_no_number_was_not_measured(image_filter, picture, document):
    nothing = {"grey_deviation": math.nan, "entropy": math.nan, "sharpness": math.nan}
    assert image_filter.keep(Image(url=""), document()).reason == "not_measured"
    assert image_filter.keep(picture("a", **nothing), document()).reason == "not_measured"


@pytest.mark.parametrize(
    "build",
    [
        lambda: SingleColour(min_grey_deviation=-1),
        lambda: LowEntropy(min_entropy=8.1),
        lambda: LowEntropy(min_entropy=math.nan),
        lambda: MinSharpness(min_sharpness=-0.1),
    ],
)
def test_senseless_bounds_are_refused(build):
    with pytest.raises(ValueError, match="expected"):
        build()
