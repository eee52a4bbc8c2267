"""Archives and tables to texts: each record or row with what became of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.verdict import Verdict
from openm3w.pipeline.archive import Damage, Record, read_records
from openm3w.pipeline.extraction.language import detect_language
from openm3w.pipeline.guard import Guard
from openm3w.pipeline.jobs.documents import record_class
from openm3w.pipeline.page import Clock, Page, read_page
from openm3w.pipeline.sources import Source
from openm3w.pipeline.tables.forms import read_table
from openm3w.pipeline.tables.rows import Cells, numbers, plain_text
from openm3w.pipeline.text.fields import ABOUT_COLUMNS, about, text_columns, text_of
from openm3w.pipeline.text.recipe import TextRecipe
from openm3w.pipeline.text.sources import form_of
from openm3w.shards.document import Document, Provenance, Signals, Text, make_doc_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A record or a row, and what became of it so far; or rows that could not be read."""

    record_outcome: str
    """`kept` where it holds a text, else `dropped` or `failed`."""
    record_reason: str = ""
    count: int = 1
    """Rows that this is of."""
    note: str = ""
    """Where damage is, for the report."""
    outcome: str = "kept"
    """Of its text."""
    reason: str = ""
    url: str = ""
    document: Document | None = None
    """One span of text; set where `outcome` is kept."""
    cut_characters: int = 0
    """Of the text, beyond the recipe's `max_words`."""


def read_entries(
    source: Source, recipe: TextRecipe, clock: Clock, text_column: str = ""
) -> Iterator[Entry]:
    """Every record or row of a source, its text judged by the recipe.

    `text_column` names the column of a table that holds the texts; "" those known by name.

    Raises:
        InputError: a table is elsewhere and cannot be read, or is none any more.
    """
    if form_of(source.file) != "archive":
        yield from _row_entries(source, recipe, clock, text_column)
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


def _row_entries(
    source: Source, recipe: TextRecipe, clock: Clock, text_column: str
) -> Iterator[Entry]:
    texts = text_columns(text_column)
    for cells in read_table(source.file, (*texts, *ABOUT_COLUMNS), texts):
        clock.lap("read")
        entry = _row_entry(cells, source, recipe, text_column)
        clock.lap("language and filters")
        yield entry


def _row_entry(cells: Cells, source: Source, recipe: TextRecipe, text_column: str) -> Entry:
    text = text_of(cells.values, text_column)
    if not cells.error and isinstance(text, str):
        return _judged(_row_document(cells, text, source), recipe)
    error = cells.error or ("no_text_field" if text is None else "text_is_no_string")
    note = f"{numbers(cells.number, cells.count)}: {error}"
    note += f": {cells.detail}" if cells.detail else ""
    return Entry(record_outcome="failed", record_reason=error, note=note, count=cells.count)


def _row_document(cells: Cells, text: str, source: Source) -> Document:
    known = about(cells.values)
    return _document(
        doc_id=make_doc_id("", source.name, cells.number),
        text=text,
        url=known.url,
        title=known.title,
        language=(known.language, known.language_score) if known.language else None,
        provenance=Provenance(
            source=source.name,
            record_id=known.record_id,
            offset=cells.number,
            crawl=known.crawl,
            fetched=known.fetched,
            part=known.part,
        ),
    )


def _document(
    *,
    doc_id: str,
    text: str,
    url: str,
    provenance: Provenance,
    title: str = "",
    language: tuple[str, float] | None = None,
) -> Document:
    text = plain_text(text).strip()
    code, score = language or detect_language(text)
    return Document(
        doc_id=doc_id,
        url=url,
        title=title,
        spans=(Text(text=text),) if text else (),
        provenance=provenance,
        signals=Signals(language=code, language_score=round(score, 4)),
    )


def _judged(document: Document, recipe: TextRecipe, error: str = "") -> Entry:
    entry = Entry(record_outcome="kept", url=document.url)
    if error:
        return replace(entry, outcome="failed", reason="unreadable_payload")
    if not document.spans:
        return replace(entry, outcome="dropped", reason="no_text")
    taken, verdict = judge(document, recipe)
    if not verdict:
        return replace(entry, outcome="dropped", reason=verdict.reason or "")
    cut = document.num_characters - taken.num_characters
    return replace(entry, document=taken, cut_characters=cut)
