import pytest

from openm3w.trainer.schedule import ScheduleRecipe, factor


@pytest.mark.parametrize(
    ("shape", "step", "expected"),
    [
        ("linear", 0, 0.25),
        ("linear", 3, 1.0),
        ("linear", 4, 1.0),
        ("linear", 9, 0.5),
        ("linear", 13, 0.1),
        ("linear", 14, 0.0),
        ("linear", 99, 0.0),
        ("cosine", 4, 1.0),
        ("cosine", 9, 0.5),
        ("cosine", 14, 0.0),
        ("constant", 1, 0.5),
        ("constant", 13, 1.0),
    ],
)
def test_the_rate_rises_and_falls(shape, step, expected):
    recipe = ScheduleRecipe(steps=14, warmup=4, shape=shape)
    assert factor(recipe, step) == pytest.approx(expected)


def test_there_may_be_no_warmup_and_nothing_but_warmup():
    assert factor(ScheduleRecipe(steps=2, warmup=0), 0) == 1.0
    assert factor(ScheduleRecipe(steps=2, warmup=2), 1) == 1.0


@pytest.mark.parametrize(("steps", "warmup"), [(0, 0), (5, 6), (5, -1)])
def test_a_schedule_that_makes_no_sense_is_refused(steps, warmup):
    with pytest.raises(ValueError, match="schedule"):
        ScheduleRecipe(steps=steps, warmup=warmup)
