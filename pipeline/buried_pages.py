"""What becomes of a page that is buried, or that has buried images, where archives are read."""

from dataclasses import replace
from typing import Any

from openm3w.pipeline.archive import Record
from openm3w.pipeline.buried import covers_page, record_unless_buried, without_buried
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.images.records import record_row
from openm3w.pipeline.page import Page
from openm3w.shards.document import Provenance, make_doc_id


def read_unless_buried(record: Record, source: str, tombstones: Tombstones) -> Page | None:
    """The outcome of a record whose page is buried, without a word of it; else None."""
    doc_id = make_doc_id(record.record_id, source, record.offset)
    if not len(tombstones) or not covers_page(tombstones, record.url, doc_id):
        return None
    about = Provenance(source=source, offset=record.offset, length=record.length)
    return Page(outcome="dropped", reason=TOMBSTONE, url="", status=record.status, provenance=about)


def record_of_page(record: Record, source: str, tombstones: Tombstones) -> dict[str, Any] | None:
    """The row of the table of records, without what is buried; None where the record is."""
    row = record_row(record)
    if not len(tombstones):
        return row
    doc_id = make_doc_id(record.record_id, source, record.offset)
    return None if tombstones.covers_document(doc_id) else record_unless_buried(row, tombstones)


def without_buried_images(page: Page, tombstones: Tombstones) -> Page:
    """The page, of whose buried images only the places are left."""
    if page.document is None or not len(tombstones):
        return page
    return replace(page, document=without_buried(page.document, tombstones))
