from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openm3w.filters.floor import floor
from openm3w.filters.profiles import Profile, load_profile
from openm3w.filters.selection import select
from openm3w.shards.document import Document, Image, ImageContent, Signals, Text

SHIPPED = [load_profile(name) for name in ("kosmos1", "m3w", "openm3w")]


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
    assert (found.image.min_side, found.image.max_aspect) == (100, 3.0)
    assert found.min_words == 10


def test_every_bound_on_bytes_is_the_loosest_and_other_bounds_are_no_part_of_it():
    strict = profile_with(
        image__max_side=5000,
        image__max_pixels=10**6,
        image__min_bytes=5000,
        image__formats='["png", "jpeg"]',
        image__min_entropy=2.0,
        image__min_sharpness=90.0,
        image__max_content_count=10,
        image__url_tokens='["logo"]',
        image__twin_distance=5,
        image__evaluation_distance=5,
    )
    looser = profile_with(
        image__max_side=20_000,
        image__min_bytes=1000,
        image__formats='["webp", "jpeg"]',
        image__min_entropy=1.0,
        image__min_sharpness=50.0,
    )
    found = floor([strict, looser]).image
    assert (found.max_side, found.max_pixels) == (20_000, 89_478_485)
    assert (found.min_bytes, found.formats) == (1000, ("jpeg", "png", "webp"))
    assert (found.min_entropy, found.min_sharpness) == (1.0, 50.0)
    assert (found.max_content_count, found.url_tokens) == (0, ())
    assert (found.twin_distance, found.evaluation_distance) == (-1, -1)
    open_end = floor([strict, profile_with()]).image
    assert (open_end.max_side, open_end.min_bytes, open_end.formats) == (0, 0, ())
    assert (open_end.min_entropy, open_end.min_sharpness) == (0.0, 0.0)


def test_any_language_of_one_profile_is_any_of_the_floor():
    found = floor([*SHIPPED, profile_with(language="any")])
    assert (found.languages, found.min_language_score) == ((), 0.0)


def test_a_score_that_any_language_does_not_ask_for_makes_no_floor_looser():
    stored = [*SHIPPED, profile_with(language="any")]
    doubtful = profile_with(language="de", min_language_score=0.1)
    assert floor([*stored, doubtful]) == floor(stored)
    assert floor([*SHIPPED, doubtful]).min_language_score == 0.1


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
def test_images_outside_the_floor_have_one_reason(width, height, deviation, reason, picture):
    image = picture("a", width, height, grey_deviation=deviation)
    assert floor(SHIPPED).keep_image(image).reason == reason


RANDOM_PROFILES = st.builds(
    lambda side, aspect, deviation, more, words, window, language, score, directives: replace(
        Profile(language=language, min_language_score=score),
        image=replace(
            SHIPPED[0].image,
            min_side=side,
            max_aspect=aspect,
            min_grey_deviation=deviation,
            **more,
        ),
        text=replace(SHIPPED[0].text, min_words=words),
        document=replace(SHIPPED[1].document, window_tokens=window),
        opt_out=replace(SHIPPED[0].opt_out, directives=directives),
    ),
    st.sampled_from([1, 64, 150]),
    st.sampled_from([1.0, 2.0, 3.0]),
    st.sampled_from([0.0, 4.0, 8.0]),
    st.fixed_dictionaries(
        {},
        optional={
            "max_side": st.sampled_from([0, 150, 192]),
            "max_pixels": st.sampled_from([150 * 150, 10**6]),
            "min_bytes": st.sampled_from([0, 1000, 5000]),
            "formats": st.sampled_from([(), ("jpeg",), ("jpeg", "png"), ("gif",)]),
            "min_entropy": st.sampled_from([0.0, 1.0, 2.0]),
            "min_sharpness": st.sampled_from([0.0, 50.0, 100.0]),
            "max_content_count": st.sampled_from([0, 10]),
            "url_tokens": st.sampled_from([(), ("logo",)]),
            "twin_distance": st.sampled_from([-1, 5]),
        },
    ),
    st.integers(1, 4),
    st.sampled_from([0, 0, 30]),
    st.sampled_from(["en", "de", "en,de", "any"]),
    st.sampled_from([0.0, 0.65, 0.8]),
    st.sampled_from([("noai",), ("noai", "noindex"), ()]),
)
RANDOM_IMAGES = st.builds(
    lambda width, height, deviation, kind, scores: Image(
        url="https://example.org/logo.png" if kind == "png" else "",
        content=ImageContent(
            sha256="",
            width=1,
            height=1,
            original_width=width,
            original_height=height,
            num_bytes=1,
            original_format=kind,
        ),
        scores={"grey_deviation": deviation, **scores},
    ),
    st.sampled_from([150, 192, 193, 100, 64, 63]),
    st.sampled_from([150, 192, 193, 100, 64, 63]),
    st.sampled_from([9.0, 9.0, 4.0, 3.9, 0.0]),
    st.sampled_from(["jpeg", "jpeg", "png", "gif"]),
    st.fixed_dictionaries(
        {
            "original_bytes": st.sampled_from([9000.0, 5000.0, 999.0]),
            "entropy": st.sampled_from([7.0, 2.0, 0.9]),
            "sharpness": st.sampled_from([500.0, 100.0, 49.0]),
            "content_count": st.sampled_from([1.0, 11.0]),
        }
    ),
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
            assert found.keep_image(image)
        assert found.keep_text(page)
