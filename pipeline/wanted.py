"""The documents that a job goes on with: kept by the first, and not dropped as duplicates."""

import json
from collections.abc import Container, Iterator

from openm3w.pipeline.plan import Plan
from openm3w.shards.document import Document
from openm3w.shards.sample import document_from_json


def wanted_documents(
    plan: Plan, unit: str, only: Container[int] | None = None
) -> Iterator[tuple[int, Document]]:
    """Row number and document of each page of `unit` or of some rows: kept and not dropped.

    Near duplicates are among them unless every profile of the floor drops them.
    """
    marked = {
        mark["row"]
        for mark in plan.folder("dedup").rows(unit, ["row", "reason"])
        if plan.drops(mark["reason"])
    }
    columns = ["row", "outcome", "document"]
    for row in plan.folder("documents").rows(unit, columns):
        if only is not None and row["row"] not in only:
            continue
        if row["outcome"] == "kept" and row["row"] not in marked:
            yield row["row"], document_from_json(json.loads(row["document"]))
