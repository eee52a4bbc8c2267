import dataclasses

import pytest

from openm3w.errors import RecipeError
from openm3w.filters.caption_profile import CaptionProfile
from openm3w.pipeline.captions.recipe import CaptionRecipe, load


def test_the_shipped_recipe_is_the_defaults():
    assert load() == CaptionRecipe()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("images.max_byte=3", "did you mean 'max_bytes'"),
        ("images.source=ftp", "none of files, http"),
        ("captions.take=some", "none of all, first"),
        ("resize.mode=shrink", "keep_ratio"),
        ("resize.quality=101", "quality is 101"),
        ("shards.val_share=1.0", "val_share is 1.0"),
        ("images.max_redirects=-1", "max_redirects is -1"),
    ],
)
def test_a_wrong_value_is_refused(override, message):
    with pytest.raises(RecipeError, match=message):
        load(overrides=(override,))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("profile=lion", "did you mean 'laion'"),
        ("profile=kosmos1", r"for documents \(m3w build\), this is for captions"),
        ('profile_set=["images.min_sid=3"]', "did you mean 'min_side'"),
        ('profile_set=["images.max_aspect=0.5"]', "max_aspect 0.5"),
        ('profile_set=["captions.min_characters=2000"]', "max_characters 1000"),
        ('profile_set=["scores.similarity=0.3"]', "no score 'similarity'; did you mean"),
    ],
)
def test_a_wrong_profile_is_refused(override, message):
    with pytest.raises(RecipeError, match=message):
        load(overrides=(override,)).load_profile()


def test_the_default_profile_is_what_its_file_says_and_no_more():
    profile = load().load_profile()
    assert profile == dataclasses.replace(CaptionProfile(), description=profile.description)
