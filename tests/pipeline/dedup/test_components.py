import random

import pytest

from openm3w.errors import RecipeError
from openm3w.filters.dedup.components import components
from openm3w.pipeline.dedup.components import Components

pytestmark = pytest.mark.beam


def chain(length):
    return [(f"{at:04d}", f"{at + 1:04d}") for at in range(length)]


def test_components_are_those_of_the_pure_functions(collect):
    draw = random.Random(4)
    edges = [tuple(f"{draw.randrange(150):03d}" for _ in "ab") for _ in range(100)]
    edges += [(f"{node:03d}", "900") for node in range(901, 990)]  # a star
    edges += [("900", "900"), *edges[:20]]  # a loop, and edges that are there twice
    edges += chain(49)  # for 50 documents in a row the default rounds are enough

    found = collect(Components(), edges)
    assert found == sorted(components(edges))
    assert [edge for edge in found if edge[1] == "0000"] == [
        (f"{at:04d}", "0000") for at in range(1, 50)]  # fmt: skip


def test_too_few_rounds_are_an_error_and_no_wrong_component(collect):
    with pytest.raises(RecipeError, match=r"dedup\.rounds: 1 are too few"):
        collect(Components(1), chain(10))


def test_no_edges_are_no_components(collect):
    assert collect(Components(1), []) == []


def test_no_rounds_are_refused():
    with pytest.raises(RecipeError, match="use 1 or more"):
        Components(0)
