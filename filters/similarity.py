"""Whether an image has to do with the text near it, by a score bound to the model that made it."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from openm3w.errors import RecipeError
from openm3w.filters.limits import Limit, at_least
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.shards.document import Document, Image

SIMILARITY = "similarity"
"""Score name: the largest cosine of the image with a text window near it."""
TEXT_SIMILARITY = "text_similarity"
"""Score name: the largest cosine of the image with a sentence of the text near it."""
SimilarityOf = Literal["windows", "text"]
"""`windows`: text near an image, its alternative text, title and caption. `text`: text alone."""
MIN_SIMILARITY = 0.15
"""MMC4 (arXiv:2304.06939), for CLIP ViT-L/14."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """Drops images whose score against the text near them is below a bound, which is inclusive.

    Reads `image.scores["similarity"]`, or with `of = "text"` `image.scores["text_similarity"]`, in
    which alternative text, title and caption do not count. A bound means something only for the
    model it was set for: profiles keep one for each (`bound_for`).

    Source: 0.15 is MMC4's (Zhu et al., 2023, arXiv:2304.06939), for CLIP ViT-L/14 and sentences of
    the text; that all windows count by default is ours.
    """

    name: ClassVar[str] = "similarity"
    reasons: ClassVar[frozenset[str]] = frozenset({"low_similarity", "no_score"})

    measuring: ClassVar[frozenset[str]] = frozenset()

    min_similarity: float = MIN_SIMILARITY
    of: SimilarityOf = "windows"

    def __post_init__(self) -> None:
        if not -1 <= self.min_similarity <= 1:
            raise ValueError(f"min_similarity is {self.min_similarity}, expected -1 to 1")

    def keep(self, image: Image, document: Document) -> Verdict:  # noqa: ARG002
        score = image.scores.get(TEXT_SIMILARITY if self.of == "text" else SIMILARITY)
        if score is None:
            return drop("no_score")
        # The negation also drops a score that is no number.
        return drop("low_similarity") if not score >= self.min_similarity else KEEP

    def measure(self, image: Image, document: Document) -> dict[str, float]:  # noqa: ARG002
        measured: dict[str, float] = {}
        for prefix, name in (("", SIMILARITY), ("text_", TEXT_SIMILARITY)):
            score = image.scores.get(name)
            measured[f"similarity.{prefix}scored"] = float(score is not None)
            measured[f"similarity.{prefix}cosine"] = math.nan if score is None else score
        return measured

    def limits(self) -> tuple[Limit, ...]:
        prefix = "text_" if self.of == "text" else ""
        return (
            at_least(f"similarity.{prefix}scored", 1, "no_score"),
            at_least(f"similarity.{prefix}cosine", self.min_similarity, "low_similarity"),
        )


def bound_for(bounds: Mapping[str, float], model_id: str, *, table: str = "similarity") -> float:
    """The bound of the longest entry of `bounds` that begins `model_id`.

    Capitals and punctuation do not count, and an entry ends where a part of the id ends: `lit`
    is for `lit-dinov2s`, not for `literal`. `table` is the profile's table that holds them.

    Raises:
        RecipeError: no entry fits; the message says how to set one.
    """
    plain = _plain(model_id)
    fitting = [name for name in bounds if f"{plain}-".startswith(f"{_plain(name)}-")]
    if fitting:
        return bounds[max(fitting, key=lambda name: len(_plain(name)))]
    key = re.split(r"[.=]", model_id)[0] or "MODEL"
    known = ", ".join(sorted(bounds)) or "none"
    raise RecipeError(
        f"{_MODELS[table]} model {model_id!r} has no bound in this profile (it has: {known}); a "
        f"bound of another model means nothing here: set {table}.bounds.{key}=NUMBER"
        f"{_OFF[table]}"
    )


_OFF = {
    "similarity": " (`m3w calibrate` finds one), or similarity.enabled=false to keep images "
    "whatever their score",
    "assigned": " (`m3w calibrate` finds one), or assigned.min_share=0.0 to keep documents "
    "whatever their images' scores",
    "perplexity": ", or perplexity.enabled=false to keep documents whatever their score",
}
_MODELS = {"similarity": "similarity", "assigned": "similarity", "perplexity": "language"}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
