"""WARC and ARC files to records, with damage as a value.

warcio parses. Where it cannot go on (it finds no next record by itself) the rest of the file is not
read, which is reported with its offset instead of raised, so that the records before it count.
Where records begin and end is in `framing`, what encodings make of a payload in `payload`.
"""

import contextlib
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

from warcio.statusandheaders import StatusAndHeadersParser, StatusAndHeadersParserException

from openm3w.pipeline.framing import RecordIterator
from openm3w.pipeline.parser_errors import PARSER_ERRORS, last_words
from openm3w.pipeline.payload import payload
from openm3w.pipeline.sniffing import HTML_TYPES, ContentKind, sniff

Kind = Literal["response", "revisit", "resource", "other"]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One archive record with its decoded payload."""

    kind: Kind
    type: str
    """WARC-Type as written; `response` for ARC records."""
    url: str
    record_id: str
    """WARC-Record-ID, or "": ARC records have none."""
    date: str
    """WARC-Date, ISO 8601."""
    offset: int
    """Byte offset in the file."""
    length: int
    """Bytes in the file, compressed as stored."""
    status: int
    """HTTP status; 200 for resource records, 0 where there is none."""
    headers: tuple[tuple[str, str], ...]
    """HTTP headers in order, names in lower case."""
    body: bytes
    """Payload after transfer and content encoding, at most `max_body` bytes."""
    body_cut: bool
    """The payload is longer than `max_body`."""
    body_error: str
    """Why the payload could not be decoded, or ""."""
    payload_digest: str
    truncated: str
    """WARC-Truncated: length, time, disconnect, or ""."""
    refers_to: str = ""
    """WARC-Refers-To-Target-URI: the address whose capture a revisit record repeats, or ""."""

    def header(self, name: str) -> str:
        """The first HTTP header `name` (lower case), or ""."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def content_type(self) -> str:
        """Media type of the Content-Type header in lower case, without parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()

    @property
    def content_kind(self) -> ContentKind:
        """What the payload is, by its header and its first bytes as browsers decide it."""
        sniffed = sniff(self.body)
        if sniffed == "image":
            return "image"
        if self.content_type in HTML_TYPES:
            return "html"
        if self.content_type in ("", "application/octet-stream", "text/plain", "unknown/unknown"):
            return sniffed
        return "image" if self.content_type.startswith("image/") else "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What is wrong at `offset`; it says where the rest of the file was not read for it."""

    offset: int
    error: str


def read_records(path: Path, *, max_body: int) -> Iterator[Record | Damage]:
    """All records of a WARC or ARC file, compressed or plain, and damage where it was met."""
    offset = end = 0
    try:
        with path.open("rb") as file:
            if not file.peek(1):
                yield Damage(offset=0, error="the file is empty")
                return
            iterator = RecordIterator(file)
            while (found := _next(iterator, max_body)) is not None:
                record, complaints = found
                # A file that is one gzip member leaves warcio without lengths: they are negative.
                offset, end = record.offset, max(record.offset, iterator.offset)
                yield record
                yield from (Damage(offset=offset, error=complaint) for complaint in complaints)
            yield from _unfinished(file, offset)
    except PARSER_ERRORS as error:
        yield Damage(offset=end, error=last_words(error))


def read_record_at(file: BinaryIO, offset: int, *, max_body: int) -> Record:
    """The record that begins at `offset` of an open archive.

    Raises:
        one of PARSER_ERRORS: there is no readable record there.
    """
    file.seek(offset)
    found = _next(RecordIterator(file), max_body)
    if found is None:
        raise EOFError(f"no record at offset {offset}")
    return found[0]


def _next(iterator: RecordIterator, max_body: int) -> tuple[Record, list[str]] | None:
    """The next record and what is wrong with it."""
    # warcio prints to standard error where a record does not end as its Content-Length says, and
    # for every block that does not inflate; the record is read all the same, and what is missing
    # of it is counted in `body_error`.
    with contextlib.redirect_stderr(io.StringIO()):
        raw = next(iterator, None)
        if raw is None:
            return None
        record = _record(iterator, raw, max_body)
        return record, iterator.complaints(getattr(raw.raw_stream, "limit", 0))


def _unfinished(file: BinaryIO, offset: int) -> Iterator[Damage]:
    """Damage where the member at `offset`, the last that warcio saw, does not end the file.

    A gzip file that is cut inside a member stops warcio without a word.
    """
    file.seek(offset)
    if file.read(2) != b"\x1f\x8b":
        return
    file.seek(offset)
    rest = file.read(_CHUNK)
    while rest:
        start = file.tell() - len(rest)
        member = zlib.decompressobj(31)
        while rest and not member.eof:
            try:
                member.decompress(rest)
            except zlib.error as error:
                yield Damage(offset=start, error=last_words(error))
                return
            rest = member.unused_data or file.read(_CHUNK)
        if not member.eof:
            yield Damage(offset=start, error="the file ends inside a gzip member: it is cut off")
            return


def _record(iterator: Any, raw: Any, max_body: int) -> Record:
    head, http = raw.rec_headers, _http_headers(raw)
    body, body_error = b"", ""
    if raw.rec_type in ("response", "resource", "conversion"):
        body, body_error = payload(raw, max_body + 1)
    # The iterator's offset and length are of this record only once it was read to its end, and
    # asking for them earlier would throw the payload away.
    iterator.read_to_end(raw)
    if missing := getattr(raw.raw_stream, "limit", 0):
        body_error = f"the record is cut off: {missing} bytes are missing"
    kinds: dict[str, Kind] = {k: k for k in ("response", "revisit", "resource")}
    kind = kinds.get(raw.rec_type, "other")
    headers = tuple((name.lower(), value) for name, value in http.headers) if http else ()
    if kind == "resource" and not headers:
        headers = (("content-type", raw.rec_headers.get_header("Content-Type") or ""),)
    return Record(
        kind=kind,
        type=raw.rec_type,
        url=_address(head, "WARC-Target-URI"),
        record_id=head.get_header("WARC-Record-ID") or "",
        date=head.get_header("WARC-Date") or "",
        offset=iterator.get_record_offset(),
        length=iterator.get_record_length(),
        status=_status(http, kind),
        headers=headers,
        body=body[:max_body],
        body_cut=len(body) > max_body,
        body_error=body_error,
        payload_digest=head.get_header("WARC-Payload-Digest") or "",
        truncated=(head.get_header("WARC-Truncated") or "").lower(),
        refers_to=_address(head, "WARC-Refers-To-Target-URI"),
    )


def _address(head: Any, name: str) -> str:
    # WARC 1.0 was read by some as asking for angle brackets around an address.
    return (head.get_header(name) or "").strip("<> ")


def _http_headers(raw: Any) -> Any:
    """The record's HTTP headers; warcio parses them only where the address is http(s)."""
    head = raw.rec_headers
    media_type = (head.get_header("Content-Type") or "").lower()
    scheme = (head.get_header("WARC-Target-URI") or "").partition(":")[0].lower()
    unread = raw.http_headers is None and raw.rec_type == "response"
    # An ARC file's other records (dns:, filedesc:) are called application/http as well.
    if unread and media_type.startswith("application/http") and scheme not in _NOT_HTTP:
        # A block without HTTP headers makes a record with status 0; it costs only itself.
        with contextlib.suppress(EOFError, StatusAndHeadersParserException):
            raw.http_headers = StatusAndHeadersParser(_PROTOCOLS).parse(raw.raw_stream)
    return raw.http_headers


_PROTOCOLS = ["HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/2", "HTTP/3"]
_NOT_HTTP = frozenset({"dns", "filedesc", "ftp", "http", "https", "whois"})


def _status(http: Any, kind: Kind) -> int:
    if kind == "resource":
        return 200
    code = http.get_statuscode() if http else ""
    # Three digits by RFC 9110; anything else is no status, and may not even fit into a table.
    return int(code) if re.fullmatch("[0-9]{3}", code or "") else 0
