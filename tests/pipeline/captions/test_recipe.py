import pytest

from openm3w.errors import RecipeError
from openm3w.pipeline.captions.recipe import CaptionRecipe, load


def test_the_shipped_recipe_is_the_defaults():
    assert load() == CaptionRecipe()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("images.min_sid=3", "did you mean 'min_side'"),
        ("images.source=ftp", "none of files, http"),
        ("captions.min_characters=0", "min_characters"),
        ("resize.mode=shrink", "keep_ratio"),
        ("resize.quality=101", "quality is 101"),
        ("shards.val_share=1.0", "val_share is 1.0"),
        ("images.max_aspect=0.5", "max_aspect"),
    ],
)
def test_a_wrong_value_is_refused(override, message):
    with pytest.raises(RecipeError, match=message):
        load(overrides=(override,))
