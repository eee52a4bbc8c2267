"""Named numbers and what they must stay inside: the common form of nearly all decisions.

A filter that measures says what it looks at (`measure`) and how far that may go (`limits`). The
same limits then decide about one document, about a million stored rows, and are what is shown
beside the number where somebody asks why.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from openm3w.filters.verdict import KEEP, Verdict, drop

Measures = Mapping[str, float]
"""Name -> number; NaN where there is nothing to measure, infinite where no bound may drop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How far a number may go; both ends are inside."""

    measure: str
    """Name of the number, as `gopher_quality.words`."""
    reason: str
    """Of what is outside."""
    least: float = -math.inf
    most: float = math.inf

    def holds(self, value: float) -> bool:
        """Whether `value` is inside; what is no number is not."""
        return self.least <= value <= self.most


class Measured(Protocol):
    """What a filter has beside `keep` where its decision is a comparison of numbers.

    `measure` takes what `keep` takes and leaves nothing out, however early `keep` would know. A
    filter keeps what holds all limits, and the first that does not hold gives the reason.
    """

    measuring: ClassVar[frozenset[str]]
    """The fields that change what is measured; all others are bounds and change `limits` alone."""

    def limits(self) -> tuple[Limit, ...]: ...


def at_least(measure: str, least: float, reason: str) -> Limit:
    """The number `measure` may not go below `least`."""
    return Limit(measure=measure, reason=reason, least=least)


def at_most(measure: str, most: float, reason: str) -> Limit:
    """The number `measure` may not go above `most`."""
    return Limit(measure=measure, reason=reason, most=most)


def measured_by(rule: Measured) -> dict[str, Any]:
    """What the numbers of `rule` hang on: stored ones serve a rule for which this is equal."""
    return {name: getattr(rule, name) for name in sorted(rule.measuring)}


def judge(limits: Iterable[Limit], measures: Measures) -> Verdict:
    """KEEP where all limits hold, else the reason of the first that does not.

    Raises:
        KeyError: a number that a limit asks for was not measured.
    """
    for limit in limits:
        if not limit.holds(measures[limit.measure]):
            return drop(limit.reason)
    return KEEP
