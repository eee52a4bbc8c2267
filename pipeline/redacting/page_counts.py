"""What the units of interleaved builds count, made anew from tables that have lost rows."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openm3w.pipeline.redacting import tables
from openm3w.pipeline.redacting.meant import Meant
from openm3w.pipeline.tally import Tally
from openm3w.shards.sample import document_from_json


def of_documents(counts: Mapping[str, Any], table: Path, meant: Meant) -> dict[str, Any]:
    """Counts of a unit of documents, by its table."""
    pages, images = Tally(), Tally()
    languages: Counter[str] = Counter()
    columns = ["outcome", "reason", "left_out", "images", "language", "doc_id"]
    for row in tables.read(table, columns):
        pages.add(row["outcome"], row["reason"])
        for reason, number in (tables.loads(row["left_out"]) or {}).items():
            images.add("dropped", reason, number)
        if row["doc_id"] is not None:
            languages[row["language"] or "unknown"] += 1
            kept = row["outcome"] == "kept"
            outcome = ("kept", "") if kept else ("dropped", "page_dropped")
            images.add(*outcome, count=row["images"])
    told = tables.with_stages(
        tables.without_errors(counts, meant.tombstones),
        pages.to_json("documents", "pages"),
        images.to_json("documents", "images"),
    )
    return {**told, "languages": dict(sorted(languages.items()))}


def of_dedup(counts: Mapping[str, Any], folder: Path, unit: str, documents: Path) -> dict[str, Any]:
    """Counts of a unit of marks, by its table and that of the documents."""
    marks = {
        r["row"]: r["reason"] for r in tables.read(folder / f"{unit}.parquet", ["row", "reason"])
    }
    # Whether near duplicates go no further is the floor's choice, which the counts show.
    spared = {"near_duplicate"} - counts["stages"][0]["dropped"].keys()
    pages, images = Tally(), Tally()
    for row in tables.read(documents, ["row", "outcome", "images"]):
        if row["outcome"] != "kept":
            continue
        reason = marks.get(row["row"], "")
        dropped = bool(reason) and reason not in spared
        pages.add("dropped" if dropped else "kept", reason if dropped else "")
        told = ("dropped", "page_dropped") if dropped else ("kept", "")
        images.add(*told, count=row["images"])
    stages = pages.to_json("dedup", "pages"), images.to_json("dedup", "images")
    return {
        **tables.with_stages(counts, *stages),
        "marks": dict(sorted(Counter(marks.values()).items())),
    }


def tally(table: Path) -> Tally:
    """Outcomes of a table."""
    tally = Tally()
    for row in tables.read(table, ["outcome", "reason"]):
        tally.add(row["outcome"], row["reason"])
    return tally


def of_selection(
    counts: Mapping[str, Any], table: Path, outcomes: Path, places: Path
) -> dict[str, Any]:
    """Counts of a unit of what was selected, by its tables and the places of its images."""
    entered = {
        (row["row"], row["image"])
        for row in tables.read(places, ["row", "image", "outcome"])
        if row["outcome"] == "kept"
    }
    pages, images = Tally(), Tally()
    for row in tables.read(outcomes, ["row", "outcome", "reason", "images"]):
        pages.add(row["outcome"], row["reason"])
        for at, each in enumerate(tables.loads(row["images"])):
            if (row["row"], at) in entered:
                images.add("dropped" if each else "kept", each)
    splits: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    for row in tables.read(table, ["split", "document"]):
        splits[row["split"]] += 1
        languages[document_from_json(tables.loads(row["document"])).signals.language] += 1
    stages = pages.to_json("shards", "pages"), images.to_json("shards", "images")
    return {
        **tables.with_stages(counts, *stages),
        "splits": dict(splits),
        "languages": dict(sorted(languages.items())),
    }
