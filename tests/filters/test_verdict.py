import pytest

from openm3w.filters.verdict import KEEP, Verdict, drop


def test_kept_is_true_and_dropped_is_false():
    assert KEEP
    assert not drop("too_small")
    assert drop("too_small") == Verdict("too_small")
    assert KEEP.reason is None


def test_a_verdict_cannot_be_changed():
    with pytest.raises(AttributeError):
        KEEP.reason = "changed"
