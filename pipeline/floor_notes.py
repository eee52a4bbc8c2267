"""What a build cannot be asked for later although its floor names it: told before any work."""

from collections.abc import Iterator
from dataclasses import replace

from openm3w.errors import RecipeError
from openm3w.pipeline import needs
from openm3w.pipeline.plan import Plan


def floor_notes(plan: Plan) -> Iterator[str]:
    """A line for each profile of the floor that `m3w refilter` would refuse, with the reason."""
    recipe, scores = plan.recipe, plan.resolved.scores
    for name in dict.fromkeys(recipe.floor):
        chosen = replace(recipe, profile=name, profile_set=())
        try:
            needs.check(recipe, chosen.load_profile(plan.resolved.lm), plan.model, scores)
        except RecipeError as error:
            yield f"floor: {name} cannot be chosen later: {error}"
