"""One answer of a web server, as the archive keeps it."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Final

DATE: Final = "2024-11-05T10:00:00Z"
LATER: Final = "2024-12-05T10:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response record, or a revisit record where `repeats` is set."""

    url: str
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    status: str = "200 OK"
    headers: tuple[tuple[str, str], ...] = ()
    date: str = DATE
    repeats: str = ""
    """Payload digest of an earlier record with the same body."""


def payload_digest(body: bytes) -> str:
    """The WARC form of a body's SHA-1."""
    return f"sha1:{base64.b32encode(hashlib.sha1(body, usedforsecurity=False).digest()).decode()}"
