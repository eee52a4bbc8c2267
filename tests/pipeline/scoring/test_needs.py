import pytest

from openm3w.errors import RecipeError
from openm3w.filters.profiles import load_profile
from openm3w.pipeline import recipe as recipes
from openm3w.pipeline.scoring import needs


@pytest.mark.parametrize(
    ("scores", "bound", "message"),
    [
        ("[]", "opennsfw=0.5", r'add "opennsfw" to scores\.safety'),
        ('["opennsfw"]', "clip=0.1", r'add "clip-mlp:PATH" to scores\.safety'),
        ('["opennsfw"]', "opennsfw=0.5", None),
        ('["opennsfw"]', None, None),
    ],
)
def test_a_bound_on_a_score_that_nothing_makes_is_told_at_the_desk(scores, bound, message):
    recipe = recipes.load("kosmos1", (f"scores.safety={scores}",))
    profile = load_profile("kosmos1", [f"safety.max_nsfw.{bound}"] if bound else [])
    if message is None:
        needs.check(recipe, profile)
        return
    with pytest.raises(RecipeError, match=message) as caught:
        needs.check(recipe, profile)
    assert "\n" not in str(caught.value)
