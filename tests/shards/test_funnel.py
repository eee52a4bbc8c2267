import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.shards import funnel
from openm3w.shards.funnel import Stage


def stage(entered=10, kept=7, dropped=None, failed=None, job="read", unit="pages"):
    return Stage(
        job=job,
        unit=unit,
        entered=entered,
        kept=kept,
        dropped={"too_small": 2} if dropped is None else dropped,
        failed={"timeout": 1} if failed is None else failed,
    )


def test_a_stage_that_adds_up_passes():
    stage().check()
    stage(entered=0, kept=0, dropped={}, failed={}).check()


@pytest.mark.parametrize(
    "wrong",
    [
        stage(entered=11),
        stage(entered=9),
        stage(kept=8),
        stage(dropped={"too_small": 3}),
        stage(failed={}),
        stage(kept=-1, dropped={"too_small": 10}),
        stage(kept=8, dropped={"a": 3, "b": -2}),
    ],
)
def test_a_stage_that_does_not_add_up_is_named(wrong):
    with pytest.raises(ValueError, match=r"^read: "):
        wrong.check()


def test_the_message_says_every_number():
    with pytest.raises(ValueError, match=r"11 pages entered, but 7 kept \+ 2 dropped \+ 1 failed"):
        stage(entered=11).check()


def test_a_chain_goes_on_with_what_was_kept_unit_by_unit():
    funnel.check_chain(
        [
            stage(),
            stage(job="images", unit="images", entered=100, kept=97),
            stage(job="select", entered=7, kept=4),
            stage(job="scores", unit="images", entered=97, kept=94),
        ]
    )


def test_a_chain_that_loses_a_page_names_the_stage_and_the_one_before():
    chain = [stage(job="read"), stage(job="select", entered=6, kept=3)]
    with pytest.raises(ValueError, match="select: 6 pages entered, but read before it kept 7"):
        funnel.check_chain(chain)


def test_merging_adds_counts_for_each_job_and_unit_in_order():
    merged = funnel.merge(
        [
            stage(),
            stage(job="images", unit="images"),
            stage(entered=5, kept=3, dropped={"language": 1, "too_small": 1}, failed={}),
        ]
    )
    assert [(s.job, s.unit) for s in merged] == [("read", "pages"), ("images", "images")]
    assert merged[0] == stage(entered=15, kept=10, dropped={"language": 1, "too_small": 3})
    assert funnel.merge([]) == ()


counts = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 10**9))


@given(kept=st.integers(0, 10**9), dropped=counts, failed=counts)
def test_json_goes_there_and_back_and_still_adds_up(kept, dropped, failed):
    entered = kept + sum(dropped.values()) + sum(failed.values())
    before = stage(entered=entered, kept=kept, dropped=dropped, failed=failed)
    after = funnel.from_json(funnel.to_json(before))
    assert after == before
    after.check()
    assert funnel.merge([before, after])[0].entered == 2 * entered


@pytest.mark.parametrize(
    "value",
    [
        {"job": "read", "unit": "pages", "entered": 1},
        {**funnel.to_json(stage()), "extra": 1},
        {**funnel.to_json(stage()), "unit": "bytes"},
    ],
)
def test_json_that_is_no_stage_is_refused(value):
    with pytest.raises(ValueError, match=r"stage|unit"):
        funnel.from_json(value)
