"""What is buried, taken out of pages and documents before a job commits or chooses them."""

from collections.abc import Mapping
from typing import Any, Final

from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.shards.document import Document, Image

ELSEWHERE: Final = "tombstone:"
"""Stands in a table of records for an address that is buried; no URL is spelled so."""


def covers_page(tombstones: Tombstones, url: str, doc_id: str) -> bool:
    """Whether a page is buried, by its address or its id."""
    return tombstones.covers(url) or bool(doc_id and tombstones.covers_document(doc_id))


def covers_image(tombstones: Tombstones, image: Image) -> bool:
    """Whether an image is buried, by one of the addresses of its element or by its content.

    One address is enough: the others are the same picture in other sizes.
    """
    if any(tombstones.covers(url) for url in {image.url, *image.candidates} if url):
        return True
    return image.content is not None and tombstones.covers_content(image.content.sha256)


def is_blank(image: Image) -> bool:
    """Whether only the place of an image is left: of a page's every other has an address."""
    return not image.url


def blank(image: Image) -> Image:
    """The place of an image in its document: all that is kept of one that is buried."""
    return Image(url="", role=image.role)


def without_buried(document: Document, tombstones: Tombstones) -> Document:
    """The document, of whose buried images only the places are left."""
    if not len(tombstones):
        return document
    images = document.images
    return document.with_images(blank(i) if covers_image(tombstones, i) else i for i in images)


def record_unless_buried(row: Mapping[str, Any], tombstones: Tombstones) -> dict[str, Any] | None:
    """A row of the table of records without buried addresses; None where it is of one itself."""
    if not len(tombstones):
        return dict(row)
    if tombstones.covers(row["url_key"]):
        return None
    hidden = {
        name: ELSEWHERE
        for name in ("location", "refers_to")
        if row[name] and tombstones.covers(row[name])
    }
    return {**row, **hidden}
