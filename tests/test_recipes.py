from pathlib import Path

import pytest

from openm3w.errors import RecipeError
from openm3w.filters.comparing import load_any
from openm3w.filters.profiles import load_profile
from openm3w.pipeline import recipe as build_recipe
from openm3w.pipeline.captions import recipe as caption_recipe
from openm3w.pipeline.text import recipe as text_recipe
from openm3w.trainer import recipe as train_recipe

ROOT = Path(__file__).parent.parent
LOADERS = {
    "alt-text": caption_recipe.load,
    "captions": caption_recipe.load,
    "text": text_recipe.load,
}
"""Recipes of `pipeline/recipes/` that are no builds of interleaved documents."""


@pytest.mark.parametrize("path", sorted((ROOT / "pipeline/recipes").glob("*.toml")), ids=str)
def test_every_shipped_build_recipe_decodes_and_bears_its_name(path):
    load = LOADERS.get(path.stem, build_recipe.load)
    assert load(path.stem).name == path.stem


@pytest.mark.parametrize("path", sorted((ROOT / "trainer/recipes").glob("*.toml")), ids=str)
def test_every_shipped_training_recipe_decodes(path):
    assert train_recipe.load(path.stem).schedule.steps > 0


@pytest.mark.parametrize("path", sorted((ROOT / "filters/profiles").glob("*.toml")), ids=str)
def test_every_shipped_profile_decodes_and_describes_itself(path):
    assert load_any(path.stem).description


@pytest.mark.parametrize(
    "override",
    [
        "a=" + "[" * 5000,
        "description=1979-05-27",
        "min_language_score=nan",
        "quality.omnicorpus_images.min_words_per_image=nan",
        "safety.max_nsfw.opennsfw=nan",
        f"quality.c4_lines.min_words={2**63}",
        f"image.min_bytes={-(2**63)}",
    ],
)
def test_values_that_no_bound_has_are_told(override):
    with pytest.raises(RecipeError):
        load_profile("kosmos1", [override])


def test_bounds_may_be_as_large_as_they_get():
    profile = load_profile("kosmos1", [f"text.max_words={2**63 - 1}", "image.max_aspect=inf"])
    assert (profile.text.max_words, profile.image.max_aspect) == (2**63 - 1, float("inf"))


def test_a_file_that_is_too_deep_is_told(tmp_path):
    path = tmp_path / "deep.toml"
    path.write_text("a = " + "[" * 5000, encoding="utf-8")
    with pytest.raises(RecipeError, match="not valid TOML"):
        load_profile(str(path))
