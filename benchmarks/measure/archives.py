"""Pages of an archive that must be whole: a benchmark on half of it would mislead."""

from collections.abc import Iterator
from pathlib import Path

from openm3w.errors import InputError
from openm3w.filters.screen import Screen
from openm3w.pipeline.archive import Damage, Record, read_records


def html_records(archive: Path) -> Iterator[Record]:
    """Its HTML pages, in order.

    Raises:
        InputError: the archive is damaged.
    """
    for record in read_records(archive, max_body=Screen().max_bytes):
        if isinstance(record, Damage):
            raise InputError(f"{archive}: damaged at byte {record.offset}: {record.error}")
        if record.kind in ("response", "resource") and record.content_kind == "html":
            yield record
