"""`[similarity]`: whether images are chosen by similarity, and the bound for each model."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openm3w.filters.registry import ImageFilter
from openm3w.filters.similarity import MIN_SIMILARITY, Similarity, SimilarityOf, bound_for

SIMILARITY_BOUNDS: Mapping[str, float] = {
    "openclip:ViT-L-14/openai": MIN_SIMILARITY,
    # Ours, by `m3w calibrate` on 300 test photographs of Flickr8k: 95.0 % of the matched captions
    # are kept and 15.4 % of the mismatched pass (docs/similarity.md). None is published.
    "lit": 0.1764,
}
"""Beginning of a model id -> bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarityRules:
    """Whether images are chosen by similarity, and the bound for each model."""

    enabled: bool = False
    of: SimilarityOf = "windows"
    """`windows`: text near the image, alternative text, title and caption. `text`: text alone."""
    bounds: Mapping[str, float] = field(default_factory=lambda: dict(SIMILARITY_BOUNDS))
    """Beginning of a model id -> bound, inclusive; see `bound_for`."""

    def __post_init__(self) -> None:
        for bound in self.bounds.values():
            Similarity(min_similarity=bound)

    def filters(self, model_id: str) -> tuple[ImageFilter, ...]:
        """The filter for scores of `model_id`; none where similarity is switched off.

        Raises:
            RecipeError: no bound is known for this model.
        """
        if not self.enabled:
            return ()
        return (Similarity(min_similarity=bound_for(self.bounds, model_id), of=self.of),)
