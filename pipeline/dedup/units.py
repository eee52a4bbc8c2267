"""The documents of a unit, and what a run found out about each unit, brought together."""

import json
from collections.abc import Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import PCollection

from openm3w.pipeline.plan import Plan
from openm3w.shards.document import Document
from openm3w.shards.sample import document_from_json

_COLUMNS = ["row", "outcome", "url_key", "text_hash", "document"]


def kept_documents(plan: Plan, unit: str) -> Iterator[tuple[dict[str, Any], Document]]:
    """Row of the first job's table and document, for each page that it kept."""
    for row in plan.folder("documents").rows(unit, _COLUMNS):
        if row["outcome"] == "kept":
            yield row, document_from_json(json.loads(row["document"]))


class PerUnit(beam.PTransform[Any, Any]):
    """(unit, value)... to (unit, values) for each of `units`, also for one without a value.

    Values are never None. One unit's values are in one worker's memory: an archive's.
    """

    def __init__(self, units: PCollection[str]) -> None:
        super().__init__()
        self._units = units

    def expand(self, values: PCollection[Any]) -> PCollection[Any]:
        # Each unit is there once more with None, so that one without documents comes out too.
        empty = self._units | "Every unit" >> beam.Map(lambda unit: (unit, None))
        return (
            (values, empty)
            | beam.Flatten()
            | "Group" >> beam.GroupByKey()
            | "Without empty" >> beam.MapTuple(lambda unit, some: (unit, [v for v in some if v]))
        )
