"""Places of values inside their key, counted from 0, for as many as are told apart.

A combiner holds the least `most` values of a key and no more, and several workers share a key: a
domain with half of all documents is no burden for one of them.
"""

import heapq
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

_FANOUT = 16  # workers that hold one key's least values before one holds those of all


class Ranks(beam.PTransform[Any, Any]):
    """(key, value)... to (value, place)... for the least `most` values of each key.

    Values are compared as they are and differ from each other.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def expand(self, keyed: PCollection[Any]) -> PCollection[Any]:
        least = beam.CombinePerKey(_Least(self._most)).with_hot_key_fanout(_FANOUT)
        return keyed | "Least" >> least | "Places" >> beam.FlatMap(_places)


class _Least(beam.CombineFn):
    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def create_accumulator(self) -> list[Any]:
        return []

    def add_input(self, accumulator: list[Any], element: Any) -> list[Any]:
        accumulator.append(element)
        return accumulator if len(accumulator) < 2 * self._most else self._cut(accumulator)

    def merge_accumulators(self, accumulators: Iterable[list[Any]]) -> list[Any]:
        merged: list[Any] = []
        for accumulator in accumulators:
            merged += accumulator
            if len(merged) >= 2 * self._most:
                merged = self._cut(merged)
        return merged

    def compact(self, accumulator: list[Any]) -> list[Any]:
        return self._cut(accumulator)

    def extract_output(self, accumulator: list[Any]) -> list[Any]:
        return self._cut(accumulator)

    def _cut(self, values: list[Any]) -> list[Any]:
        return heapq.nsmallest(self._most, values)


def _places(found: tuple[Any, list[Any]]) -> Iterator[tuple[Any, int]]:
    for place, value in enumerate(found[1]):
        yield value, place
