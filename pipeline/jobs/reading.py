"""Bytes of images out of archives, less those that were buried."""

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from openm3w.pipeline.archive import read_record_at
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.images.decode import UnusableImageError
from openm3w.pipeline.images.resolve import Found
from openm3w.pipeline.jobs.grouping import UrlOf
from openm3w.pipeline.jobs.packing import Read
from openm3w.pipeline.parser_errors import PARSER_ERRORS


@contextlib.contextmanager
def reading_records(
    path: Path, *, max_body: int, unreadable: str, tombstones: Tombstones
) -> Iterator[Read]:
    """Reads records of an archive, at most so many bytes of each.

    Raises UnusableImageError for `unreadable` ones, and for those whose own address is buried: a
    redirect or a revisit may have led there from another.
    """
    with path.open("rb") as file:

        def read(found: Found) -> bytes:
            try:
                record = read_record_at(file, found.offset, max_body=max_body)
            except PARSER_ERRORS:
                raise UnusableImageError(unreadable) from None
            if tombstones.covers(record.url):
                raise UnusableImageError(TOMBSTONE)
            return record.body

        yield read


def heeding(read: Read, tombstones: Tombstones, url_of: UrlOf = str) -> Read:
    """`read`, which of a buried address reads nothing, and gives out no bytes that are buried."""
    if not len(tombstones):
        return read

    def read_unless_buried(found: Found) -> bytes:
        if tombstones.covers(url_of(found.origin)):
            raise UnusableImageError(TOMBSTONE)
        data = read(found)
        if tombstones.of_contents and tombstones.covers_content(hashlib.sha256(data).hexdigest()):
            raise UnusableImageError(TOMBSTONE)
        return data

    return read_unless_buried
