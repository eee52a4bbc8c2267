import math

import pytest

from openm3w.filters.limits import Limit, judge
from openm3w.filters.verdict import KEEP, drop

WORDS = Limit(measure="words", reason="too_few_words", least=10)
SHARE = Limit(measure="share", reason="too_much", most=0.5)


@pytest.mark.parametrize(("value", "holds"), [(9, False), (10, True), (math.inf, True)])
def test_the_lower_end_is_inside(value, holds):
    assert WORDS.holds(value) is holds


@pytest.mark.parametrize(("value", "holds"), [(0.5, True), (0.501, False), (-math.inf, True)])
def test_the_upper_end_is_inside(value, holds):
    assert SHARE.holds(value) is holds


def test_what_is_no_number_is_outside():
    assert not WORDS.holds(math.nan)
    assert not SHARE.holds(math.nan)


def test_the_first_limit_that_does_not_hold_gives_the_reason():
    assert judge((WORDS, SHARE), {"words": 10, "share": 0.5}) == KEEP
    assert judge((WORDS, SHARE), {"words": 10, "share": 0.6}) == drop("too_much")
    assert judge((WORDS, SHARE), {"words": 9, "share": 0.6}) == drop("too_few_words")


def test_a_number_that_was_not_measured_is_an_error():
    with pytest.raises(KeyError, match="share"):
        judge((WORDS, SHARE), {"words": 10})
