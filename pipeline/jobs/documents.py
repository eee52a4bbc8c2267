"""Job 1: archives to documents. One unit of work is one archive.

Reading, screening and extracting are fused: no page's bytes leave the worker. Beside the pages'
table stands a table of all records (`.records.parquet`), through which the images job finds
images in the archives.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pyarrow as pa

from openm3w.filters.url import url_key
from openm3w.pipeline import runners
from openm3w.pipeline.archive import Damage, Record, read_records
from openm3w.pipeline.buried_pages import (
    read_unless_buried,
    record_of_page,
    without_buried_images,
)
from openm3w.pipeline.guard import Guard
from openm3w.pipeline.images.records import RECORDS, is_redirect
from openm3w.pipeline.jobs import web
from openm3w.pipeline.page import MAX_ERRORS, Clock, Page, read_page, text_hash
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sources import Source
from openm3w.pipeline.store import dump
from openm3w.pipeline.tally import Tally
from openm3w.shards.sample import document_to_json

PAGES = pa.schema(
    [
        ("row", pa.int64()),
        ("doc_id", pa.string()),
        ("url", pa.string()),
        ("url_key", pa.string()),
        ("status", pa.int32()),
        ("fetched", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("language", pa.string()),
        ("language_score", pa.float32()),
        ("characters", pa.int64()),
        ("images", pa.int32()),
        ("elements", pa.int32()),
        ("left_out", pa.string()),
        ("text_hash", pa.string()),
        ("document", pa.string()),
    ]
)
"""One row for each page, also for those dropped; `document` is JSON, null where not extracted."""

_OTHER_TYPES = frozenset({"warcinfo", "request", "metadata", "conversion", "continuation"})


def run(plan: Plan, runner: Runner) -> None:
    """Reads every archive whose unit is not committed yet."""
    pending = set(plan.folder("documents").pending(plan.units))
    sources = [source for source in plan.sources if source.unit in pending]
    runners.run_each(runner, "Documents", partial(commit_archive, plan), sources)


def commit_archive(plan: Plan, source: Source) -> None:
    """Reads one archive and commits its unit.

    Raises:
        OutputError: the store cannot be written.
    """
    folder, clock, counts = plan.folder("documents"), Clock(), _Counts()
    with (
        folder.writing(source.unit, PAGES) as add_page,
        folder.writing(source.unit, RECORDS, "records.parquet") as add_record,
        Guard(plan.recipe.extract) as guard,
    ):
        _read(plan, source, guard, clock, counts, add_page, add_record)
    folder.commit_sidecar(source.unit, counts=counts.to_json(source), seconds=clock.seconds)


class _Counts:
    def __init__(self) -> None:
        self.records, self.pages, self.images = Tally(), Tally(), Tally()
        self.damage: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []
        self.languages: Counter[str] = Counter()
        self.image_records = 0
        self.redirects = 0
        self.revisits = 0
        self.num_pages = 0

    def page(self, page: Page) -> None:
        self.num_pages += 1
        self.pages.add(page.outcome, page.reason)
        if page.error and len(self.errors) < MAX_ERRORS:
            self.errors.append({"url": page.url, "error": page.error})
        for reason, count in page.left_out.items():
            self.images.add("dropped", reason, count)
        if page.document is not None:
            self.languages[page.document.signals.language or "unknown"] += 1
            outcome = ("kept", "") if page.outcome == "kept" else ("dropped", "page_dropped")
            self.images.add(*outcome, count=len(page.document.images))

    def to_json(self, source: Source) -> dict[str, Any]:
        return {
            "source": source.name,
            "stages": [
                self.records.to_json("documents", "records"),
                self.pages.to_json("documents", "pages"),
                self.images.to_json("documents", "images"),
            ],
            "image_records": self.image_records,
            "redirects": self.redirects,
            "revisits": self.revisits,
            "languages": dict(sorted(self.languages.items())),
            "damage": self.damage,
            "errors": self.errors,
        }


def _read(
    plan: Plan,
    source: Source,
    guard: Guard,
    clock: Clock,
    counts: _Counts,
    add_page: Callable[[Mapping[str, Any]], None],
    add_record: Callable[[Mapping[str, Any]], None],
) -> None:
    recipe, floor, tombstones = plan.recipe, plan.floor, web.tombstones(plan.fetched)
    for record in read_records(source.path, max_body=recipe.screen.max_bytes):
        clock.lap("read")
        if isinstance(record, Damage):
            counts.damage.append({"offset": record.offset, "error": record.error})
            counts.records.add("failed", "damaged_archive")
            continue
        kind = record_class(record)
        if record.kind != "other" and (about := record_of_page(record, source.name, tombstones)):
            add_record(about)
        counts.image_records += kind == "image"
        counts.redirects += is_redirect(record)
        counts.revisits += record.kind == "revisit"
        if kind != "page":
            counts.records.add("dropped", kind)
            continue
        if recipe.pages_per_archive and counts.num_pages >= recipe.pages_per_archive:
            counts.records.add("dropped", "beyond_limit")
            continue
        counts.records.add("kept")
        page = read_unless_buried(record, source.name, tombstones) or read_page(
            record,
            source=source.name,
            screen=recipe.screen,
            guard=guard,
            floor=floor,
            clock=clock,
        )
        page = without_buried_images(page, tombstones)
        row = counts.num_pages
        counts.page(page)
        add_page(_page_row(row, page))
        clock.lap("store")


def record_class(record: Record) -> str:
    """`page`, or what else it is: `image`, `file`, or a record of another WARC type."""
    if record.kind == "other":
        # The type is whatever the file says; reasons are a closed set, printed as they are.
        return f"{record.type if record.type in _OTHER_TYPES else 'unknown'}_record"
    if record.kind == "revisit":
        return "revisit_record"
    content = record.content_kind
    return {"html": "page", "image": "image", "other": "file"}[content]


def _page_row(row: int, page: Page) -> dict[str, Any]:
    document = page.document
    about: dict[str, Any] = {
        "row": row,
        "url": page.url,
        "url_key": url_key(page.url),
        "status": page.status,
        "fetched": page.provenance.fetched,
        "offset": page.provenance.offset,
        "length": page.provenance.length,
        "outcome": page.outcome,
        "reason": page.reason,
        "elements": page.elements,
        "left_out": dump(page.left_out),
    }
    if document is not None:
        about |= {
            "doc_id": document.doc_id,
            "language": document.signals.language,
            "language_score": document.signals.language_score,
            "characters": document.num_characters,
            "images": len(document.images),
            "text_hash": text_hash(document),
            "document": dump(document_to_json(document)),
        }
    return about
