"""What is taken out of a store."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openm3w.filters.url import url_key
from openm3w.pipeline.buried import ELSEWHERE, blank, covers_image, record_unless_buried
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.shards.document import Document, Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """What is buried, and where else the store has pictures that are buried by their content."""

    tombstones: Tombstones
    keys: frozenset[str] = frozenset()
    """Names of these pictures in ledgers: canonical URLs, or the keys of caption builds."""
    hashes: frozenset[str] = frozenset()
    """Of these pictures, as they were stored and as they were fetched."""

    pages: frozenset[str] = frozenset()
    """Canonical URLs of pages that are meant; other captures of one that is by its id are not."""

    def record(self, row: Mapping[str, Any]) -> dict[str, Any] | None:
        """A row of a table of records without what is meant; None where it is of that itself."""
        found = record_unless_buried(row, self.tombstones)
        known = self.keys | self.pages
        if found is None or found["url_key"] in known:
            return None
        hidden = {name: ELSEWHERE for name in ("location", "refers_to") if found[name] in known}
        return {**found, **hidden}

    def image(self, image: Image) -> bool:
        """Whether an image of a page is meant."""
        if covers_image(self.tombstones, image):
            return True
        addresses = {image.url, *image.candidates} if self.keys else ()
        content = image.content.sha256 if image.content else ""
        return content in self.hashes or any(url_key(u) in self.keys for u in addresses if u)

    def blanked(self, document: Document) -> Document:
        """The document, of whose images that are meant only the places are left."""
        images = document.images
        if not any(map(self.image, images)):
            return document
        return document.with_images(blank(i) if self.image(i) else i for i in images)

    def ledger(self, row: Mapping[str, Any], key: str, url: str) -> bool:
        """Whether a row of a ledger is of a picture that is meant."""
        if key in self.keys or self.tombstones.covers(url):
            return True
        return self.content(row["sha256"]) or self.content(row["original_sha256"])

    def content(self, sha256: str | None) -> bool:
        """Whether bytes of this hash are meant."""
        if not sha256:
            return False
        return sha256 in self.hashes or self.tombstones.covers_content(sha256)

    # As what a redaction of a dataset asks: a sample of a store has the same words as a published
    # one, and pictures by other names.
    def covers(self, url: str) -> bool:
        """Whether an address is meant."""
        return self.tombstones.covers(url) or (bool(self.keys) and url_key(url) in self.keys)

    def covers_content(self, sha256: str) -> bool:
        """Whether bytes of this hash are meant."""
        return self.content(sha256)

    def covers_document(self, doc_id: str) -> bool:
        """Whether a document is meant by its id."""
        return self.tombstones.covers_document(doc_id)

    @property
    def of_contents(self) -> bool:
        """Whether any content is meant."""
        return bool(self.hashes) or self.tombstones.of_contents
