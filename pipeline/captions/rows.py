"""Job 1: tables to pairs of an image reference and a caption. One unit is one table.

A table is cut into blocks of pairs, so that no later step holds a whole one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa

from openm3w.filters.captions import CaptionPair
from openm3w.filters.registry import PairFilter
from openm3w.filters.url import without_user
from openm3w.pipeline import runners
from openm3w.pipeline.captions import alt_texts
from openm3w.pipeline.captions.alt_texts import ImageRow
from openm3w.pipeline.captions.buried import is_buried
from openm3w.pipeline.captions.columns import captions_of
from openm3w.pipeline.captions.places import is_url, reference_key
from openm3w.pipeline.captions.plan import CaptionPlan
from openm3w.pipeline.captions.tables import Row, Table, read_rows
from openm3w.pipeline.extraction.language import detect_language
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.jobs import web
from openm3w.pipeline.page import Clock
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import dump
from openm3w.pipeline.tables.rows import numbers, plain_text
from openm3w.pipeline.tally import Tally
from openm3w.shards.document import make_doc_id

PAIRS = pa.schema(
    [
        ("row", pa.int64()),
        ("doc_id", pa.string()),
        ("image", pa.string()),
        ("url", pa.string()),
        ("page", pa.string()),
        ("caption", pa.string()),
        ("scores", pa.string()),
        ("own", pa.string()),
        ("about", pa.string()),
    ]
)
"""One row for each pair; `image` is the key under which its image is looked up, from the reference
as the table has it. `url` and `page` are published: without user name and password. `scores` and
`own` are JSON: what the table says of the pair under our names of scores, and under its own.
`about` is JSON, provenance and signals of the page where the rows are of a build's, else ""."""

MAX_PAIRS = 20_000
"""Pairs of a block: some 5 MB."""

_ABSENT = frozenset({"no_image", "no_caption"}) | alt_texts.DROPPED
"""Reasons of rows that are as they should be; the others are errors."""

MAX_NOTES = 20
"""Damaged rows of a table that are named with their number; all are counted."""


class Pair(NamedTuple):
    """An image reference and one caption."""

    row: int
    doc_id: str
    image: str
    url: str
    page: str
    caption: str
    scores: str
    own: str
    about: str


def run(plan: CaptionPlan, runner: Runner) -> None:
    """Reads every table whose unit is not committed yet."""
    pending = set(plan.folder("rows").pending(plan.units))
    tables = [table for table in plan.tables if table.source.unit in pending]
    runners.run_each(runner, "Rows", partial(commit_table, plan), tables)


def blocks(plan: CaptionPlan) -> list[str]:
    """Names of the blocks of all tables, once they are committed."""
    sidecars = (plan.folder("rows").sidecar(unit) for unit in plan.units)
    return [name for sidecar in sidecars if sidecar for name in sidecar["counts"]["blocks"]]


def commit_table(plan: CaptionPlan, table: Table) -> None:
    """Reads one table and commits its blocks.

    Raises:
        OutputError: the store cannot be written.
        InputError: the table is elsewhere and cannot be read.
    """
    folder, clock, counts = plan.folder("rows"), Clock(), _Counts(plan)
    scope = plan.scope_of(table)
    names: list[str] = []
    pairs = counts.pairs_of(table, scope)
    while (first := next(pairs, None)) is not None:
        names.append(f"{table.source.unit}-{len(names):05d}")
        with folder.writing(names[-1], PAIRS) as add:
            add(first._asdict())
            for _, pair in zip(range(MAX_PAIRS - 1), pairs, strict=False):
                add(pair._asdict())
    clock.lap("read")
    folder.commit_sidecar(
        table.source.unit, counts=counts.to_json(table, names), seconds=clock.seconds
    )


def image_key(reference: str, scope: str) -> str:
    """The key of an image: its reference in one spelling, inside the folder it may be in."""
    return f"{scope}|{reference_key(reference)}"


class _Counts:
    def __init__(self, plan: CaptionPlan) -> None:
        self._take = 1 if plan.recipe.captions.take == "first" else None
        self._filters = plan.profile.row_filters()
        self._languages = plan.profile.language_filters()
        self._imported = plan.imported
        self._tombstones = web.tombstones(plan.fetched)
        self.rows, self.pairs = Tally(), Tally()
        self.notes: list[str] = []

    def pairs_of(self, table: Table, scope: str) -> Iterator[Pair]:
        """The pairs that stay; every row and pair is counted once."""
        for row in self._rows(table):
            captions = captions_of(row.text)
            if reason := _row_fault(row, captions):
                self._lost_row(row, reason)
                continue
            self.rows.add("kept")
            for index, caption in enumerate((captions or ())[: self._take]):
                pair = _pair(table, row, index, caption, scope)
                reason = self._fault(CaptionPair(caption=caption, scores=row.scores))
                if is_buried(pair._asdict(), self._tombstones):
                    reason = TOMBSTONE
                self.pairs.add("dropped" if reason else "kept", reason)
                if not reason:
                    yield pair

    def _rows(self, table: Table) -> Iterator[Row]:
        if self._imported is None:
            return read_rows(table)
        return alt_texts.read_rows(self._imported, table.source.unit)

    def _fault(self, pair: CaptionPair) -> str:
        fault = _first_fault(self._filters, pair)
        if fault or not self._languages:
            return fault
        language, score = detect_language(pair.caption)
        found = replace(pair, language=language, language_score=score)
        return _first_fault(self._languages, found)

    def to_json(self, table: Table, names: list[str]) -> dict[str, Any]:
        stages = [self.rows.to_json("rows", "rows"), self.pairs.to_json("rows", "pairs")]
        return {
            "source": table.source.name,
            "blocks": names,
            "stages": stages,
            "notes": self.notes,
        }

    def _lost_row(self, row: Row, reason: str) -> None:
        outcome = "dropped" if reason in _ABSENT else "failed"
        self.rows.add(outcome, reason, row.count)
        if outcome == "failed" and len(self.notes) < MAX_NOTES:
            detail = f": {row.detail}" if row.detail else ""
            self.notes.append(f"{numbers(row.number, row.count)}: {reason}{detail}")


def _first_fault(filters: Iterable[PairFilter], pair: CaptionPair) -> str:
    return next((v.reason or "" for f in filters if not (v := f.keep(pair))), "")


def _row_fault(row: Row, captions: list[str] | None) -> str:
    if row.error:
        return row.error
    if row.url is None or row.url == "":
        return "no_image"
    if not isinstance(row.url, str):
        return "image_is_no_text"
    if captions is None:
        return "caption_is_no_text"
    return "" if captions else "no_caption"


def _pair(table: Table, row: Row, index: int, caption: str, scope: str) -> Pair:
    name, reference = table.source.name, plain_text(row.url).strip()
    if isinstance(row, ImageRow):
        doc_id, image = row.doc_id, f"{scope}|{row.key}"
        about = dump({"provenance": asdict(row.provenance), "signals": asdict(row.signals)})
    else:
        # The first caption has the row's own id, so that `take = "first"` and `"all"` agree on it.
        doc_id = (
            make_doc_id("", f"{name}\n{row.number}", index)
            if index
            else make_doc_id("", name, row.number)
        )
        image, about = image_key(reference, scope), ""
    return Pair(
        row=row.number,
        doc_id=doc_id,
        image=image,
        url=without_user(reference) if is_url(reference) else "",
        page=without_user(plain_text(row.page)) if isinstance(row.page, str) else "",
        caption=caption,
        scores=dump({name: score for name, score in row.scores.items() if score == score}),
        own=dump(row.own),
        about=about,
    )
