"""Every filter of images that measures decides by its numbers as it does by itself."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.filters.images.copies import EvaluationImages, Frequency
from openm3w.filters.images.file import Formats, MinBytes, UrlTokens
from openm3w.filters.images.look import LowEntropy, MinSharpness, SingleColour
from openm3w.filters.images.size import Aspect, MaxPixels, MaxSide, MinSide
from openm3w.filters.limits import judge
from openm3w.shards.document import Document, Image, ImageContent

PAGE = Document(doc_id="0")
SIDES = st.sampled_from([0, 1, 63, 64, 65, 100, 110, 192, 193, 301, 20_000, 20_001])
NUMBERS = st.sampled_from([0, 0.999, 1, 4, 5, 6, 10, 11, 50, 999, 1000, math.inf, math.nan])
NAMES = (
    *("grey_deviation", "entropy", "sharpness", "original_bytes"),
    *("url_count", "content_count", "eval_distance"),
)
CONTENTS = st.builds(
    lambda width, height, kind: ImageContent(
        sha256="", width=1, height=1, original_width=width, original_height=height, num_bytes=1,
        original_format=kind,
    ),
    SIDES, SIDES, st.sampled_from(["", "jpeg", "gif", "tiff"]),
)  # fmt: skip
IMAGES = st.builds(
    lambda content, scores, url: Image(url=url, content=content, scores=scores),
    st.none() | CONTENTS,
    st.dictionaries(st.sampled_from(NAMES), NUMBERS),
    st.sampled_from(["", "https://a.org/a.jpg", "https://a.org/logos/sex.jpg"]),
)
RULES = [
    MinSide(),
    MaxSide(),
    MaxPixels(max_pixels=64 * 100),
    Aspect(),
    Aspect(max_aspect=1.1),
    SingleColour(),
    LowEntropy(),
    MinSharpness(),
    MinBytes(),
    Formats(),
    Formats(formats=("gif",)),
    UrlTokens(),
    UrlTokens(tokens=()),
    Frequency(),
    Frequency(max_url_count=0),
    EvaluationImages(),
]


@pytest.mark.parametrize("rule", RULES, ids=repr)
@given(image=IMAGES)
def test_limits_over_the_numbers_decide_as_the_filter(rule, image):
    assert judge(rule.limits(), rule.measure(image, PAGE)) == rule.keep(image, PAGE)


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_numbers_are_named_after_their_filter_and_hang_on_no_bound(rule):
    image = Image(url="https://a.org/a.jpg")
    assert all(name.startswith(f"{rule.name}.") for name in rule.measure(image, PAGE))
    if not rule.measuring:
        assert set(rule.measure(image, PAGE)) == set(type(rule)().measure(image, PAGE))
    assert {limit.reason for limit in rule.limits()} <= rule.reasons
