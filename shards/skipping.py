"""What readers leave out because it is damaged: the policy, and counts by reason."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from openm3w.errors import ShardError
from openm3w.shards.terminal import clean_line

OnBad = Literal["raise", "skip-shard", "skip-sample"]
"""What happens at a damage. `raise`: an error. `skip-shard`: the shard is left out from there on.
`skip-sample`: as little as can be told apart is left out."""
ON_BAD: tuple[OnBad, ...] = ("raise", "skip-shard", "skip-sample")

_MAX_LINES = 20
"""Damages that are logged one by one (ours); all are counted."""

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Skipped:
    """Counts by reason of what was left out; every one is logged too, the first twenty singly.

    Samples of the manifest = samples given + excluded ones that were read + `num_samples`, once all
    was read. What is not read has no key: an excluded sample of a shard that is left out is among
    `num_samples`.
    """

    shards: Counter[str] = field(default_factory=Counter)
    """Shards that had a fault of their own, whether or not some of their samples were given."""
    samples: Counter[str] = field(default_factory=Counter)
    """Samples that were not given."""
    told: int = field(default=0, repr=False, compare=False)

    @property
    def num_shards(self) -> int:
        return self.shards.total()

    @property
    def num_samples(self) -> int:
        return self.samples.total()

    def __bool__(self) -> bool:
        return bool(self.num_shards or self.num_samples)

    def shard(self, fault: ShardError, *, samples: int) -> None:
        """Notes a shard, of which so many samples are left out."""
        self.shards[fault.reason] += 1
        if samples > 0:
            self.samples[fault.reason] += samples
        self._tell(fault, f"{max(samples, 0):,} of its samples are left out")

    def sample(self, fault: ShardError) -> None:
        """Notes one sample."""
        self.samples[fault.reason] += 1
        self._tell(fault, "this sample is left out")

    def to_json(self) -> dict[str, dict[str, int]]:
        """Both counts, as JSON takes them."""
        return {"shards": dict(self.shards), "samples": dict(self.samples)}

    @classmethod
    def from_json(cls, value: Any) -> "Skipped":
        """The inverse of `to_json`."""
        return cls(Counter(value["shards"]), Counter(value["samples"]))

    def __str__(self) -> str:
        """One line for a log."""
        parts = [
            f"{counter.total():,} {name} ("
            + ", ".join(f"{reason} {number:,}" for reason, number in sorted(counter.items()))
            + ")"
            for name, counter in (("bad shards", self.shards), ("samples left out", self.samples))
            if counter
        ]
        return ", ".join(parts) or "nothing left out"

    def _tell(self, fault: ShardError, what: str) -> None:
        self.told += 1
        if self.told <= _MAX_LINES:
            _logger.warning("%s; %s", clean_line(str(fault)), what)
        if self.told == _MAX_LINES:
            _logger.warning("further damages are counted and not told one by one")
