"""A run's metrics: a console line, a line of JSON, and TensorBoard where it is asked for."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openm3w.errors import MissingError

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """One source in the steps since the last report, and since the run began."""

    name: str
    target: float
    """Share of the tokens that the recipe asks for, 0 to 1."""
    recent: float
    """Share achieved since the last report."""
    total: float
    """Share achieved since the run began."""
    loss: float | None
    """Nats per supervised token; None where there was none."""


class RunLog:
    """Writes `metrics.jsonl` and tells the console."""

    def __init__(self, run: Path, say: Say, *, tensorboard: bool, resume_step: int) -> None:
        self.say = say
        self._path = run / "metrics.jsonl"
        self._forget_after(resume_step)
        self._board = _board(run / "tensorboard", resume_step) if tensorboard else None

    def write(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        """Adds a line of JSON, and its numbers to TensorBoard."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"kind": kind, "step": step, **values}) + "\n")
        if self._board is not None:
            for name, value in flat(values):
                self._board.add_scalar(f"{kind}/{name}", value, step)

    def close(self) -> None:
        """Flushes TensorBoard's file."""
        if self._board is not None:
            self._board.close()

    def _forget_after(self, step: int) -> None:
        """Drops lines of steps that a resumed run will do again, and a line cut by a crash."""
        if not self._path.exists():
            return
        kept = [line for line in self._path.read_text().splitlines() if _step_of(line) <= step]
        self._path.write_text("".join(f"{line}\n" for line in kept))


def console_line(
    step: int, steps: int, values: Mapping[str, float], sources: Sequence[SourceReport]
) -> str:
    """Loss, rate, speed and waiting on a line, then a line a source: ratio achieved and loss."""
    head = (
        f"step {step}/{steps}  loss {values['loss']:.3f}  lr {values['lr']:.1e}  "
        f"{values['tokens_per_second']:,.0f} tok/s  wait {values['data_wait_share']:.0%} "
        f"(encoder {values['encoder_share']:.0%})"
    )
    width = max((len(source.name) for source in sources), default=0)
    return "\n".join([head, *(_source_text(source, width) for source in sources)])


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    """The numbers in nested tables, by path."""
    result: list[tuple[str, float]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            result.extend(flat(value, f"{prefix}{name}/"))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            result.append((f"{prefix}{name}", float(value)))
    return result


def _source_text(source: SourceReport, width: int) -> str:
    loss = "-" if source.loss is None else f"{source.loss:.3f}"
    return (
        f"    {source.name:{width}}  {source.recent:6.1%} now  {source.total:6.1%} in all "
        f"of {source.target:.1%} wanted  loss {loss}"
    )


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")


def _board(folder: Path, resume_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingError(
            "run.tensorboard: the tensorboard package is not installed; pip install tensorboard, "
            "or --set run.tensorboard=false"
        ) from error
    return SummaryWriter(str(folder), purge_step=resume_step + 1)
