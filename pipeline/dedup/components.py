"""Connected components by star rounds on Beam: see `openm3w.filters.dedup.components`."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

from openm3w.errors import RecipeError
from openm3w.filters.dedup.components import Edge
from openm3w.pipeline.dedup.hot import PairWithFirst

DEFAULT_ROUNDS = 6
"""Enough for a chain of 50 documents, and each further round for one twice as long (counted on
chains up to 10,000); clusters of near duplicates are far rounder."""


class Components(beam.PTransform[Any, Any]):
    """Edges to (node, least of its component) for each node but the least ones.

    A graph of Beam has no loops, so that the number of rounds is fixed beforehand.

    Raises:
        RecipeError: on a worker, where the rounds were too few.
    """

    def __init__(self, rounds: int = DEFAULT_ROUNDS) -> None:
        super().__init__()
        if rounds < 1:
            raise RecipeError(f"dedup.rounds: is {rounds}; use 1 or more")
        self._rounds = rounds

    def expand(self, edges: PCollection[Any]) -> PCollection[Any]:
        edges = edges | "Turn" >> beam.FlatMap(_turned) | "Distinct" >> beam.Distinct()
        for number in range(1, self._rounds + 1):
            edges = edges | f"Large star {number}" >> _Star(_both_ways, larger=True)
            edges = edges | f"Small star {number}" >> _Star(_downwards, larger=False)
        hanging = edges | "Hanging" >> beam.Map(lambda edge: edge)
        roots = edges | "Roots" >> beam.Values() | "Distinct roots" >> beam.Distinct()
        return (
            {"hanging": hanging, "roots": roots | "Key roots" >> beam.Map(lambda node: (node, 1))}
            | "Join" >> beam.CoGroupByKey()
            | "Check" >> beam.FlatMap(_checked, self._rounds)
        )


class _Star(beam.PTransform[Any, Any]):
    """One half of a round: nodes hang on the least of those around one node."""

    def __init__(self, around: Callable[[Edge], Iterable[Edge]], *, larger: bool) -> None:
        super().__init__()
        self._around, self._larger = around, larger

    def expand(self, edges: PCollection[Any]) -> PCollection[Any]:
        return (
            edges
            | "Around" >> beam.FlatMap(self._around)
            | "First" >> PairWithFirst()
            | "Hang" >> beam.FlatMap(_hung, self._larger)
            | "Distinct" >> beam.Distinct()
        )


def _turned(edge: Edge) -> Iterator[Edge]:
    if edge[0] != edge[1]:
        yield max(edge), min(edge)


def _both_ways(edge: Edge) -> Iterator[Edge]:
    one, other = edge
    yield from ((one, other), (other, one), (one, one), (other, other))


def _downwards(edge: Edge) -> Iterator[Edge]:
    greater, least = edge
    yield from ((greater, least), (greater, greater))


def _hung(pair: tuple[str, str, str], larger: bool) -> Iterator[Edge]:  # noqa: FBT001
    node, first, other = pair
    if not larger or other > node:
        yield other, first


def _checked(joined: tuple[str, Mapping[str, Iterable[str]]], rounds: int) -> Iterator[Edge]:
    node, sides = joined
    parents = list(sides["hanging"])
    if not parents:
        return
    if len(parents) > 1 or any(True for _ in sides["roots"]):
        raise RecipeError(f"dedup.rounds: {rounds} are too few for these components; use more")
    yield node, parents[0]
