import pytest

from openm3w.pipeline.tally import Tally, add_up


def counts(job, **outcomes):
    tally = Tally()
    tally.add("kept", count=outcomes.pop("kept", 0))
    for reason, count in outcomes.items():
        tally.add("dropped", reason, count)
    return {"stages": [tally.to_json(job, "pages")]}


def test_stages_of_units_are_added_up_by_job():
    first, second = add_up(
        [counts("a", kept=3, too_small=1), {}, counts("a", kept=2, too_big=4), counts("b", kept=5)]
    )

    assert (first.job, first.entered, first.kept) == ("a", 10, 5)
    assert first.dropped == {"too_small": 1, "too_big": 4}
    assert (second.job, second.kept) == ("b", 5)


def test_nothing_counted_is_no_stage():
    assert add_up([]) == ()


def test_an_outcome_is_one_of_three():
    with pytest.raises(ValueError, match="no such outcome: lost"):
        Tally().add("lost")
