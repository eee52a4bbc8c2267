"""What a filter answers: kept, or dropped with one reason that can be counted."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Truthy when kept; otherwise `reason` is one of those the filter declares."""

    reason: str | None = None

    def __bool__(self) -> bool:
        return self.reason is None


KEEP = Verdict()


def drop(reason: str) -> Verdict:
    """The verdict of a filter that does not keep its input."""
    return Verdict(reason)
