"""Runner names to Beam pipelines.

The local runners build Beam's FnApiRunner themselves: Beam's default would try to download Prism
where there is a network, so that a laptop and CI would run different engines. Options are handed
to worker processes through the provision information, which `--runner=FnApiRunner` forgets.
"""

import contextlib
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner.fn_runner import (
    ExtendedProvisionInfo,
    FnApiRunner,
)
from apache_beam.runners.portability.portable_runner import JobServiceHandle

from openm3w import errors
from openm3w.errors import NotBuiltError, OpenM3WError, RecipeError

T = TypeVar("T")

LOCAL = ("local", "local-mp")
PLANNED = ("portable", "dataflow", "flink", "spark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Where pipelines run."""

    name: str = "local"
    """`local`: in this process. `local-mp`: one worker process a core."""
    workers: int = 0
    """Processes of `local-mp`; 0 takes the number of cores."""

    def __post_init__(self) -> None:
        if self.name in PLANNED:
            raise NotBuiltError(
                f"--runner {self.name} is planned and not built yet; use {' or '.join(LOCAL)}"
            )
        if self.name == "dask":
            raise RecipeError("--runner dask: Beam's DaskRunner loses elements; use local-mp")
        if self.name not in LOCAL:
            raise RecipeError(f"--runner {self.name}: unknown; use {' or '.join(LOCAL)}")

    @property
    def num_workers(self) -> int:
        if self.name == "local":
            return 1
        return self.workers or os.cpu_count() or 1


def run(runner: Runner, graph: Callable[[beam.Pipeline], object]) -> None:
    """Builds the pipeline with `graph` and runs it to its end.

    Raises:
        OpenM3WError: a worker met an error that is the user's to mend.
        KeyboardInterrupt: the user stopped it, also where Beam calls that a failure of a step.
    """
    options = _options(runner)
    # Beam logs a failed bundle with a traceback before it raises it; `_user_error` says it better.
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    pipeline = beam.Pipeline(runner=_engine(options), options=options)
    graph(pipeline)
    try:
        with _quiet_workers(runner):
            pipeline.run().wait_until_finish()
    except Exception as error:
        stopped = (cause for cause in _causes(error) if isinstance(cause, KeyboardInterrupt))
        if (stop := next(stopped, None)) is not None:
            raise stop from None  # itself: it tells which signal it was
        ours = _user_error(error)
        if ours is None:
            raise
        raise ours from error


def run_each(runner: Runner, name: str, do: Callable[[T], object], elements: Iterable[T]) -> None:
    """Has `do` done for each element by whichever worker is free; `name` is that of the step.

    Raises:
        as `run`; where there is no element, no pipeline is built.
    """
    if left := list(elements):
        run(
            runner,
            lambda p: (
                p
                | "Elements" >> beam.Create(left)
                | "Spread" >> beam.Reshuffle()
                | name >> beam.Map(do)
            ),
        )


@contextlib.contextmanager
def _quiet_workers(runner: Runner) -> Iterator[None]:
    """Keeps what Beam's worker processes log at their start and end off the user's terminal.

    A worker that fails sends its error through Beam, which raises it here.
    """
    if runner.name == "local":
        yield
        return
    # Workers share the cores: their idle threads should sleep instead of spin.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # Workers import what the caller can, as plugins.
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    sys.stderr.flush()
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        if path is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = path
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def _options(runner: Runner) -> PipelineOptions:
    arguments = ["--default_sdk_harness_log_level=ERROR", "--no_save_main_session"]
    if runner.name == "local-mp":
        arguments += [
            "--direct_running_mode=multi_processing",
            f"--direct_num_workers={runner.num_workers}",
        ]
    return PipelineOptions(arguments)


def _engine(options: PipelineOptions) -> FnApiRunner:
    encoded = JobServiceHandle.encode_pipeline_options(options.get_all_options())
    info = beam_provision_api_pb2.ProvisionInfo(pipeline_options=encoded)
    return FnApiRunner(provision_info=ExtendedProvisionInfo(info))


_REMOTE_ERROR = re.compile(
    r"^(?:openm3w\.errors\.)(\w+): (.*?)(?: \[while running .*)?$", re.MULTILINE
)


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__


def _user_error(error: BaseException) -> OpenM3WError | None:
    """The error of ours behind a failed pipeline; from a worker process only its text arrives."""
    for cause in _causes(error):
        if isinstance(cause, OpenM3WError):
            text = re.sub(r" \[while running .*", "", str(cause), flags=re.DOTALL)
            return type(cause)(text)
    if found := _REMOTE_ERROR.search(str(error)):
        kind = getattr(errors, found.group(1), OpenM3WError)
        return kind(found.group(2))
    return None
