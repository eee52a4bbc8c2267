"""What is known of one registered domain whose items wait for their turn."""

import heapq
from dataclasses import dataclass, field
from math import inf
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Domain(Generic[T]):
    """A domain's items as pairs of host and item; small, since there may be millions of domains."""

    front: list[tuple[str, T]] = field(default_factory=list)
    """The next in line, the first one last."""
    back: list[tuple[str, T]] = field(default_factory=list)
    """Those behind them, in their order."""
    later: list[tuple[float, int, str, T]] = field(default_factory=list)
    """A heap of those that wait for a time."""
    starts: list[float] = field(default_factory=list)
    """The latest starts: those under way, and one that nobody takes back."""
    owed: int = 0
    """Requests since the latest start beside it, for which the domain rests as for starts."""
    running: int = 0
    paused_until: float = -inf
    delay: float = 0.0
    faults: dict[str, int] | None = None
    """Faults in a row by host."""
    turn: int = 0
    """Its entry among the turns; 0: it has none."""
    ready_at: float = 0.0

    def take(self, now: float) -> T:
        """The item that waited for its time the longest, else the first in line."""
        if self.later and self.later[0][0] <= now:
            return heapq.heappop(self.later)[3]
        if not self.front:
            self.front, self.back = self.back[::-1], []
        return self.front.pop()[1]

    def count(self, host: str, *, unreachable: bool) -> None:
        """Notes whether a host could be reached."""
        faults = self.faults or {}
        faults[host] = faults.get(host, 0) + 1 if unreachable else 0
        self.faults = {name: number for name, number in faults.items() if number} or None
