"""Numbers, shares and reasons as a report says them."""

import math

from openm3w.shards.funnel import Stage


def number(value: float) -> str:
    """A number as short as it can be said: 12,345 or 0.15."""
    if not math.isfinite(value):
        return str(value)
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4g}"


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
