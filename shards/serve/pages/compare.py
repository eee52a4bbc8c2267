"""Two runs side by side: counts, funnels, distributions, and the documents that differ."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from openm3w.shards.catalog.difference import Difference, difference
from openm3w.shards.catalog.query import Query
from openm3w.shards.funnel import Stage
from openm3w.shards.serve import measuring, presenting, templating
from openm3w.shards.serve.pages.numbers import labels, values_of
from openm3w.shards.serve.site import Collection, Site
from openm3w.shards.terminal import clean_line, number

_WIDTH, _HEIGHT = 500, 125  # of a drawing, in its own units
_BARS: Final = 24
_PAGE: Final = 20
_SHOWN_PICTURES: Final = 6

_TABS: Final = {
    "differing": "in both, other pictures",
    "first": "only in A",
    "second": "only in B",
}


def compare(request: Request) -> Response:
    """`/compare?show=differing|first|second&page=N`."""
    site = templating.site_of(request)
    sides = [side for side in (site.kept, site.other) if side is not None]
    values: dict[str, Any] = {
        "sides": [
            {"title": clean_line(side.title), "folder": clean_line(side.folder)} for side in sides
        ],
        "counts": list(_counts(sides)),
        "stages": list(_stages([side.stages for side in sides])),
        "charts": list(_charts(sides)),
    }
    if site.other is not None:
        values |= _documents(request, site, site.other)
    return templating.page(request, "compare.html", **values)


def _counts(sides: Sequence[Collection]) -> Iterator[dict[str, Any]]:
    for name in ("nsamples", "images", "characters"):
        counts = [sum(getattr(m, name) for m in side.manifests) for side in sides]
        if any(counts):  # a tar without a manifest says neither pictures nor characters
            yield _row({"nsamples": "documents", "images": "pictures"}.get(name, name), counts)
    excluded = [sum(len(m.exclude) for m in side.manifests) for side in sides]
    if any(excluded):
        yield _row("on the exclude list", excluded)


def _row(name: str, counts: Sequence[int | None]) -> dict[str, Any]:
    first, last = counts[0], counts[-1]
    return {
        "name": clean_line(name),
        "cells": ["-" if count is None else f"{count:,}" for count in counts],
        "change": ""
        if first is None or last is None
        else f"{last - first:+,}"
        if last - first
        else "0",
    }


def _stages(funnels: Sequence[Sequence[Stage]]) -> Iterator[dict[str, Any]]:
    """A row for each job and unit that one of the runs has, in the order of the runs."""
    found = [{(stage.job, stage.unit): stage for stage in stages} for stages in funnels]
    for job, unit in dict.fromkeys(key for stages in found for key in stages):
        stages = [stages.get((job, unit)) for stages in found]
        reasons = sorted(
            {name for stage in stages if stage for name in (*stage.dropped, *stage.failed)},
            key=lambda name: -max(_lost(stage, name) or 0 for stage in stages),
        )
        rows = [_row(name, [_lost(stage, name) for stage in stages]) for name in reasons]
        yield {
            **_row(job, [stage.kept if stage else None for stage in stages]),
            "job": job,
            "unit": unit,
            "sides": [_bar(stage) for stage in stages],
            "reasons": rows,
            "differs": any(row["change"] not in {"", "0"} for row in rows),
        }


def _lost(stage: Stage | None, name: str) -> int | None:
    return stage.dropped.get(name, 0) + stage.failed.get(name, 0) if stage else None


def _bar(stage: Stage | None) -> dict[str, str]:
    if stage is None:
        return {"width": "0", "text": "-"}
    share = stage.kept / stage.entered if stage.entered else 0.0
    return {"width": f"{100 * share:.2f}", "text": f"{stage.kept:,} of {stage.entered:,}"}


def _charts(sides: Sequence[Collection]) -> Iterator[dict[str, Any]]:
    """Each measure that one of the runs has; heights are shares, since runs differ in size."""
    measures = dict.fromkeys(name for side in sides for name in side.facts.measures())
    for measure in measures:
        samples = [values_of(side, measure, Query()) for side in sides]
        drawn = measuring.histogram(*samples, bars=_BARS)
        shares = [
            [count / max(1, len(sample)) for count in each.counts]
            for each, sample in zip(drawn, samples, strict=False)
        ]
        tallest = max((share for each in shares for share in each), default=0.0)
        if not tallest:
            continue
        width = _WIDTH / len(drawn[0].counts)
        thin = 0.84 * width / len(sides)
        bars = [
            {
                "side": side,
                "x": f"{at * width + 0.08 * width + side * thin:.2f}",
                "width": f"{thin:.2f}",
                "y": f"{_HEIGHT - (_HEIGHT - 8) * share / tallest:.2f}",
                "height": f"{(_HEIGHT - 8) * share / tallest:.2f}",
                "title": f"{number(drawn[side].edges[at])} to "
                f"{number(drawn[side].edges[at + 1])}: {drawn[side].counts[at]:,} "
                f"({share:.1%})",
            }
            for side, each in enumerate(shares)
            for at, share in enumerate(each)
            if share
        ]
        yield {"measure": measure, "bars": bars, "labels": list(labels(drawn[0], _WIDTH, 4))}


def _documents(request: Request, site: Site, other: Collection) -> dict[str, Any]:
    found = _difference(site, site.kept.progress.done, other.progress.done)
    pairs: dict[str, Sequence[tuple[int | None, int | None]]] = {
        "differing": found.differing,
        "first": [(number, None) for number in found.only_first],
        "second": [(None, number) for number in found.only_second],
    }
    shown = request.query_params.get("show", "")
    if shown not in pairs:
        shown = next((name for name, those in pairs.items() if those), "differing")
    last = max(1, -(-len(pairs[shown]) // _PAGE))
    page = min(templating.page_number(request), last)
    rows = pairs[shown][(page - 1) * _PAGE : page * _PAGE]
    return {
        "tabs": [
            {"name": name, "title": title, "count": len(pairs[name])}
            for name, title in _TABS.items()
        ],
        "num_same": found.num_same,
        "shown": shown,
        "rows": [row for pair in rows if (row := _pair((site.kept, other), pair))],
        "page": page,
        "last": last,
    }


def _pair(
    sides: tuple[Collection, Collection], numbers: tuple[int | None, int | None]
) -> dict[str, Any] | None:
    """A document with its pictures in each run that has it."""
    title, found = "", []
    for side, at in zip(sides, numbers, strict=True):
        shown = None if at is None else side.read(at)
        if at is None or shown is None:
            continue
        title = title or presenting.title_of(shown)
        images = range(min(_SHOWN_PICTURES, len(shown.sample.images)))
        pictures = [presenting.picture_path(side, at, image) for image in images]
        found.append({"name": side.name, "number": at, "pictures": pictures})
    return {"title": title, "sides": found} if found else None


@lru_cache(maxsize=2)
def _difference(site: Site, *done: int) -> Difference:
    del done  # while facts are still read there are more of them the next time
    if site.other is None:
        raise ValueError("nothing to compare with")
    return difference(site.kept.facts, site.other.facts)
