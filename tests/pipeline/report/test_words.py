import pytest

from openm3w.pipeline.report import words
from openm3w.shards.funnel import Stage
from openm3w.shards.terminal import number


def test_reasons_are_ordered_by_count_then_name():
    stage = Stage(
        job="x", unit="pages", entered=9, kept=0, dropped={"b": 2, "a": 2}, failed={"c": 5}
    )
    assert words.reasons(stage) == [("failed", "c", 5), ("dropped", "a", 2), ("dropped", "b", 2)]


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 0, ""),
        (0, 5, "0.0 %"),
        (1, 3, "33.3 %"),
        (5, 5, "100.0 %"),
        (1, 100, "1.0 %"),
        (34, 10_000, "0.34 %"),
    ],
)
def test_shares_are_per_cent_of_a_whole(part, whole, expected):
    assert words.share(part, whole) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (12345, "12,345"),
        (3.0, "3"),
        (0.15, "0.15"),
        (1 / 3, "0.3333"),
        (1234.56, "1,234.6"),
        (-12345.678, "-12,345.7"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_are_short(value, expected):
    assert number(value) == expected
