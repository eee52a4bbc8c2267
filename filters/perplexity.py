"""Whether a language model finds a text likely, by a score bound to the model that made it."""

import math
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.limits import Limit, Measures
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.shards.document import Document

PERPLEXITY = "perplexity"
"""Score name: see docs/similarity.md for what it is of."""
MAX_PERPLEXITY = 1500.0
"""OBELICS (arXiv:2306.16527), for a KenLM model of Wikipedia: no number for any other model."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Perplexity:
    """Drops documents whose text has a perplexity above a bound, which is inclusive.

    Reads `document.scores["perplexity"]`. A bound means something only for the model it was set
    for: profiles keep one for each.

    Source: 1,500 is OBELICS' (Laurençon et al., 2023, arXiv:2306.16527), for a KenLM model of
    Wikipedia.
    """

    name: ClassVar[str] = "perplexity"
    reasons: ClassVar[frozenset[str]] = frozenset({"high_perplexity", "no_score"})

    max_perplexity: float = MAX_PERPLEXITY

    def __post_init__(self) -> None:
        if not self.max_perplexity >= 1:
            raise ValueError(f"max_perplexity is {self.max_perplexity}, expected 1 or more")

    def keep(self, document: Document) -> Verdict:
        perplexity = document.scores.get(PERPLEXITY, math.nan)
        if math.isnan(perplexity):
            return drop("no_score")
        return KEEP if perplexity <= self.max_perplexity else drop("high_perplexity")

    def measure(self, document: Document) -> Measures:
        return {"perplexity.perplexity": document.scores.get(PERPLEXITY, math.nan)}

    def limits(self) -> tuple[Limit, ...]:
        name = "perplexity.perplexity"
        # The first has no ends: it does not hold for what is no number.
        return (
            Limit(measure=name, reason="no_score"),
            Limit(measure=name, reason="high_perplexity", most=self.max_perplexity),
        )
