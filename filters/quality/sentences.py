"""MMC4-core's bound on the number of sentences."""

from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.limits import Limit, Measures
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.registry import register
from openm3w.filters.sentences import sentence_places
from openm3w.filters.verdict import KEEP, Verdict, drop

MIN_SENTENCES, MAX_SENTENCES = 4, 40
"""MMC4-core (arXiv:2304.06939)."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceCount:
    """Drops pages with too few or too many sentences; both bounds are inclusive.

    Source: 4 and 40 are MMC4-core's (Zhu et al., 2023, arXiv:2304.06939), which splits by NLTK;
    sentences here are those that images are scored against, whatever their length.
    """

    name: ClassVar[str] = "sentence_count"
    reasons: ClassVar[frozenset[str]] = frozenset({"too_few_sentences", "too_many_sentences"})

    measuring: ClassVar[frozenset[str]] = frozenset()

    min_sentences: int = MIN_SENTENCES
    max_sentences: int = MAX_SENTENCES

    def __post_init__(self) -> None:
        if self.min_sentences > self.max_sentences:
            raise ValueError(
                f"min_sentences {self.min_sentences} is above max_sentences {self.max_sentences}"
            )

    def keep(self, text: TextFacts) -> Verdict:
        count = sum(1 for _ in sentence_places(text.text))
        if count < self.min_sentences:
            return drop("too_few_sentences")
        return drop("too_many_sentences") if count > self.max_sentences else KEEP

    def measure(self, text: TextFacts) -> Measures:
        count = sum(1 for _ in sentence_places(text.text))
        return {"sentence_count.sentences": float(count)}

    def limits(self) -> tuple[Limit, ...]:
        name = "sentence_count.sentences"
        return (
            Limit(measure=name, reason="too_few_sentences", least=self.min_sentences),
            Limit(measure=name, reason="too_many_sentences", most=self.max_sentences),
        )
