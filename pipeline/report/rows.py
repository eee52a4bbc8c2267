"""The numbers of a report as rows, for parquet and whoever asks it by SQL."""

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from openm3w.errors import MissingError
from openm3w.pipeline.report.words import flat, reasons
from openm3w.shards import commit, funnel

COLUMNS: Final[Mapping[str, str]] = {
    # stages, histograms, bars, tables, published (funnels of others), recipe, models, versions,
    # inputs or notes
    "section": "string",
    "name": "string",  # the job, the title, or a setting's dotted name
    "unit": "string",  # of stages
    "outcome": "string",  # of stages: entered, kept, dropped or failed
    "label": "string",  # the reason, the bar's name or the table's column
    "row": "int64",  # of tables, published, inputs and notes, from 0
    "low": "double",  # of histograms: the bin's edges
    "high": "double",
    "count": "int64",
    "value": "double",  # of tables, where the cell is a number
    "text": "string",  # of tables, where it is none, and of what has no numbers
}
"""Column -> its type; what a section does not have is null."""

Row = dict[str, Any]


def rows(report: Mapping[str, Any]) -> Iterator[Row]:
    """Every number of a report, one a row."""
    for row in _found(report):
        yield dict.fromkeys(COLUMNS) | row


def write_parquet(path: Path, report: Mapping[str, Any]) -> None:
    """Commits the rows as a parquet file.

    Raises:
        MissingError: pyarrow is not installed.
        OutputError: the file cannot be written.
    """
    try:
        pa = importlib.import_module("pyarrow")
        pq = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingError("--parquet needs pyarrow: pip install 'openm3w[pipeline]'") from error
    schema = pa.schema(list(COLUMNS.items()))
    table = pa.Table.from_pylist(list(rows(report)), schema=schema)
    with commit.committed(path, option="--parquet", through_link=True) as file:
        pq.write_table(table, file)


def _found(report: Mapping[str, Any]) -> Iterator[Row]:
    for stage in map(funnel.from_json, report.get("stages") or ()):
        about = {"section": "stages", "name": stage.job, "unit": stage.unit}
        yield {**about, "outcome": "entered", "count": stage.entered}
        yield {**about, "outcome": "kept", "count": stage.kept}
        for outcome, reason, count in reasons(stage):
            yield {**about, "outcome": outcome, "label": reason, "count": count}
    for title, bins in (report.get("histograms") or {}).items():
        edges = bins["edges"]
        for low, high, count in zip(edges, edges[1:], bins["counts"], strict=False):
            about = {"section": "histograms", "name": title, "count": count}
            yield {**about, "low": float(low), "high": float(high)}
    for title, counts in (report.get("bars") or {}).items():
        for label, count in counts.items():
            yield {"section": "bars", "name": title, "label": label, "count": count}
    for title, table in (report.get("tables") or {}).items():
        yield from _cells(title, table)
    yield from _said(report)


def _said(report: Mapping[str, Any]) -> Iterator[Row]:
    """What is beside the numbers."""
    published = (report.get("published") or {}).get("rows") or ()
    for number, line in enumerate(published):
        about = {"section": "published", "name": line["dataset"], "row": number}
        yield from ({**about, "label": label, "text": str(text)} for label, text in line.items())
    for section in ("recipe", "models", "versions"):
        for name, text in flat(report.get(section) or {}):
            yield {"section": section, "name": name, "text": text}
    for section in ("inputs", "notes"):
        for number, line in enumerate(report.get(section) or ()):
            yield {"section": section, "row": number, "text": str(line)}


def _cells(title: str, table: list[list[Any]]) -> Iterator[Row]:
    if not table:
        return
    for number, cells in enumerate(table[1:]):
        for label, cell in zip(map(str, table[0]), cells, strict=False):
            about = {"section": "tables", "name": title, "label": label, "row": number}
            is_number = isinstance(cell, int | float) and not isinstance(cell, bool)
            yield {**about, **({"value": float(cell)} if is_number else {"text": str(cell)})}
