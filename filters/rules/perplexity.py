"""`[perplexity]`: whether documents are chosen by perplexity, and the bound for each model."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from openm3w.errors import RecipeError
from openm3w.filters.perplexity import Perplexity
from openm3w.filters.registry import DocumentFilter
from openm3w.filters.similarity import bound_for


@dataclass(frozen=True, slots=True, kw_only=True)
class PerplexityRules:
    """Whether documents are chosen by perplexity, and the bound for each model.

    No bound is shipped: OBELICS' 1,500 is for a KenLM model of Wikipedia, which is not here.
    """

    enabled: bool = False
    bounds: Mapping[str, float] = field(default_factory=dict)
    """Beginning of a model's name -> bound, inclusive; see `bound_for`."""

    def __post_init__(self) -> None:
        for bound in self.bounds.values():
            Perplexity(max_perplexity=bound)

    def bound_to(self, model: str) -> "PerplexityRules":
        """These rules with the bound of `model` alone, where they are switched on.

        Raises:
            RecipeError: no bound is known for this model.
        """
        if not self.enabled:
            return self
        bound = bound_for(self.bounds, model, table="perplexity")
        return dataclasses.replace(self, bounds={model: bound})

    def filters(self) -> tuple[DocumentFilter, ...]:
        """The filter of rules that are bound to a model; none where they are switched off.

        Raises:
            RecipeError: there are bounds of several models, or none.
        """
        if not self.enabled:
            return ()
        if len(self.bounds) != 1:
            raise RecipeError(
                f"perplexity.bounds has {len(self.bounds)} models, and which of them made the "
                "scores is not known here: leave the one of scores.perplexity"
            )
        (bound,) = self.bounds.values()
        return (Perplexity(max_perplexity=bound),)
