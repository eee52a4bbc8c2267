"""Connected components by rounds of large-star and small-star, as functions on sets of edges.

Kiveris, Lattanzi, Mirrokni, Rastogi and Vassilvitskii, "Connected Components in MapReduce and
Beyond", SoCC 2014, algorithm 1. A round needs no more than each node's own neighbours, and never
adds edges, so that it spreads over machines; in the end each node hangs on the least of its
component. The same two steps as Beam transforms are in `openm3w.pipeline.dedup.components`.
"""

from collections import defaultdict
from collections.abc import Iterable

Edge = tuple[str, str]
"""Two nodes, the greater first. A loop says nothing and is left out."""


def large_star(edges: Iterable[Edge]) -> set[Edge]:
    """Hangs the greater neighbours of each node on its least neighbour, or on itself."""
    return {
        (other, min(node, *around))
        for node, around in _neighbours(edges).items()
        for other in around
        if other > node
    }


def small_star(edges: Iterable[Edge]) -> set[Edge]:
    """Hangs each node and its smaller neighbours on the least of these."""
    return {
        (other, least)
        for node, around in _neighbours(edges).items()
        if (least := min(around)) < node
        for other in (node, *around)
        if least < other <= node
    }


def components(edges: Iterable[Edge], rounds: int | None = None) -> set[Edge]:
    """Each node with the least of its component, those least ones left out.

    Raises:
        RuntimeError: `rounds` were not enough; without a number there are as many as it takes.
    """
    current = {(max(edge), min(edge)) for edge in edges if edge[0] != edge[1]}
    done = 0
    while not is_finished(current):
        if done == rounds:
            raise RuntimeError(f"components are not done after {rounds} rounds")
        current = small_star(large_star(current))
        done += 1
    return current


def is_finished(edges: Iterable[Edge]) -> bool:
    """Does every node hang on one that hangs on nothing?"""
    known = set(edges)
    hanging = [greater for greater, _ in known]
    roots = {least for _, least in known}
    return len(hanging) == len(set(hanging)) and roots.isdisjoint(hanging)


def _neighbours(edges: Iterable[Edge]) -> dict[str, set[str]]:
    around: dict[str, set[str]] = defaultdict(set)
    for one, other in edges:
        around[one].add(other)
        around[other].add(one)
    return around
