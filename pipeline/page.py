"""One page: from an archive record to a Document inside the floor, or the reason why not.

Cheap before dear: the address, then header and first bytes, then the bytes' size and an image tag,
then decoding, then extraction, then the language model. A page has exactly one outcome.
"""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from openm3w.filters.dedup.exact import text_key
from openm3w.filters.floor import Floor
from openm3w.filters.screen import PageFacts, Screen
from openm3w.filters.verdict import KEEP
from openm3w.pipeline.archive import Record
from openm3w.pipeline.extraction import xhtml
from openm3w.pipeline.extraction.charset import decode_html
from openm3w.pipeline.extraction.extract import Extraction
from openm3w.pipeline.extraction.language import detect_language
from openm3w.pipeline.extraction.language_screen import is_surely_other
from openm3w.pipeline.extraction.limits import PageLimit
from openm3w.pipeline.guard import ExtractionFailed, Guard
from openm3w.shards.document import Document, Provenance, Signals, make_doc_id

Outcome = Literal["kept", "dropped", "failed"]

# Any of these may name an image; a page without one cannot become an interleaved document.
_IMAGE_MARKS = (
    *(b"<img", b"<picture", b"<amp-img", b"<image", b"<noscript"),
    *(b"og:image", b"twitter:image"),
)
MAX_ERRORS = 20
"""Errors of an archive that are kept with their page; all are counted."""

_OPT_OUT_HEADERS = ("x-robots-tag", "tdm-reservation", "tdm-policy", "content-usage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What became of one page."""

    outcome: Outcome
    reason: str = ""
    url: str
    status: int
    provenance: Provenance
    error: str = ""
    """What happened where reading or extraction failed."""
    document: Document | None = None
    """Set where the page was extracted, also where it was then dropped."""
    elements: int = 0
    """Image elements in the page's markup; 0 where it was not parsed."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Image elements that extraction did not take, by reason."""


class Clock:
    """Adds up seconds by step, for the report's table of where the time goes."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._since = time.perf_counter()

    def lap(self, step: str) -> None:
        """Books the time since the last lap under `step`."""
        now = time.perf_counter()
        self.seconds[step] += now - self._since  # type: ignore[assignment]
        self._since = now


def read_page(
    record: Record,
    *,
    source: str,
    screen: Screen | None,
    guard: Guard,
    floor: Floor | None,
    clock: Clock,
) -> Page:
    """The outcome of one HTML record.

    Without a screen every page that can be decoded is extracted, whatever its status or address;
    without a floor it is kept if it has any text or image.
    """
    page = Page(
        outcome="kept",
        url=record.url,
        status=record.status,
        provenance=Provenance(
            source=source,
            record_id=record.record_id,
            offset=record.offset,
            length=record.length,
            fetched=record.date,
        ),
    )
    if floor and not (denied := floor.keep_url(record.url)):
        return replace(page, outcome="dropped", reason=denied.reason or "")
    if record.body_error:
        return replace(page, outcome="failed", reason="unreadable_payload", error=record.body_error)
    verdict = screen.keep(_facts(record)) if screen else KEEP
    clock.lap("screen")
    if not verdict:
        return replace(page, outcome="dropped", reason=verdict.reason or "")
    if record.body_cut:  # as a screen says it: half a page is none
        return replace(page, outcome="dropped", reason="too_large")
    html, charset = decode_html(record.body, record.header("content-type"))
    if record.content_type in xhtml.MEDIA_TYPES:
        html = xhtml.as_html(html)
    clock.lap("charset")
    if screen and screen.language and floor and floor.languages:
        header = record.header("content-language") or ""
        other = is_surely_other(html, header, floor.languages)
        clock.lap("screen")
        if other:
            return replace(page, outcome="dropped", reason="wrong_language_screened")
    try:
        extraction = guard.extract(html, record.url)
    except PageLimit as limit:
        return replace(page, outcome="dropped", reason=limit.reason)
    except ExtractionFailed as failure:
        return replace(page, outcome="failed", reason=failure.reason, error=failure.detail)
    finally:
        clock.lap("extract")
    page = _extracted(page, record, extraction, charset)
    clock.lap("language")
    return _floored(page, floor)


def text_hash(document: Document) -> str:
    """Digest of the words alone, for exact duplicates: 32 hex digits."""
    return text_key(document.texts)


def _facts(record: Record) -> PageFacts:
    body = record.body.replace(b"\0", b"").lower()  # UTF-16 puts a NUL beside each letter
    return PageFacts(
        url=record.url,
        status=record.status,
        content_type=record.content_type,
        sniffed_type=record.content_kind,
        num_bytes=len(record.body) + record.body_cut,
        truncated=record.truncated,
        has_image_candidate=any(mark in body for mark in _IMAGE_MARKS),
    )


def _extracted(page: Page, record: Record, extraction: Extraction, charset: str) -> Page:
    document = Document(
        doc_id=make_doc_id(record.record_id, page.provenance.source, record.offset),
        url=record.url,
        title=extraction.title,
        spans=extraction.spans,
        provenance=page.provenance,
    )
    language, score = detect_language("\n".join(document.texts))
    signals = Signals(
        language=language,
        language_score=round(score, 4),
        charset=charset,
        opt_out=(*_header_signals(record), *extraction.opt_out),
        licences=extraction.licences,
    )
    return replace(
        page,
        document=replace(document, signals=signals),
        elements=extraction.elements,
        left_out=dict(sorted(Counter(item.reason for item in extraction.left_out).items())),
    )


def _floored(page: Page, floor: Floor | None) -> Page:
    document = page.document
    if document is None or not document.spans:
        return replace(page, outcome="dropped", reason="no_text")
    if floor is None:
        return page
    verdict = floor.opt_out.judge(document.signals.opt_out) and floor.keep_text(document)
    return page if verdict else replace(page, outcome="dropped", reason=verdict.reason or "")


def _header_signals(record: Record) -> tuple[str, ...]:
    return tuple(f"{name}: {value}" for name, value in record.headers if name in _OPT_OUT_HEADERS)
