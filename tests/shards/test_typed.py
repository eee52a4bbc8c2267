from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from openm3w.shards.typed import fits, make


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    name: str
    sizes: tuple[int, ...] = ()
    side: int | None = None


@pytest.mark.parametrize(
    ("hint", "fitting", "others"),
    [
        (str, ["", "a"], [None, 1, b"a"]),
        (int, [0, -1], [True, 1.0, "1", None]),
        (float, [0, 0.5], [True, "0.5", None]),
        (int | None, [None, 1], ["1", True]),
        (Literal["a", "b"], ["a"], ["c", 1, []]),
        (tuple[str, ...], [(), ("a",)], ["a", ["a"], (1,)]),
        (Mapping[str, float], [{}, {"a": 1}], [[], {"a": "1"}, {"a": None}]),
        (Mapping[str, Any], [{}, {"a": []}], [[], None]),
        (Any, [None, 1, []], []),
    ],
)
def test_a_value_fits_its_type_or_does_not(hint, fitting, others):
    assert all(fits(value, hint) for value in fitting)
    assert not any(fits(value, hint) for value in others)


def test_a_list_becomes_the_tuple_that_is_declared():
    assert make(Row, {"name": "a", "sizes": [1, 2]}) == Row(name="a", sizes=(1, 2))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "Row is list, expected an object"),
        ({"name": 5}, "name: int does not fit, expected str"),
        ({"name": "a", "sizes": ["1"]}, "sizes: tuple does not fit"),
        ({}, "name"),
        ({"name": "a", "colour": 1}, "colour"),
    ],
)
def test_what_is_wrong_is_named(value, message):
    with pytest.raises(TypeError, match=message):
        make(Row, value)
