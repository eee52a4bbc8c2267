"""Errors of the user's own filters: a few of a unit's, and for people the first of each filter."""

from collections.abc import Iterable, Mapping

from openm3w.pipeline.page import MAX_ERRORS
from openm3w.shards.terminal import clean_line


class Failures:
    """What a sidecar has of them: so many, and the first of every filter in any case."""

    def __init__(self) -> None:
        self.errors: list[dict[str, str]] = []
        self._filters: set[str] = set()

    def add(self, url: str, error: str) -> None:
        """Takes the error that a document met, in the order of documents; "" is none."""
        if error and (len(self.errors) < MAX_ERRORS or _filter(error) not in self._filters):
            self._filters.add(_filter(error))
            self.errors.append({"url": url, "error": error})


def first_of_each(errors: Iterable[Mapping[str, str]]) -> tuple[str, ...]:
    """A line for each filter that fell over a document: its first error, and which document."""
    first: dict[str, str] = {}
    for each in errors:
        line = clean_line(f"{each['error']} (first at {each['url']})")
        first.setdefault(_filter(each["error"]), line)
    return tuple(first.values())


def _filter(error: str) -> str:
    """`filter NAME` of a `FilterError`'s text."""
    return error.partition(":")[0]
