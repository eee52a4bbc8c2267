"""CSV and TSV, plain or compressed, to rows of texts; damage is a value.

Quotes are read as RFC 4180 has them, in TSV too, for so pandas and spreadsheets write it. A row
that cannot be read costs only itself: after it reading goes on with the line after its first one,
so that a quote which is never closed does not take the rows below it.
"""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from openm3w.errors import InputError
from openm3w.pipeline.remote import File
from openm3w.pipeline.tables.lines import skip_line, too_long
from openm3w.pipeline.tables.opening import DECODER_ERRORS, opened
from openm3w.pipeline.tables.rows import Cells, one_line

MAX_ROW_BYTES = 16_000_000
"""Ours: no text that people put into such a table is as long, and the csv module takes four bytes a
character. A longer row is a quote that is not closed, or a file of another kind."""

_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the first line says."""

    columns: tuple[str, ...]
    is_row: bool
    """There is no header: the first line is a row, and the columns have the names we give them."""


def read_head(file: File, delimiter: str) -> Head:
    """The columns of a table.

    Raises:
        InputError: it is empty, damaged at its beginning, or in another charset than UTF-8.
    """
    try:
        with opened(file) as stream:
            start = stream.readline(MAX_ROW_BYTES + 1)
    except DECODER_ERRORS as error:
        raise InputError(f"{file}: cannot be read: {one_line(error)}") from error
    if start.startswith(_UTF16):
        raise InputError(f"{file}: is UTF-16; save it as UTF-8")
    with opened(file) as stream:
        try:
            first = next(_records(_Lines(stream), delimiter, quoted=True), None)
        except DECODER_ERRORS as error:
            raise InputError(f"{file}: cannot be read: {one_line(error)}") from error
    fields = _unquoted(start, delimiter) if delimiter == "\t" else None
    names = headerless(fields or (first if isinstance(first, list) else []))
    if names:
        return Head(columns=names, is_row=True)
    if first is None:
        raise InputError(f"{file}: it has no lines")
    if isinstance(first, _Fault):
        raise InputError(f"{file}: its first line cannot be read: {first.detail or first.error}")
    return Head(columns=tuple(first), is_row=False)


def headerless(fields: Sequence[str]) -> tuple[str, ...]:
    """The columns of a table without header, told by the fields of its first line; () else.

    CC3M is published as caption TAB url and CC12M as url TAB caption, both without a header: there
    are exactly two fields, and exactly one of them is an http(s) URL. No header names a column so.
    """
    urls = [field.strip().lower().startswith(("http://", "https://")) for field in fields]
    if len(fields) != 2 or sum(urls) != 1:
        return ()
    return tuple("url" if is_url else "caption" for is_url in urls)


def read_delimited(file: File, delimiter: str, head: Head) -> Iterator[Cells]:
    """The rows of a table, blank lines left out. Numbers are those of rows, the header is none."""
    number = 0
    at = {name: place for place, name in reversed(list(enumerate(head.columns)))}
    # CC3M and CC12M quote nothing: a quote there is one of the caption's.
    quoted = not (delimiter == "\t" and head.is_row)
    try:
        with opened(file) as stream:
            records = _records(_Lines(stream), delimiter, quoted=quoted)
            if not head.is_row:
                next(records, None)
            for record in records:
                yield _cells(number, record, at, len(head.columns), delimiter)
                number += 1
    except DECODER_ERRORS as error:
        yield Cells(number=number, error="damaged_file", detail=one_line(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    error: str
    detail: str
    line: bytes
    """The first of the row, where it is not too long."""


class _Quoted(csv.excel):
    strict = True


class _Unquoted(csv.excel):
    quoting = csv.QUOTE_NONE


class _UnreadableError(Exception):
    def __init__(self, error: str, detail: str) -> None:
        super().__init__(detail)
        self.error = error


class _Lines:
    """Lines for a csv reader: those of the row in hand are kept, to be read again where it fails.

    What is read again is bounded by what was read before, so that no file costs more than twice its
    length, whatever its quotes are.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._again = deque[bytes]()
        self._row = list[bytes]()
        self._row_bytes = self._read = self._reread = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = self._again.popleft() if self._again else self._next()
        if not raw:
            raise StopIteration
        self._row.append(raw)
        self._row_bytes += len(raw)
        if self._row_bytes > MAX_ROW_BYTES:
            raise _UnreadableError("row_too_long", too_long(0, MAX_ROW_BYTES).detail)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise _UnreadableError("not_utf8", str(error)[:100]) from error

    def begin_row(self) -> None:
        self._row.clear()
        self._row_bytes = 0

    def fail_row(self) -> bytes:
        """The row's first line; those after it are read again."""
        first, rest = self._row[0], self._row[1:]
        size = self._row_bytes - len(first)
        if self._reread + size <= self._read + MAX_ROW_BYTES:
            self._reread += size
            self._again.extendleft(reversed(rest))
        return first[:MAX_ROW_BYTES]

    def _next(self) -> bytes:
        raw = self._stream.readline(MAX_ROW_BYTES + 1)
        if len(raw) > MAX_ROW_BYTES:
            skip_line(self._stream, raw)
        raw = raw.removeprefix(_BOM) if self._read == 0 else raw
        self._read += len(raw)
        return raw


def _records(lines: _Lines, delimiter: str, *, quoted: bool) -> Iterator[list[str] | _Fault]:
    # The module's own bound is one for the whole process, and lower; ours is that of the lines.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_ROW_BYTES))
    dialect = _Quoted if quoted else _Unquoted
    reader = csv.reader(lines, dialect, delimiter=delimiter)
    while True:
        lines.begin_row()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _Fault(error="malformed_csv", detail=one_line(error), line=lines.fail_row())
        except _UnreadableError as error:
            yield _Fault(error=error.error, detail=str(error), line=lines.fail_row())
        else:
            if fields:
                yield fields


def _cells(
    number: int, record: list[str] | _Fault, at: dict[str, int], width: int, delimiter: str
) -> Cells:
    if isinstance(record, _Fault):
        # TSV as IANA registered it has no quotes, and some write it so, header or not.
        plain = _unquoted(record.line, delimiter) if delimiter == "\t" else None
        if record.error != "malformed_csv" or plain is None or len(plain) != width:
            return Cells(number=number, error=record.error, detail=record.detail)
        record = plain
    if len(record) != width:
        detail = f"found {len(record)}, expected {width}"
        return Cells(number=number, error="wrong_number_of_fields", detail=detail)
    return Cells(number=number, values={name: record[place] for name, place in at.items()})


def _unquoted(line: bytes, delimiter: str) -> list[str] | None:
    try:
        text = line.removeprefix(_BOM).decode()
    except UnicodeDecodeError:
        return None
    return text.rstrip("\r\n").split(delimiter)
