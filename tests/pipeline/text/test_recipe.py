import pytest

from openm3w.errors import RecipeError
from openm3w.pipeline.text.recipe import TextRecipe, load


def test_the_shipped_recipe_is_the_defaults():
    assert load() == TextRecipe()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("languag=de", "did you mean 'language'"),
        ('language=""', "language is empty"),
        ("text.min_words=0", "min_words"),
        ("text.max_words=10", "min_words 50 is above max_words 10"),
        ("min_language_score=2.0", "min_score is 2.0"),
        ("opt_out.directives=['noy']", "noy"),
        ("shards.samples_per_shard=0", "samples_per_shard is 0"),
    ],
)
def test_a_wrong_value_is_refused(override, message):
    with pytest.raises(RecipeError, match=message):
        load(overrides=(override,))
