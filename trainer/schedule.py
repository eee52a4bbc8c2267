"""Learning rate as a function of the step."""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRecipe:
    """Warm-up, then a curve to the last step."""

    steps: int
    """Optimiser steps of the whole run."""
    warmup: int
    """Steps of linear rise from 0."""
    shape: Literal["linear", "cosine", "constant"] = "linear"
    """How it falls to 0 after the warm-up, if at all."""

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"schedule.steps: {self.steps}, expected 1 or more")
        if not 0 <= self.warmup <= self.steps:
            raise ValueError(f"schedule.warmup: {self.warmup} is not in 0 to schedule.steps")


def factor(schedule: ScheduleRecipe, step: int) -> float:
    """What step `step`, counted from 0, multiplies the peak rate with.

    The last step of the warm-up runs at the peak, the step after the run's last would be at 0.
    """
    if step < schedule.warmup:
        return (step + 1) / schedule.warmup
    if schedule.shape == "constant":
        return 1.0
    done = min((step - schedule.warmup) / max(schedule.steps - schedule.warmup, 1), 1.0)
    return 1 - done if schedule.shape == "linear" else (1 + math.cos(math.pi * done)) / 2
