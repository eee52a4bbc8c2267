"""What a profile asks for and a caption build cannot judge, told before it begins."""

from collections.abc import Iterator

from openm3w.filters.captions import SCORES
from openm3w.pipeline.captions.alt_texts import Imported
from openm3w.pipeline.captions.plan import CaptionPlan


def unjudged(plan: CaptionPlan) -> list[str]:
    """Lines on the profile's bounds that nothing of the recipe or a table can be held against."""
    notes = []
    if plan.profile.images.evaluation() and not plan.lists.evaluation_images:
        notes.append(
            "images.evaluation_images: none, so evaluation_distance of the profile "
            f"{plan.recipe.profile} drops nothing"
        )
    if plan.imported:
        return [*notes, *_unknown_scores(plan, plan.imported)]
    for table in plan.tables:
        for name, bound in plan.profile.scores.items():
            if name not in table.columns.scores:
                columns = " or ".join(SCORES[name].columns)
                notes.append(
                    f"{table.source.name}: no column {columns}, so the bound {bound:g} of the "
                    f"profile {plan.recipe.profile} on {name} drops nothing there"
                )
    return notes


def _unknown_scores(plan: CaptionPlan, imported: Imported) -> Iterator[str]:
    """What `unjudged` says of a build's pairs, which have one score at the most."""
    for name, bound in plan.profile.scores.items():
        if name != imported.known_cosine:
            yield (
                f"the bound {bound:g} of the profile {plan.recipe.profile} on {name} drops "
                f"nothing: the build has no such score (its similarity model: "
                f"{imported.build.model})"
            )
