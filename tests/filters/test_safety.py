import dataclasses
import math

import pytest

from openm3w.errors import RecipeError
from openm3w.filters.limits import judge
from openm3w.filters.profiles import load_profile
from openm3w.filters.rules.safety import SafetyRules
from openm3w.filters.safety import NsfwDocument, NsfwImage, with_largest
from openm3w.filters.selection import select


@pytest.mark.parametrize(
    ("rule", "scores", "reason"),
    [
        # COYO-700M: above 0.5 by OpenNSFW2.
        (NsfwImage(), {"nsfw_opennsfw": 0.5}, None),
        (NsfwImage(), {"nsfw_opennsfw": 0.5001}, "nsfw_image"),
        (NsfwImage(), {"nsfw_opennsfw": 0.0}, None),
        (NsfwImage(), {"nsfw_opennsfw": math.nan}, "no_score"),
        (NsfwImage(), {"nsfw_clip": 0.0}, "no_score"),
        # MMC4: above 0.1 by a network on CLIP ViT-L/14.
        (NsfwImage(scorer="clip", max_nsfw=0.1), {"nsfw_clip": 0.1}, None),
        (NsfwImage(scorer="clip", max_nsfw=0.1), {"nsfw_clip": 0.1001}, "nsfw_image"),
        (NsfwImage(scorer="clip", max_nsfw=0.1), {"nsfw_opennsfw": 0.0}, "no_score"),
    ],
)
def test_the_bound_on_an_image_is_inclusive(rule, scores, reason, picture, document):
    image = picture("a", **scores)
    assert rule.keep(image, document()).reason == reason
    assert judge(rule.limits(), rule.measure(image, document())).reason == reason


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        ([0.1, 0.5], None),
        ([0.1, 0.51], "nsfw_document"),
        ([0.51, 0.1], "nsfw_document"),
        ([None, None], None),
        ([None, 0.2], None),
        ([], None),
    ],
)
def test_one_image_decides_about_the_document(scores, reason, picture, document):
    images = [
        picture(str(at), **({} if score is None else {"nsfw_opennsfw": score}))
        for at, score in enumerate(scores)
    ]
    page = document("text", *images, "text")
    page = dataclasses.replace(page, scores=with_largest(page, [""] * len(images)))
    rule = NsfwDocument()
    assert rule.keep(page).reason == reason
    assert judge(rule.limits(), rule.measure(page)).reason == reason


def test_an_image_that_another_filter_drops_does_not_count(picture, document):
    page = document("text", *(picture(str(at), nsfw_opennsfw=at / 10) for at in range(4)))
    found = with_largest(page, ["", "nsfw_image", "", "too_small"])
    assert found == {"max_nsfw_opennsfw": 0.2}


@pytest.mark.parametrize(("side", "reason"), [(100, "nsfw_document"), (99, None)])
def test_whether_an_unsafe_image_drops_its_page_hangs_on_the_profile_alone(
    side, reason, picture, document
):
    overrides = ["image.min_side=100", "safety.max_nsfw.opennsfw=0.5", "safety.drop_document=true"]
    profile = load_profile("m3w", [*overrides, "quality={}"])
    images = (picture("a", side, 100, nsfw_opennsfw=0.9), picture("b", nsfw_opennsfw=0.1))
    page = document("A harbour at noon with boats and nets along the wall.", *images)
    chosen = select(page, ["", ""], profile, similarity_model="none")
    assert chosen.verdict.reason == reason


def test_each_scorer_has_a_bound_of_its_own():
    rules = SafetyRules(max_nsfw={"clip": 0.1, "opennsfw": 0.5})
    assert rules.filters() == (
        NsfwImage(scorer="opennsfw", max_nsfw=0.5),
        NsfwImage(scorer="clip", max_nsfw=0.1),
    )
    assert rules.document_filters() == ()


def test_a_hit_drops_the_document_where_the_profile_says_so():
    profile = load_profile("m3w", ["safety.max_nsfw.opennsfw=0.5", "safety.drop_document=true"])
    assert NsfwDocument() in profile.page_filters()
    assert NsfwImage() in profile.image_filters("none")


def test_no_scorer_is_asked_by_default():
    rules = SafetyRules(drop_document=True)
    assert (rules.filters(), rules.document_filters()) == ((), ())


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("safety.max_nsfw.gantman=0.5", "'gantman' is none of opennsfw, clip"),
        ("safety.max_nsfw.clip=1.1", "max_nsfw is 1.1"),
        ("safety.max_nsfw.clip=-0.1", "max_nsfw is -0.1"),
    ],
)
def test_a_bound_that_means_nothing_is_refused(override, message):
    with pytest.raises(RecipeError, match=message):
        load_profile("m3w", [override])
