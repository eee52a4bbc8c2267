"""What a profile needs that the recipe must make: told at the desk, not after an hour."""

from collections.abc import Container

from openm3w.errors import RecipeError
from openm3w.filters.profiles import Profile
from openm3w.filters.safety import image_score
from openm3w.pipeline.recipe import BuildRecipe

_ENTRIES = {"opennsfw": "opennsfw", "clip": "clip-mlp:PATH"}


def check(recipe: BuildRecipe, profile: Profile, model: str, scores: Container[str]) -> None:
    """Checks that the recipe makes every number that `profile` asks for.

    `model` is the resolved similarity model, `scores` are the names of the scores that are made.

    Raises:
        RecipeError: it does not; the message says what to set.
    """
    _check_similarity(profile, model)
    _check_safety(profile, scores)
    _check_assignment(recipe, profile, model)
    _check_evaluation_sets(recipe, profile)
    if profile.perplexity.enabled and recipe.scores.perplexity == "none":
        raise RecipeError(
            "perplexity.enabled is set and the recipe makes no such score: name a language model "
            "in scores.perplexity, or set perplexity.enabled=false"
        )


def _check_similarity(profile: Profile, model: str) -> None:
    if profile.similarity.enabled and model == "none":
        raise RecipeError(
            "similarity.enabled is set and no such scores are made, since scores.model is none: "
            "name a model, or set similarity.enabled=false"
        )
    profile.image_filters(model)  # whether there is a bound for this model


def _check_safety(profile: Profile, scores: Container[str]) -> None:
    for scorer in profile.safety.scorers:
        if image_score(scorer) not in scores:
            raise RecipeError(
                f"safety.max_nsfw.{scorer} is set and the recipe makes no such score: add "
                f'"{_ENTRIES[scorer]}" to scores.safety, or take the bound out of the profile'
            )


def _check_assignment(recipe: BuildRecipe, profile: Profile, model: str) -> None:
    if profile.document.assignment == "natural":
        return
    if model == "none":
        raise RecipeError(
            "document.assignment=bipartite goes by similarity, and scores.model is none: name a "
            "model, or set document.assignment=natural"
        )
    if recipe.scores.windows.scope != "all":
        raise RecipeError(
            "document.assignment=bipartite needs each image's score with every sentence: set "
            "scores.windows.scope=all, or document.assignment=natural"
        )
    profile.document_filters(model)  # whether there is a bound for this model


def _check_evaluation_sets(recipe: BuildRecipe, profile: Profile) -> None:
    if profile.duplicates.max_contamination < 1 and not recipe.dedup.evaluation_texts:
        raise RecipeError(
            "duplicates.max_contamination needs the recipe's dedup.evaluation_texts; list files, "
            "or set it to 1"
        )
    if profile.image.evaluation_distance >= 0 and not recipe.images.evaluation_images:
        raise RecipeError(
            "image.evaluation_distance needs the recipe's images.evaluation_images; list files, "
            "or set it to -1"
        )
