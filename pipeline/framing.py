"""Where the records of an archive begin and end: warcio's iterator, less silent.

warcio takes a header for whole that the file's end cuts off, reads lines of any length in time that
grows with their square, and goes on silently after a record whose Content-Length is wrong.
"""

import logging
from typing import Any, BinaryIO, Final

from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.recordloader import ArcWarcRecordLoader

# It warns of addresses that it mends, once for each; they are mended, and there may be millions.
logging.getLogger("warcio").setLevel(logging.ERROR)

MAX_HEAD_BYTES: Final = 1 << 20
"""Of a record's header, and of the HTTP headers in it. Servers and browsers take a few dozen KB."""

_PIECE: Final = 1 << 16
_LONGEST: Final = 1 << 62
"""Bytes of a record. Beyond a word of the machine warcio fails over the number."""

CUT_HEAD: Final = "the file ends inside a record's header: it is cut off"
CUT_RECORD: Final = "the file ends inside a record: it is cut off"
LONG_HEAD: Final = f"a header is longer than {MAX_HEAD_BYTES:,} bytes"
WRONG_LENGTH: Final = (
    "the record does not end where its Content-Length says; others after it may be lost"
)
NO_LENGTH: Final = "the record has no Content-Length"


class RecordIterator(ArchiveIterator):
    """All records of an open archive, as warcio makes them; `complaints` of the last one."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, arc2warc=True)
        self.loader = _Loader(verify_http=False, arc2warc=True)
        self._wrong_before = 0

    @property
    def is_compressed(self) -> bool:
        """Whether each record has a gzip member of its own, which bounds it."""
        return self.reader is not None and self.reader.decompressor is not None

    def complaints(self, missing: int) -> list[str]:
        """What is wrong with the record that was read last, to its end, `missing` bytes of it."""
        found = [LONG_HEAD] if self.loader.long_head else []
        self.loader.long_head = False
        if self.is_compressed:
            return found
        if missing:
            found.append(CUT_RECORD)
        if self.err_count > self._wrong_before:
            found.append(WRONG_LENGTH)
        self._wrong_before = self.err_count
        return found


class _Loader(ArcWarcRecordLoader):
    """warcio's loader, which would end the file at a response without an address or a head."""

    long_head = False
    """The HTTP headers of the last record are beyond the bound, and were not read."""

    def load_http_headers(self, rec_type: str, uri: str | None, stream: Any, length: Any) -> Any:
        try:
            return super().load_http_headers(rec_type, uri or "", _Head(stream), length)
        except EOFError:
            return None
        except LongHeadError:
            self.long_head = True
            return None

    def _detect_type_load_headers(
        self, stream: Any, statusline: Any = None, known_format: Any = None
    ) -> Any:
        # Compressed, the end of the member is the end of all, and what is cut is told otherwise.
        plain = getattr(stream, "decompressor", None) is None
        head = _Head(stream, must_end=plain, begun=statusline is not None)
        form, headers = super()._detect_type_load_headers(head, statusline, known_format)
        if form == "arc2warc":  # invented at each reading, and an id of the document would be too
            headers.remove_header("WARC-Record-ID")
        length = headers.get_header("Content-Length")
        if length is None and plain and headers.statusline + headers.protocol:
            raise ArchiveLoadFailed(NO_LENGTH)
        if length is not None and len(length) > len(str(_LONGEST)) and length.strip().isdigit():
            headers.replace_header("Content-Length", str(_LONGEST))
        return form, headers


class LongHeadError(ArchiveLoadFailed):
    """A header is beyond the bound."""


class _Head:
    """The lines of a header, up to a bound."""

    def __init__(self, stream: Any, *, must_end: bool = False, begun: bool = False) -> None:
        self._stream = stream
        self._must_end = must_end
        self._begun = begun
        self._left = MAX_HEAD_BYTES

    def readline(self) -> bytes:
        line: bytes = self._stream.readline(_PIECE)
        if line[-1:] != b"\n":
            line = self._rest(line)
        self._left -= len(line)
        if self._left < 0:
            raise LongHeadError(LONG_HEAD)
        if not line and self._begun and self._must_end:
            raise ArchiveLoadFailed(CUT_HEAD)
        self._begun = True
        return line

    def _rest(self, line: bytes) -> bytes:
        whole = bytearray(line)
        while len(whole) <= self._left and (piece := self._stream.readline(_PIECE)):
            whole += piece
            if piece[-1:] == b"\n":
                break
        return bytes(whole)
