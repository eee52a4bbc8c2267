"""The funnel of one unit as a Sankey diagram: an inline SVG in which every width is a count.

The stream runs down. At each stage what is dropped or failed leaves it to the right, by reason, and
what is kept runs on: `entered = kept + dropped + failed` can be seen, and is held by the numbers in
the `data-` attributes of every shape.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from openm3w.pipeline.report.words import reasons, share, words
from openm3w.shards.funnel import Stage
from openm3w.shards.terminal import number

WIDTH: Final = 480
STREAM: Final = 140.0
"""Width of what entered first; everything else is in proportion."""
MOST_REASONS: Final = 8
"""Reasons of a stage that have a flow of their own; the rest leave together."""

_END: Final = STREAM + 26
"""Where flows end, left of their names."""
_HEAD, _ROW, _GAP, _BEND = 34, 20.0, 3.0, 8.0
_LONGEST: Final = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flow:
    kind: str
    """`dropped` or `failed`."""
    reason: str
    count: int
    title: str


def svg(stages: Sequence[Stage]) -> Markup:
    """The stages of one unit, in order; each enters what the one before kept.

    Raises:
        ValueError: they are none, or of several units, or do not follow one another.
    """
    if len({stage.unit for stage in stages}) != 1:
        raise ValueError("a Sankey diagram is of the stages of one unit")
    for before, after in itertools.pairwise(stages):
        if before.kept != after.entered:
            raise ValueError(f"{after.job}: {after.entered} entered, {before.kept} were kept")
    first = stages[0].entered
    if not first:
        return Markup('<p class="quiet">nothing entered</p>')
    scale, y = STREAM / first, 0.0
    parts: list[Markup] = []
    for stage in stages:
        drawn, y = _stage(stage, scale, y)
        parts += drawn
    parts.append(_kept_at_last(stages[-1], first, y))
    return Markup(
        '<svg class="sankey" viewBox="0 0 {w} {h:.0f}" role="img" data-unit="{unit}" '
        'data-scale="{scale!r}" aria-label="{said}">{parts}</svg>'
    ).format(
        w=WIDTH,
        h=y + _HEAD,
        unit=stages[0].unit,
        scale=scale,
        said=f"{first:,} {stages[0].unit} entered, {stages[-1].kept:,} were kept",
        parts=Markup("").join(parts),
    )


def _stage(stage: Stage, scale: float, top: float) -> tuple[list[Markup], float]:
    """A stage's shapes, and where the next one begins."""
    right, y = stage.entered * scale, top + _HEAD
    shapes = []
    for flow in _flows(stage):
        width = flow.count * scale
        row = max(width, _ROW)
        shapes.append(_leaving(stage, flow, right, top, y + (row - width) / 2, width))
        shapes.append(_label(flow, stage.entered, y + row / 2))
        right, y = right - width, y + row + _GAP
    bottom = y + _GAP
    kept = Markup(
        '<rect class="flow kept" data-job="{job}" data-kind="kept" data-count="{count}" '
        'x="0" y="{top:.2f}" width="{width!r}" height="{h:.2f}">'
        "<title>{job}: {said} kept</title></rect>"
    ).format(
        job=words(stage.job),
        count=stage.kept,
        top=top,
        width=stage.kept * scale,
        h=bottom - top,
        said=f"{stage.kept:,} {stage.unit}",
    )
    return [kept, *shapes, _node(stage, scale, top)], bottom


def _flows(stage: Stage) -> list[_Flow]:
    found = [
        _Flow(kind=kind, reason=reason, count=count, title=words(reason))
        for kind, reason, count in reasons(stage)
        if count
    ]
    shown, rest = found[:MOST_REASONS], found[MOST_REASONS:]
    for kind in ("dropped", "failed"):
        those = [flow for flow in rest if flow.kind == kind]
        if len(those) == 1:
            shown += those
        elif those:
            title = ", ".join(f"{flow.title} {flow.count:,}" for flow in those)
            count = sum(flow.count for flow in those)
            what = f"{len(those)} other reasons"
            shown.append(_Flow(kind=kind, reason=what, count=count, title=title))
    return shown


def _leaving(stage: Stage, flow: _Flow, right: float, top: float, y: float, width: float) -> Markup:
    """A band that runs down from `top` and turns right to lie from `y` to `y + width`."""
    left, bend = right - width, right + _BEND
    path = (
        f"M{right:.3f} {top:.3f}V{y - _BEND:.3f}Q{right:.3f} {y:.3f} {bend:.3f} {y:.3f}"
        f"H{_END}V{y + width:.3f}H{bend:.3f}Q{left:.3f} {y + width:.3f} {left:.3f} "
        f"{y - _BEND:.3f}V{top:.3f}Z"
    )
    return Markup(
        '<path class="flow {kind}" data-job="{job}" data-kind="{kind}" data-reason="{reason}" '
        'data-count="{count}" data-width="{width!r}" d="{path}">'
        "<title>{title}: {count}</title></path>"
    ).format(
        kind=flow.kind,
        job=words(stage.job),
        reason=words(flow.reason),
        count=flow.count,
        width=width,
        path=path,
        title=flow.title,
    )


def _label(flow: _Flow, entered: int, middle: float) -> Markup:
    name = words(flow.reason)
    short = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
    return Markup(
        '<text x="{x}" y="{y:.1f}">{name}</text>'
        '<text class="count" x="{end}" y="{y:.1f}" text-anchor="end">{count}</text>'
    ).format(
        x=_END + 8,
        end=WIDTH - 2,
        y=middle + 4.5,
        name=short + (" (failed)" if flow.kind == "failed" else ""),
        count=f"{number(flow.count)} · {share(flow.count, entered)}",
    )


def _node(stage: Stage, scale: float, top: float) -> Markup:
    return Markup(
        '<rect class="node" data-job="{job}" data-entered="{entered}" x="0" y="{y:.2f}" '
        'width="{width!r}" height="4"/>'
        '<text class="stage" x="{x}" y="{text:.1f}">{job}</text>'
        '<text class="stage" x="{end}" y="{text:.1f}" text-anchor="end">{said}</text>'
    ).format(
        job=words(stage.job),
        entered=stage.entered,
        y=top,
        width=stage.entered * scale,
        x=_END + 8,
        end=WIDTH - 2,
        text=top + 18,
        said=f"{stage.entered:,} {stage.unit}",
    )


def _kept_at_last(stage: Stage, first: int, top: float) -> Markup:
    return Markup(
        '<rect class="flow kept" data-kind="end" data-count="{count}" x="0" y="{y:.2f}" '
        'width="{width!r}" height="{h}"/>'
        '<text class="stage" x="{x}" y="{text:.1f}">kept</text>'
        '<text class="stage" x="{end}" y="{text:.1f}" text-anchor="end">{said}</text>'
    ).format(
        count=stage.kept,
        y=top,
        width=stage.kept * STREAM / first,
        h=_HEAD,
        x=_END + 8,
        end=WIDTH - 2,
        text=top + 18,
        said=f"{stage.kept:,} {stage.unit} · {share(stage.kept, first)}",
    )
