"""What occurs too often: paragraphs of a site, images of the whole corpus.

Counts are added where the elements are before they are shuffled, and those of one key on several
workers: a pixel that is on every page is no burden for one of them. Counts of earlier runs are
more elements of the same kind.
"""

from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

from openm3w.errors import RecipeError
from openm3w.pipeline.dedup.hot import LookUp

_FANOUT = 16  # workers that add up one key's counts before one adds up theirs


class Totals(beam.PTransform[Any, Any]):
    """(key, count)... to one (key, total) for each key."""

    def expand(self, counts: PCollection[Any]) -> PCollection[Any]:
        return counts | "Add" >> beam.CombinePerKey(sum).with_hot_key_fanout(_FANOUT)


class MarkFrequent(beam.PTransform[Any, Any]):
    """(key, place)... to (place, total)... where the key's total is `minimum` or more.

    `totals` are one (key, total) for each key, of this run and of those before it.
    """

    def __init__(self, totals: PCollection[tuple[Any, int]], minimum: int) -> None:
        super().__init__()
        if minimum < 1:
            raise RecipeError(f"dedup: a minimum of {minimum} occurrences; use 1 or more")
        self._totals, self._minimum = totals, minimum

    def expand(self, occurrences: PCollection[tuple[Any, Any]]) -> PCollection[tuple[Any, int]]:
        minimum = self._minimum
        frequent = self._totals | "Frequent" >> beam.Filter(lambda kv: kv[1] >= minimum)
        return occurrences | "Look up" >> LookUp(frequent)
