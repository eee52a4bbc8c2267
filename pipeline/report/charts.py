"""Bars as SVG: no scripts, no fonts to load, colours from the page's own variables."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from openm3w.errors import InputError
from openm3w.shards.terminal import number

_WIDTH, _HEIGHT = 640, 180
_LEFT, _BOTTOM, _TOP = 8, 28, 16
_MAX_LABELS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Counts between edges: `counts[i]` holds values from `edges[i]` up to `edges[i + 1]`."""

    title: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.counts)


def histogram_from_json(title: str, value: Mapping[str, Any]) -> Histogram:
    """Reads `{"edges": [...], "counts": [...]}`.

    Raises:
        InputError: there is not one edge more than counts.
    """
    edges = tuple(float(edge) for edge in value["edges"])
    counts = tuple(int(count) for count in value["counts"])
    if len(edges) != len(counts) + 1:
        raise InputError(
            f"report: histogram {title!r} has {len(edges)} edges and {len(counts)} counts; "
            "expected one edge more than counts"
        )
    return Histogram(title=title, edges=edges, counts=counts)


def svg(histogram: Histogram) -> Markup:
    """The histogram as an inline SVG; each bar says its range, count and share on hover."""
    counts = histogram.counts
    if not counts or histogram.total == 0:
        return Markup('<p class="quiet">nothing to count</p>')
    bar = (_WIDTH - 2 * _LEFT) / len(counts)
    scale = (_HEIGHT - _BOTTOM - _TOP) / max(counts)
    bars = [_bar(histogram, index, bar, scale) for index in range(len(counts))]
    labels = [_label(histogram.edges, index, bar) for index in _labelled(len(counts))]
    return Markup(
        '<svg viewBox="0 0 {w} {h}" role="img" aria-label="{title}">{bars}'
        '<line class="axis" x1="{x}" x2="{x2}" y1="{y}" y2="{y}"/>{labels}</svg>'
    ).format(
        w=_WIDTH,
        h=_HEIGHT,
        title=histogram.title,
        bars=Markup("").join(bars),
        x=_LEFT,
        x2=_WIDTH - _LEFT,
        y=_HEIGHT - _BOTTOM,
        labels=Markup("").join(labels),
    )


def _bar(histogram: Histogram, index: int, width: float, scale: float) -> Markup:
    count = histogram.counts[index]
    height = count * scale
    low, high = number(histogram.edges[index]), number(histogram.edges[index + 1])
    share = count / histogram.total
    return Markup(
        "<g><title>{low} to {high}: {count} ({share})</title>"
        '<rect class="hit" x="{x:.1f}" y="0" width="{w:.1f}" height="{full}"/>'
        '<rect class="bar" x="{bx:.1f}" y="{y:.1f}" width="{bw:.1f}" height="{h:.1f}" rx="1"/></g>'
    ).format(
        low=low,
        high=high,
        count=f"{count:,}",
        share=f"{share:.1%}",
        x=_LEFT + index * width,
        w=width,
        full=_HEIGHT - _BOTTOM,
        bx=_LEFT + index * width + width * 0.06,
        y=_HEIGHT - _BOTTOM - height,
        bw=width * 0.88,
        h=height,
    )


def _label(edges: Sequence[float], index: int, width: float) -> Markup:
    anchor = "start" if index == 0 else "end" if index == len(edges) - 1 else "middle"
    return Markup('<text x="{x:.1f}" y="{y}" text-anchor="{anchor}">{text}</text>').format(
        x=_LEFT + index * width, y=_HEIGHT - 6, anchor=anchor, text=escape(number(edges[index]))
    )


def _labelled(num_bars: int) -> list[int]:
    step = math.ceil(num_bars / _MAX_LABELS)
    return list(range(0, num_bars + 1, step))
