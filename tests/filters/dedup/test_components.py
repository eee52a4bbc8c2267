import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.filters.dedup.components import components, is_finished, large_star, small_star

NODES = st.integers(0, 25).map(lambda number: f"{number:02d}")
EDGES = st.lists(st.tuples(NODES, NODES), max_size=40)


def by_union(edges):
    """The same by union-find, which no cluster could run."""
    parent = {node: node for edge in edges for node in edge}

    def root(node):
        while parent[node] != node:
            node = parent[node]
        return node

    for one, other in edges:
        low, high = sorted((root(one), root(other)))
        parent[high] = low
    return {(node, root(node)) for node in parent if root(node) != node}


@given(EDGES)
def test_each_node_hangs_on_the_least_of_its_component(edges):
    assert components(edges) == by_union(edges)


@given(EDGES)
def test_a_star_never_adds_edges_or_changes_what_is_connected(edges):
    current = {(max(edge), min(edge)) for edge in edges if edge[0] != edge[1]}
    for star in (large_star, small_star):
        after = star(current)
        assert len(after) <= len(current)
        assert all(one > other for one, other in after)
        assert by_union(after) == by_union(current)
        current = after


def test_the_stars_as_drawn_in_the_paper():
    # Around 5: smaller 2 and 3, greater 7 and 8.
    edges = {("5", "2"), ("5", "3"), ("7", "5"), ("8", "5")}

    around_five = {("7", "2"), ("8", "2")}  # the greater ones move to the least
    assert around_five <= large_star(edges)
    assert small_star({("5", "2"), ("5", "3")}) == {("5", "2"), ("3", "2")}


def test_a_chain_takes_few_rounds():
    chain = [(f"{at:03d}", f"{at + 1:03d}") for at in range(500)]

    assert components(chain, rounds=9) == {(f"{at:03d}", "000") for at in range(1, 501)}


def test_too_few_rounds_are_an_error():
    chain = [(f"{at:02d}", f"{at + 1:02d}") for at in range(20)]

    with pytest.raises(RuntimeError, match="after 1 rounds"):
        components(chain, rounds=1)


@pytest.mark.parametrize(
    ("edges", "finished"),
    [
        ([], True),
        ([("b", "a"), ("c", "a")], True),
        ([("b", "a"), ("c", "b")], False),
        ([("c", "a"), ("c", "b")], False),
    ],
)
def test_finished_are_stars_around_the_least(edges, finished):
    assert is_finished(edges) is finished
