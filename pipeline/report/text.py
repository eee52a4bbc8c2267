"""The funnel as lines of text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openm3w.pipeline.report.words import reasons, share, words
from openm3w.shards.commands.printing import table
from openm3w.shards.funnel import Stage
from openm3w.shards.terminal import clean_line, number

_BAR = 24
_SHOWN = 10


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
    return clean_line(words(name))


def table_lines(tables: Mapping[str, Sequence[Sequence[Any]]]) -> Iterator[str]:
    """Tables with their titles."""
    for title, rows in tables.items():
        yield clean_line(title)
        yield from table([[clean_line(_cell(cell)) for cell in row] for row in rows], left=2)
        yield ""


def bar_lines(bars: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """Names with their counts, the first few of each."""
    for title, counts in bars.items():
        yield clean_line(title)
        shown = [(clean_line(name), f"{count:,}") for name, count in counts.items()][:_SHOWN]
        yield from table(shown, left=1)
        yield ""


def _cell(cell: object) -> str:
    is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
    return number(cell) if is_number else str(cell)  # type: ignore[arg-type]
