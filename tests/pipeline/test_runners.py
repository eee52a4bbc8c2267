import os

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that, equal_to

from openm3w.errors import NotBuiltError, OutputError, RecipeError
from openm3w.pipeline.runners import Runner, run

pytestmark = pytest.mark.beam


@pytest.mark.parametrize("name", ["dataflow", "flink", "spark", "portable"])
def test_planned_runners_are_refused_in_one_line(name):
    with pytest.raises(NotBuiltError, match=f"--runner {name} is planned"):
        Runner(name=name)


@pytest.mark.parametrize(("name", "message"), [("dask", "loses elements"), ("lokal", "use local")])
def test_wrong_runners_are_refused_in_one_line(name, message):
    with pytest.raises(RecipeError, match=message):
        Runner(name=name)


@pytest.mark.parametrize("name", ["local", "local-mp"])
def test_an_error_of_the_users_arrives_as_itself_from_any_runner(name):
    def fail(_):  # inside the test, so that a worker gets it by value
        raise OutputError("out/x.tar: cannot be written: disk full; free some space")

    with pytest.raises(OutputError) as error:
        run(Runner(name=name, workers=1), lambda p: p | beam.Create([1]) | beam.Map(fail))

    assert str(error.value) == "out/x.tar: cannot be written: disk full; free some space"


def test_a_defect_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        run(Runner(), lambda p: p | beam.Create([0]) | beam.Map(lambda x: 1 / x))


def process_of(_):
    return os.getpid()


def test_local_runs_in_this_process():
    run(
        Runner(),
        lambda p: assert_that(
            p | beam.Create([1, 2]) | beam.Map(process_of) | beam.Distinct(),
            equal_to([os.getpid()]),
        ),
    )


def _interrupt(_):
    raise KeyboardInterrupt


def test_an_interrupt_inside_a_step_is_an_interrupt():
    with pytest.raises(KeyboardInterrupt):
        run(
            Runner(name="local", workers=1),
            lambda p: p | beam.Create([1]) | beam.Map(_interrupt),
        )
