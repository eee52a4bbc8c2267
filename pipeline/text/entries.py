"""Archives and JSON lines to texts: each record or line with what became of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.verdict import Verdict
from openm3w.pipeline.archive import Damage, Record, read_records
from openm3w.pipeline.extraction.language import detect_language
from openm3w.pipeline.guard import Guard
from openm3w.pipeline.jobs.documents import record_class
from openm3w.pipeline.lines import Line, plain_text, read_lines
from openm3w.pipeline.page import Clock, Page, read_page
from openm3w.pipeline.sources import Source
from openm3w.pipeline.text.recipe import TextRecipe
from openm3w.pipeline.text.sources import form_of
from openm3w.shards.document import Document, Provenance, Signals, Text, make_doc_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A record or a line, and what became of it so far."""

    record_outcome: str
    """`kept` where it holds a text, else `dropped` or `failed`."""
    record_reason: str = ""
    note: str = ""
    """Where damage is, for the report."""
    outcome: str = "kept"
    """Of its text."""
    reason: str = ""
    url: str = ""
    document: Document | None = None
    """One span of text; set where `outcome` is kept."""


def read_entries(source: Source, recipe: TextRecipe, clock: Clock) -> Iterator[Entry]:
    """Every record or line of a source, its text judged by the recipe."""
    if form_of(source.path) != "archive":
        yield from _line_entries(source, recipe, clock)
        return
    with Guard(recipe.extract) as guard:
        yield from _archive_entries(source, recipe, guard, clock)


def judge(document: Document, recipe: TextRecipe) -> tuple[Document, Verdict]:
    """The text as it is taken, and whether it is."""
    document = recipe.cap().apply(document).document
    for keep in (recipe.opt_out.keep, recipe.language_filter().keep):
        verdict = keep(document)
        if not verdict:
            return document, verdict
    return document, recipe.word_count().keep(TextFacts.of(document))


def _archive_entries(
    source: Source, recipe: TextRecipe, guard: Guard, clock: Clock
) -> Iterator[Entry]:
    for record in read_records(source.path, max_body=recipe.screen.max_bytes):
        clock.lap("read")
        if isinstance(record, Damage):
            note = f"damaged at byte {record.offset}: {record.error}"
            yield Entry(record_outcome="failed", record_reason="damaged_archive", note=note)
        elif record.type == "conversion":
            entry = _wet_entry(record, source, recipe)
            clock.lap("language and filters")
            yield entry
        elif (kind := record_class(record)) != "page":
            yield Entry(record_outcome="dropped", record_reason=kind)
        else:
            yield _page_entry(record, source, recipe, guard, clock)


def _page_entry(
    record: Record, source: Source, recipe: TextRecipe, guard: Guard, clock: Clock
) -> Entry:
    page = read_page(
        record,
        source=source.name,
        screen=recipe.screen,
        guard=guard,
        floor=None,
        clock=clock,
    )
    if page.outcome != "kept" or page.document is None:
        return Entry(record_outcome="kept", outcome=page.outcome, reason=page.reason, url=page.url)
    entry = _judged(_text_alone(page, page.document), recipe)
    clock.lap("filters")
    return entry


def _text_alone(page: Page, document: Document) -> Document:
    """The page's texts as one span, its images left out."""
    text = "\n\n".join(document.texts)
    return Document(
        doc_id=document.doc_id,
        url=page.url,
        title=document.title,
        spans=(Text(text=text),) if text else (),
        provenance=page.provenance,
        signals=document.signals,
    )


def _wet_entry(record: Record, source: Source, recipe: TextRecipe) -> Entry:
    if record.body_cut and not record.body_error:
        return Entry(record_outcome="kept", outcome="dropped", reason="too_large", url=record.url)
    return _judged(_wet_document(record, source), recipe, record.body_error)


def _wet_document(record: Record, source: Source) -> Document:
    return _document(
        doc_id=make_doc_id(record.record_id, source.name, record.offset),
        text=record.body.decode("utf-8", "replace"),
        url=record.url,
        provenance=Provenance(
            source=source.name,
            record_id=record.record_id,
            offset=record.offset,
            length=record.length,
            fetched=record.date,
        ),
    )


def _line_entries(source: Source, recipe: TextRecipe, clock: Clock) -> Iterator[Entry]:
    for line in read_lines(source.path):
        clock.lap("read")
        entry = _line_entry(line, source, recipe)
        clock.lap("language and filters")
        yield entry


def _line_entry(line: Line, source: Source, recipe: TextRecipe) -> Entry:
    text = line.value.get("text")
    if not line.error and isinstance(text, str):
        return _judged(_line_document(line, text, source), recipe)
    error = line.error or ("no_text_field" if text is None else "text_is_no_string")
    note = f"line {line.number}: {error}" + (f": {line.detail}" if line.detail else "")
    return Entry(record_outcome="failed", record_reason=error, note=note)


def _line_document(line: Line, text: str, source: Source) -> Document:
    """A line in the Pile's form; `url` and `title` are taken from it or from its `meta`."""
    row = line.number - 1
    return _document(
        doc_id=make_doc_id("", source.name, row),
        text=text,
        url=_field(line.value, "url"),
        title=_field(line.value, "title"),
        provenance=Provenance(source=source.name, offset=row),
    )


def _field(value: Mapping[str, Any], name: str) -> str:
    meta = value.get("meta")
    for table in (value, meta if isinstance(meta, dict) else {}):
        if isinstance(found := table.get(name), str):
            return plain_text(found)
    return ""


def _document(
    *, doc_id: str, text: str, url: str, provenance: Provenance, title: str = ""
) -> Document:
    text = plain_text(text).strip()
    language, score = detect_language(text)
    return Document(
        doc_id=doc_id,
        url=url,
        title=title,
        spans=(Text(text=text),) if text else (),
        provenance=provenance,
        signals=Signals(language=language, language_score=round(score, 4)),
    )


def _judged(document: Document, recipe: TextRecipe, error: str = "") -> Entry:
    entry = Entry(record_outcome="kept", url=document.url)
    if error:
        return replace(entry, outcome="failed", reason="unreadable_payload")
    if not document.spans:
        return replace(entry, outcome="dropped", reason="no_text")
    document, verdict = judge(document, recipe)
    if not verdict:
        return replace(entry, outcome="dropped", reason=verdict.reason or "")
    return replace(entry, document=document)
