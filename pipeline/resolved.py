"""What a build goes by that lies outside of it: models and earlier crawls, as they were then.

It is noted with the build, so that choosing later asks for neither: a model's file may be gone or
lie elsewhere, and a crawl may have been built again or its state have moved.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openm3w import recipe as recipes
from openm3w.filters.perplexity import PERPLEXITY
from openm3w.filters.safety import image_score
from openm3w.filters.similarity import SIMILARITY
from openm3w.pipeline.dedup.state import State
from openm3w.pipeline.recipe import BuildRecipe
from openm3w.pipeline.scoring import safety
from openm3w.trainer.encoders.lm_specs import resolve_lm
from openm3w.trainer.encoders.specs import similarity_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A crawl of the state that came before the build's own."""

    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What was found for a recipe when its build began; plain values, as JSON gives them back."""

    scores: Mapping[str, object] = field(default_factory=dict)
    """Score that the recipe makes -> what it alone is made from."""
    lm: str = ""
    """The language model's name, for which perplexity is bounded; "" where there is none."""
    before: tuple[Seen, ...] | None = None
    """The crawls before this one, in their order; None where the recipe has no state."""
    refetched_since: float = 0.0
    """When images were asked for again, in seconds since 1970; 0: never."""

    @classmethod
    def of(
        cls, recipe: BuildRecipe, model: str, state: State | None, *, refetched_since: float = 0.0
    ) -> "Resolved":
        """What `recipe` finds on this machine now; `model` is the resolved similarity model.

        Raises:
            RecipeError: no scorer is called as the recipe has it.
            MissingError: a scorer's package or file is not here.
            InputError: a scorer's file is not of its form.
        """
        crawls = None if state is None else state.before(recipe.dedup.crawl)
        lm = recipe.scores.perplexity
        return cls(
            scores=recipes.to_plain(_score_parts(recipe, model)),
            lm="" if lm == "none" else resolve_lm(lm).name,
            before=None
            if crawls is None
            else tuple(Seen(name=crawl.name, fingerprint=crawl.fingerprint) for crawl in crawls),
            refetched_since=refetched_since,
        )


def _score_parts(recipe: BuildRecipe, model: str) -> dict[str, object]:
    """Name of each score that the recipe makes -> what it alone is made from.

    Models count by their weights: neither where they lie nor how the recipe calls them.
    """
    settings = recipe.scores
    # Both are part of the last bits.
    run = (settings.batch_images, settings.threads)
    parts: dict[str, object] = {}
    if model != "none":
        parts[SIMILARITY] = (similarity_id(model), settings.windows, *run)
    for spec in safety.parse(settings.safety):
        parts[image_score(spec.name)] = (spec.digest, *run)
    if settings.perplexity != "none":
        made_of = resolve_lm(settings.perplexity).made_of
        parts[PERPLEXITY] = (made_of, settings.perplexity_tokens, settings.threads)
    return parts
