"""The table of an archive's records, through which images are found in it."""

from typing import Any

import pyarrow as pa

from openm3w.filters.url import url_key
from openm3w.pipeline.archive import Record
from openm3w.pipeline.urls import join_url

RECORDS = pa.schema(
    [
        ("url_key", pa.string()),
        ("digest", pa.string()),
        ("kind", pa.string()),
        ("content", pa.string()),
        ("status", pa.int32()),
        ("location", pa.string()),
        ("refers_to", pa.string()),
        ("fetched", pa.string()),
        ("offset", pa.int64()),
        ("length", pa.int64()),
    ]
)
"""One row for each response, resource or revisit record.

`location` is the url_key that a redirect points to, `refers_to` the one that a revisit repeats.
"""


def is_redirect(record: Record) -> bool:
    """Whether the record's answer names another place."""
    return 300 <= record.status < 400 and bool(record.header("location"))


def record_row(record: Record) -> dict[str, Any]:
    """The row of RECORDS for a response, resource or revisit record."""
    location = record.header("location") if is_redirect(record) else ""
    refers_to = record.refers_to if record.kind == "revisit" else ""
    return {
        "url_key": url_key(record.url),
        "digest": record.payload_digest,
        "kind": record.kind,
        "content": "" if record.kind == "revisit" else record.content_kind,
        "status": record.status,
        "location": url_key(join_url(record.url, location)) if location else "",
        "refers_to": url_key(refers_to) if refers_to else "",
        "fetched": record.date,
        "offset": record.offset,
        "length": record.length,
    }
