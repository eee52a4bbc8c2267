import pytest

from openm3w.errors import InputError
from openm3w.pipeline.tables.columns import find_column, merged_type, types_of


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        ({"float"}, "float"),
        ({"float", "double"}, "double"),
        ({"int64", "double"}, "double"),
        ({"bool"}, "bool"),
        ({"bool", "int64"}, "string"),
        ({"string", "int64"}, "string"),
    ],
)
def test_columns_of_several_tables_have_a_type_that_holds_all(types, expected):
    assert merged_type(types) == expected


def test_types_of_rows_are_those_of_all_values_that_are_there():
    rows = [{"n": None, "b": True, "e": None, "m": 1}, {"n": 1, "b": False, "m": "x"}, {"n": 0.5}]

    assert types_of(rows) == {"n": "double", "b": "bool", "e": "string", "m": "string"}


@pytest.mark.parametrize(
    ("asked", "have", "found"),
    [("", ["b", "a"], "a"), ("b", ["a", "b"], "b"), ("", ["c", "b"], "b")],
)
def test_a_column_asked_for_goes_before_those_known(asked, have, found):
    assert find_column(have, asked, ("a", "b"), "--text-column", "t") == found


@pytest.mark.parametrize("have", [["c"] * 1000, ["x" * 10_000]])
def test_an_error_on_columns_stays_one_short_line(have):
    with pytest.raises(InputError, match="name it with --text-column; it has ") as caught:
        find_column(have, "", ("a", "b"), "--text-column", "t")

    assert len(str(caught.value)) < 700
