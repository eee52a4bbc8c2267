from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openm3w.filters.floor import IMAGE_REASONS, TEXT_REASONS, floor
from openm3w.filters.profiles import Profile, load_profile, profile_names
from openm3w.filters.selection import select
from openm3w.shards.document import Document, Image, ImageContent, Signals, Text

SHIPPED = [load_profile(name) for name in profile_names()]


def profile_with(**changes):
    """The default profile with `image__min_side=150` and the like put in."""
    overrides = [f"{name.replace('__', '.')}={value}" for name, value in changes.items()]
    return load_profile("kosmos1", overrides)


def test_the_floor_is_the_loosest_of_its_profiles():
    found = floor(
        [
            profile_with(image__min_side=150, image__max_aspect=2.0, min_language_score=0.8),
            profile_with(image__min_side=100, text__min_words=50, language="de"),
        ]
    )
    assert found.languages == ("de", "en")
    assert found.min_language_score == 0.65
    assert (found.min_side, found.max_aspect) == (100, 3.0)
    assert found.min_words == 10


def test_any_language_of_one_profile_is_any_of_the_floor():
    assert floor([*SHIPPED, profile_with(language="any")]).languages == ()


def test_the_floor_acts_on_the_signals_that_all_profiles_act_on():
    found = floor([profile_with(opt_out__directives='["noai", "noindex"]'), *SHIPPED])
    assert found.opt_out.directives == ("noai", "noindex")
    assert found.opt_out.tdm_reservation
    loose = floor([profile_with(opt_out__tdm_reservation="false", opt_out__agents="[]")])
    assert not loose.opt_out.tdm_reservation
    assert loose.opt_out.agents == ()
    usages = ('["search", "train-ai"]', '["train-ai", "ai-use"]')
    found = floor([profile_with(opt_out__content_usage=each) for each in usages])
    assert found.opt_out.content_usage == ("train-ai",)


def test_no_profile_is_no_floor():
    with pytest.raises(ValueError, match="at least one"):
        floor([])


@pytest.mark.parametrize(
    ("spans", "about", "reason"),
    [
        (["one two three four five", "i", "six seven eight nine ten"], {}, None),
        (["one two three four five", "i", "six seven eight nine"], {}, "too_few_words"),
        ([" \n", "i"], {}, "no_text"),
        ([], {}, "no_text"),
        (["one two three four five six seven eight nine ten"], {}, "no_content_image"),
        (["ten " * 10, "i"], {"language": "de"}, "wrong_language"),
        (["ten " * 10, "i"], {"language_score": 0.64}, "uncertain_language"),
        (["ten " * 10, "i"], {"language_score": 0.65}, None),
    ],
)
def test_pages_outside_the_floor_have_one_reason(spans, about, reason, document, picture):
    page = document(*(picture() if span == "i" else span for span in spans), **about)
    assert floor(SHIPPED).keep_text(page).reason == reason
    assert reason is None or reason in TEXT_REASONS


@pytest.mark.parametrize(
    ("width", "height", "deviation", "reason"),
    [
        (64, 64, 4.0, None),
        (63, 64, 4.0, "too_small"),
        (192, 64, 4.0, None),
        (193, 64, 4.0, "extreme_aspect"),
        (64, 64, 3.9999, "single_colour"),
    ],
)
def test_images_outside_the_floor_have_one_reason(width, height, deviation, reason):
    assert floor(SHIPPED).keep_image(width, height, deviation).reason == reason
    assert reason is None or reason in IMAGE_REASONS


RANDOM_PROFILES = st.builds(
    lambda side, aspect, deviation, words, window, language, score, directives: replace(
        Profile(language=language, min_language_score=score),
        image=replace(
            SHIPPED[0].image, min_side=side, max_aspect=aspect, min_grey_deviation=deviation
        ),
        text=replace(SHIPPED[0].text, min_words=words),
        document=replace(SHIPPED[1].document, window_tokens=window),
        opt_out=replace(SHIPPED[0].opt_out, directives=directives),
    ),
    st.sampled_from([1, 64, 150]),
    st.sampled_from([1.0, 2.0, 3.0]),
    st.sampled_from([0.0, 4.0, 8.0]),
    st.integers(1, 4),
    st.sampled_from([0, 0, 30]),
    st.sampled_from(["en", "de", "en,de", "any"]),
    st.sampled_from([0.0, 0.65, 0.8]),
    st.sampled_from([("noai",), ("noai", "noindex"), ()]),
)
RANDOM_IMAGES = st.builds(
    lambda width, height, deviation: Image(
        url="",
        content=ImageContent(
            sha256="",
            width=1,
            height=1,
            original_width=width,
            original_height=height,
            num_bytes=1,
        ),
        scores={"grey_deviation": deviation},
    ),
    st.sampled_from([150, 192, 193, 100, 64, 63]),
    st.sampled_from([150, 192, 193, 100, 64, 63]),
    st.sampled_from([9.0, 9.0, 4.0, 3.9, 0.0]),
)
RANDOM_TEXTS = st.builds(
    lambda text: Text(text=text),
    st.text(st.sampled_from("ab  \n\u4e2d\u6587."), min_size=4, max_size=20),
)
RANDOM_PAGES = st.builds(
    lambda spans, language, score, opt_out: Document(
        doc_id="0",
        spans=tuple(spans),
        signals=Signals(language=language, language_score=score, opt_out=opt_out),
    ),
    st.lists(RANDOM_TEXTS | RANDOM_IMAGES, min_size=1, max_size=8),
    st.sampled_from(["en", "en", "en", "de", ""]),
    st.sampled_from([0.9, 0.8, 0.65, 0.0]),
    st.sampled_from([(), (), (), ("x-robots-tag: noai",), ("x-robots-tag: noindex",)]),
)


@settings(max_examples=400)
@given(st.lists(RANDOM_PROFILES, min_size=1, max_size=3), RANDOM_PAGES)
def test_whatever_a_profile_keeps_the_floor_keeps(profiles, page):
    found = floor(profiles)
    for profile in profiles:
        fates = [""] * len(page.images)
        selection = select(page, fates, profile, similarity_model="")
        if selection.document is None:
            continue
        assert found.opt_out.keep(page)
        for image in selection.document.images:
            size = image.content.original_width, image.content.original_height
            assert found.keep_image(*size, image.scores["grey_deviation"])
        assert found.keep_text(page)
