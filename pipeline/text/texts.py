"""Job 1: sources to texts, each judged on its own. One unit is one source."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa

from openm3w.pipeline import runners
from openm3w.pipeline.buried import covers_page
from openm3w.pipeline.fetch.store.opening import FETCHED
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.jobs import web
from openm3w.pipeline.page import Clock, text_hash
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.sources import Source
from openm3w.pipeline.store import dump
from openm3w.pipeline.tally import Tally
from openm3w.pipeline.text.entries import Entry, read_entries
from openm3w.pipeline.text.plan import TextPlan
from openm3w.shards.sample import document_to_json

TEXTS = pa.schema(
    [
        ("row", pa.int64()),
        ("doc_id", pa.string()),
        ("url", pa.string()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("text_hash", pa.string()),
        ("document", pa.string()),
    ]
)
"""One row for each text, also for those dropped; `document` is JSON, null where dropped."""

MAX_NOTES = 20
"""Damaged rows or records of a source that are named; all are counted."""


def run(plan: TextPlan, runner: Runner) -> None:
    """Reads every source whose unit is not committed yet."""
    pending = set(plan.folder("texts").pending(plan.units))
    sources = [source for source in plan.sources if source.unit in pending]
    runners.run_each(runner, "Texts", partial(commit_source, plan), sources)


def commit_source(plan: TextPlan, source: Source) -> None:
    """Reads one source and commits its unit.

    Raises:
        OutputError: the store cannot be written.
        InputError: the source is elsewhere and cannot be read.
    """
    folder, clock, counts = plan.folder("texts"), Clock(), _Counts()
    entries = read_entries(source, plan.recipe, clock, plan.text_column)
    tombstones = web.tombstones(str(plan.store / FETCHED))
    with folder.writing(source.unit, TEXTS) as add:
        for row, found in enumerate(entries):
            entry = _unless_buried(found, tombstones)
            counts.add(entry)
            _add_row(add, row, entry)
            clock.lap("store")
    folder.commit_sidecar(source.unit, counts=counts.to_json(source), seconds=clock.seconds)


def _unless_buried(entry: Entry, tombstones: Tombstones) -> Entry:
    """The entry, of which nothing but its outcome is left where it is buried."""
    doc_id = entry.document.doc_id if entry.document else ""
    if not len(tombstones) or not covers_page(tombstones, entry.url or _url(entry), doc_id):
        return entry
    return replace(entry, outcome="dropped", reason=TOMBSTONE, url="", note="", document=None)


def _url(entry: Entry) -> str:
    return entry.document.url if entry.document else ""


class _Counts:
    def __init__(self) -> None:
        self._records, self._texts = Tally(), Tally()
        self._notes: list[str] = []
        self._languages: Counter[str] = Counter()
        self._parts: Counter[str] = Counter()
        self._cut: Counter[str] = Counter()

    def add(self, entry: Entry) -> None:
        """Counts a record or row once, and once more the text in it."""
        self._records.add(entry.record_outcome, entry.record_reason, entry.count)
        if entry.note and len(self._notes) < MAX_NOTES:
            self._notes.append(entry.note)
        if entry.record_outcome == "kept":
            self._texts.add(entry.outcome, entry.reason)
        if entry.document is not None:
            self._languages[entry.document.signals.language or "unknown"] += 1
            if entry.document.provenance.part:
                self._parts[entry.document.provenance.part] += 1
        if entry.cut_characters:
            self._cut.update(texts=1, characters=entry.cut_characters)

    def to_json(self, source: Source) -> dict[str, Any]:
        stages = [self._records.to_json("texts", "records"), self._texts.to_json("texts", "texts")]
        return {
            "source": source.name,
            "stages": stages,
            "notes": self._notes,
            "languages": dict(sorted(self._languages.items())),
            "parts": dict(sorted(self._parts.items())),
            "cut": dict(self._cut),
        }


def _add_row(add: Callable[[Mapping[str, Any]], None], row: int, entry: Entry) -> None:
    if entry.record_outcome != "kept":
        return
    about: dict[str, Any] = {
        "row": row,
        "url": entry.url,
        "outcome": entry.outcome,
        "reason": entry.reason,
    }
    if entry.document is not None:
        about |= {
            "doc_id": entry.document.doc_id,
            "text_hash": text_hash(entry.document),
            "document": dump(document_to_json(entry.document)),
        }
    add(about)
