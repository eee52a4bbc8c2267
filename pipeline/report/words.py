"""Shares and reasons as a report says them."""

from collections.abc import Iterable, Mapping
from typing import Any

from openm3w.shards.funnel import Stage


def words(name: object) -> str:
    """A name in snake_case as words."""
    return str(name).replace("_", " ")


def share(part: int, whole: int) -> str:
    """`part` of `whole` in per cent; "" where there is no whole."""
    if not whole:
        return ""
    value = 100 * part / whole
    # A web crawl keeps less than a hundredth: OBELICS kept 0.34 %.
    return f"{value:.2f} %" if 0 < value < 1 else f"{value:.1f} %"


def reasons(stage: Stage) -> list[tuple[str, str, int]]:
    """(`dropped` or `failed`, reason, count), the largest first."""
    rows = [("dropped", reason, count) for reason, count in stage.dropped.items()]
    rows += [("failed", reason, count) for reason, count in stage.failed.items()]
    return sorted(rows, key=lambda row: (-row[2], row[1]))


def flat(value: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    """Dotted names and values of a nested table, as `--set` would write them."""
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            yield from flat(item, f"{prefix}{key}.")
        elif isinstance(item, list | tuple):
            yield f"{prefix}{key}", ", ".join(map(str, item))
        else:
            yield f"{prefix}{key}", str(item)
