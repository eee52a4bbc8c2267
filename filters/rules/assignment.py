"""`[assigned]`: how well images must fit the sentences that they were assigned to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openm3w.filters.assignment import MIN_ASSIGNED, AssignedShare
from openm3w.filters.registry import DocumentFilter
from openm3w.filters.similarity import bound_for

ASSIGNED_BOUNDS: Mapping[str, float] = {"openclip:ViT-L-14/openai": MIN_ASSIGNED}
"""Beginning of a model id -> cosine. None for `lit`: `m3w calibrate` finds one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignedRules:
    """How well images must fit their sentences, where `document.assignment` is `bipartite`."""

    min_share: float = 0.0
    """Share of the images that must be above the bound; 0: none is asked. MMC4-core has 0.75."""
    bounds: Mapping[str, float] = field(default_factory=lambda: dict(ASSIGNED_BOUNDS))
    """Beginning of a model id -> cosine, exclusive; see `bound_for`."""

    def __post_init__(self) -> None:
        for bound in (*self.bounds.values(), MIN_ASSIGNED):
            AssignedShare(min_share=self.min_share, min_similarity=bound)

    def filters(self, model_id: str) -> tuple[DocumentFilter, ...]:
        """The filter for scores of `model_id`; none where no share is asked for.

        Raises:
            RecipeError: no bound is known for this model.
        """
        if not self.min_share:
            return ()
        bound = bound_for(self.bounds, model_id, table="assigned")
        return (AssignedShare(min_share=self.min_share, min_similarity=bound),)
