import pytest

from openm3w.errors import RecipeError
from openm3w.filters.profiles import load_profile
from openm3w.pipeline import needs
from openm3w.pipeline import recipe as recipes


@pytest.mark.parametrize(
    ("scores", "bound", "message"),
    [
        ((), "opennsfw=0.5", r'add "opennsfw" to scores\.safety'),
        (("nsfw_opennsfw",), "clip=0.1", r'add "clip-mlp:PATH" to scores\.safety'),
        (("nsfw_opennsfw",), "opennsfw=0.5", None),
        (("nsfw_opennsfw",), None, None),
    ],
)
def test_a_bound_on_a_score_that_nothing_makes_is_told_at_the_desk(scores, bound, message):
    recipe = recipes.load("kosmos1")
    profile = load_profile("kosmos1", [f"safety.max_nsfw.{bound}"] if bound else [])
    if message is None:
        needs.check(recipe, profile, "none", scores)
        return
    with pytest.raises(RecipeError, match=message) as caught:
        needs.check(recipe, profile, "none", scores)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "scope", "message"),
    [
        ("none", "all", "scores.model is none"),
        ("lit", "near", r"set scores\.windows\.scope=all"),
        ("lit", "all", None),
    ],
)
def test_an_assignment_without_the_whole_matrix_is_told_at_the_desk(model, scope, message):
    recipe = recipes.load("kosmos1", (f"scores.windows.scope={scope}",))
    profile = load_profile("kosmos1", ["document.assignment=bipartite"])
    if message is None:
        needs.check(recipe, profile, model, ())
        return
    with pytest.raises(RecipeError, match=message) as caught:
        needs.check(recipe, profile, model, ())
    assert "\n" not in str(caught.value)


def test_an_assigned_share_without_a_bound_for_the_model_is_told_at_the_desk():
    recipe = recipes.load("kosmos1", ("scores.windows.scope=all",))
    profile = load_profile("kosmos1", ["document.assignment=bipartite", "assigned.min_share=0.75"])
    needs.check(recipe, profile, "openclip:ViT-L-14/openai", ())
    with pytest.raises(RecipeError, match=r"set assigned\.bounds\.lit=NUMBER .*m3w calibrate"):
        needs.check(recipe, profile, "lit", ())


def test_a_perplexity_that_nothing_makes_is_told_at_the_desk():
    profile = load_profile("kosmos1", ["perplexity.enabled=true", "perplexity.bounds.gpt2=90"])
    with pytest.raises(RecipeError, match=r"name a language model in scores\.perplexity"):
        needs.check(recipes.load("kosmos1"), profile, "none", ())
    needs.check(recipes.load("kosmos1", ("scores.perplexity=gpt2",)), profile, "none", ())


@pytest.mark.parametrize(
    ("bound", "setting", "named"),
    [
        ("duplicates.max_contamination=0.5", "dedup.evaluation_texts", ()),
        ("image.evaluation_distance=5", "images.evaluation_images", ()),
        ("duplicates.max_contamination=0.5", None, ('dedup.evaluation_texts=["texts.txt"]',)),
        ("image.evaluation_distance=0", None, ('images.evaluation_images=["hashes.txt"]',)),
        ("image.evaluation_distance=-1", None, ()),
    ],
)
def test_a_bound_on_evaluation_sets_wants_some(bound, setting, named):
    recipe = recipes.load("kosmos1", named)
    profile = load_profile("kosmos1", [bound])
    if setting is None:
        needs.check(recipe, profile, "none", ())
        return
    with pytest.raises(RecipeError, match=setting):
        needs.check(recipe, profile, "none", ())


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        (["similarity.enabled=true"], "similarity.enabled=false"),
        (["document.assignment=bipartite", "assigned.min_share=0.75"], "assignment=natural"),
    ],
)
def test_without_a_model_no_bound_is_asked_for_but_a_model(changes, setting):
    profile = load_profile("kosmos1", changes)
    with pytest.raises(RecipeError, match=r"scores\.model is none") as caught:
        needs.check(recipes.load("kosmos1"), profile, "none", ())
    assert setting in str(caught.value)
    assert "bounds" not in str(caught.value)
