"""What a build will not do although its recipe names it: told before any work."""

from collections.abc import Iterator

from openm3w.errors import RecipeError
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.refilter import with_profile


def floor_notes(plan: Plan) -> Iterator[str]:
    """A line for each profile of the floor that `m3w refilter` would refuse, with the reason."""
    for name in dict.fromkeys(plan.recipe.floor):
        try:
            with_profile(plan, name)
        except RecipeError as error:
            yield f"floor: {name} cannot be chosen later: {error}"


def unasked(plan: Plan) -> Iterator[str]:
    """A line on pictures of evaluation sets that nothing of this build is held against."""
    asked = any(profile.image.evaluation_distance >= 0 for profile in plan.profiles)
    if plan.lists.evaluation_images and not asked:
        yield (
            "images.evaluation_images: no profile of this build has an image.evaluation_distance, "
            'so that no image is dropped for them; set profile_set=["image.evaluation_distance=5"]'
        )
