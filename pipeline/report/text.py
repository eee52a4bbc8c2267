"""The funnel as lines of text."""

from collections.abc import Iterator, Sequence

from openm3w.pipeline.report.page import reasons, share
from openm3w.shards.funnel import Stage
from openm3w.shards.terminal import clean_line

_BAR = 24


def funnel_lines(stages: Sequence[Stage]) -> Iterator[str]:
    """Each stage with its sum, then its reasons, the largest first, with bars."""
    for stage in stages:
        yield (
            f"{_words(stage.job)}: {stage.entered:,} {stage.unit} entered = {stage.kept:,} kept "
            f"+ {stage.num_dropped:,} dropped + {stage.num_failed:,} failed"
        )
        yield from _reason_lines(stage)
        yield ""


def _reason_lines(stage: Stage) -> Iterator[str]:
    rows = [("kept", "kept", stage.kept), *reasons(stage)]
    shown = [row for row in rows if row[2]]
    width = max((len(_words(reason)) for _, reason, _ in shown), default=0)
    for kind, reason, count in shown:
        mark = {"kept": "█", "dropped": "▒", "failed": "x"}[kind]
        bar = mark * max(1, round(_BAR * count / stage.entered))
        yield (
            f"  {_words(reason):<{width}}  {count:>9,}  {share(count, stage.entered):>7}  "
            f"{bar}{'  failed' if kind == 'failed' else ''}"
        )


def _words(name: str) -> str:
    return clean_line(name.replace("_", " "))
