"""How a score is spread, with a slider that shows what a threshold would keep."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from openm3w.shards.catalog.facts import Facts
from openm3w.shards.catalog.query import Query, Range
from openm3w.shards.catalog.stats import quantiles
from openm3w.shards.serve import measuring, templating
from openm3w.shards.serve.measuring import Histogram, Keep
from openm3w.shards.serve.site import Collection
from openm3w.shards.terminal import clean_line, number

_WIDTH, _HEIGHT = 1000, 220  # of the drawing, in its own units
_LABELS: Final = 7
_FIRST: Final = "similarity"
"""The measure that is shown where none is asked for and the dataset has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address of the page says."""

    measure: str
    keep: Keep
    at: float | None
    """None where no threshold was named."""
    typed: str
    query: Query
    fault: str


def numbers(request: Request) -> Response:
    """`/numbers?measure=NAME&keep=least|most&at=NUMBER&q=FILTER`."""
    kept = templating.site_of(request).kept
    measures = kept.facts.measures()
    asked = _asked(request, measures)
    values = values_of(kept, asked.measure, asked.query)
    shared: dict[str, Any] = {
        "measures": measures, "measure": asked.measure, "keep": asked.keep,
        "typed": asked.typed, "fault": asked.fault,
    }  # fmt: skip
    found = measuring.histogram(values)
    if not found:
        return templating.page(request, "numbers.html", at="", bars=[], **shared)
    (drawn,) = found
    # Where no threshold is named, the one that keeps all.
    at = asked.at if asked.at is not None else values[0 if asked.keep == "least" else -1]
    return templating.page(
        request,
        "numbers.html",
        at=f"{at:.10g}",
        bars=list(_bars(drawn, values, asked)),
        labels=list(labels(drawn, _WIDTH, _LABELS)),
        outcome=_outcome(kept.facts, drawn, values, at, asked),
        slider=round(1000 * drawn.share(at)),
        low=repr(drawn.edges[0]),
        high=repr(drawn.edges[-1]),
        is_log=drawn.is_log,
        ask=templating.address(
            "/numbers/at", measure=asked.measure, keep=asked.keep, q=str(asked.query)
        ),
        num_values=len(values),
        median=values[len(values) // 2],
        quantiles=list(quantiles(values).items()),
        of_images=kept.facts.is_of_images(asked.measure),
        **shared,
    )


def numbers_at(request: Request) -> Response:
    """`/numbers/at?...`: what the page says at another threshold, by the ids of its elements.

    Raises:
        HTTPException: there is no number, or nothing has this measure.
    """
    kept = templating.site_of(request).kept
    asked = _asked(request, kept.facts.measures())
    values = values_of(kept, asked.measure, asked.query)
    found = measuring.histogram(values)
    if asked.at is None or asked.fault or not found:
        raise HTTPException(HTTPStatus.BAD_REQUEST, asked.fault or "at= is no number")
    return JSONResponse(_outcome(kept.facts, found[0], values, asked.at, asked))


def values_of(collection: Collection, measure: str, query: Query) -> Sequence[float]:
    """All values of a measure, ascending; kept for the next look, as a slider moves."""
    return _values(collection.facts, measure, query, collection.progress.done)


@lru_cache(maxsize=8)  # of eight bytes a value
def _values(facts: Facts, measure: str, query: Query, done: int) -> Sequence[float]:
    del done  # while facts are still read there are more of them the next time
    return facts.values(measure, query) if measure else ()


def labels(drawn: Histogram, width: int, most: int) -> Iterator[dict[str, str]]:
    """At most about so many edges, as texts below the bars."""
    num = len(drawn.counts)
    for at in range(0, num + 1, math.ceil(num / most)):
        anchor = "start" if at == 0 else "end" if at == num else "middle"
        yield {"x": f"{width * at / num:.1f}", "anchor": anchor, "text": number(drawn.edges[at])}


def _asked(request: Request, measures: Sequence[str]) -> Asked:
    parameters = request.query_params
    measure = parameters.get("measure", "")
    if measure not in measures:
        measure = _FIRST if _FIRST in measures else next(iter(measures), "")
    typed, query, fault = templating.typed_query(request)
    try:
        at = float(parameters.get("at", ""))
    except ValueError:
        at = math.nan
    return Asked(
        measure=measure,
        keep="most" if parameters.get("keep") == "most" else "least",
        at=at if math.isfinite(at) else None,
        typed=typed,
        query=query,
        fault=fault,
    )


def _bars(drawn: Histogram, values: Sequence[float], asked: Asked) -> Iterator[dict[str, str]]:
    tallest, width = max(drawn.counts), _WIDTH / len(drawn.counts)
    seen = 0
    for at, count in enumerate(drawn.counts):
        low, high = drawn.edges[at], drawn.edges[at + 1]
        # A bar of few is seen too.
        height = max(2.0, (_HEIGHT - 10) * count / tallest) if count else 0.0
        # By the values themselves: both bounds of a condition are inside, and a bar's upper is not.
        inside = values[seen : seen + count] or (low, low)
        seen += count
        yield {
            "x": f"{at * width:.2f}",
            "width": f"{width:.2f}",
            "inner_x": f"{at * width + 0.06 * width:.2f}",
            "inner_width": f"{0.88 * width:.2f}",
            "y": f"{_HEIGHT - height:.2f}",
            "height": f"{height:.2f}",
            "title": f"{number(low)} to {number(high)}: {count:,}",
            "href": _gallery(asked, Range(low=inside[0], high=inside[-1])),
        }


def _outcome(
    facts: Facts, drawn: Histogram, values: Sequence[float], at: float, asked: Asked
) -> dict[str, Any]:
    found = measuring.outcome(facts, asked.measure, at, asked.keep, asked.query)
    sign = "≥" if asked.keep == "least" else "≤"
    x = _WIDTH * drawn.share(at)
    veil = (0.0, x) if asked.keep == "least" else (x, _WIDTH - x)
    texts = {"rule": f"{clean_line(asked.measure).replace('_', ' ')} {sign} {at:,.10g}"}
    attributes: dict[str, dict[str, str]] = {
        "veil": {"x": f"{veil[0]:.2f}", "width": f"{veil[1]:.2f}"},
        "edge": {"x1": f"{x:.2f}", "x2": f"{x:.2f}"},
    }
    for unit, part in (("documents", found.documents), ("images", found.images)):
        counts = {
            "all": part.all, "valued": part.kept + part.lost, "kept": part.kept, "lost": part.lost,
        }  # fmt: skip
        for name, count in counts.items():
            share = count / part.all if part.all else 0.0
            texts[f"{unit}-{name}"] = f"{count:,}"
            texts[f"{unit}-{name}-share"] = f"{share:.1%}"
            attributes[f"{unit}-{name}-bar"] = {"width": f"{100 * share:.2f}"}
    for name, bounds in zip(("see-kept", "see-lost"), _sides(values, at, asked.keep), strict=True):
        attributes[name] = {"href": _gallery(asked, bounds)}
    return {"texts": texts, "attributes": attributes}


def _sides(values: Sequence[float], at: float, keep: Keep) -> tuple[Range, Range]:
    """What lies on the threshold's kept side, and on the other: ends in the nearest lost value."""
    if keep == "least":
        below = bisect_left(values, at)
        return Range(low=at), Range(high=values[below - 1] if below else -math.inf)
    above = bisect_right(values, at)
    return Range(high=at), Range(low=values[above] if above < len(values) else math.inf)


def _gallery(asked: Asked, bounds: Range) -> str:
    ranges = (*asked.query.ranges, (asked.measure, bounds))
    return templating.address("/", q=str(replace(asked.query, ranges=ranges)))
