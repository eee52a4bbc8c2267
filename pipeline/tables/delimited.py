"""CSV and TSV, plain or compressed, to rows of texts; damage is a value.

Quotes are read as RFC 4180 has them, in TSV too, for so pandas and spreadsheets write it. A row
that cannot be read costs only itself: after it reading goes on with the line after its first one,
so that a quote which is never closed does not take the rows below it. Nor does one that a later
row closes, as far as lines tell: see `openm3w.pipeline.tables.swallowed`.
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
from openm3w.pipeline.tables.swallowed import Strict, are_rows, fields_of, is_url

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
    urls = [is_url(field) for field in fields]
    if len(fields) != 2 or sum(urls) != 1:
        return ()
    return tuple("url" if each else "caption" for each in urls)


def read_delimited(file: File, delimiter: str, head: Head) -> Iterator[Cells]:
    """The rows of a table, blank lines left out. Numbers are those of rows, the header is none."""
    number, width = 0, len(head.columns)
    at = {name: place for place, name in reversed(list(enumerate(head.columns)))}
    # CC3M and CC12M quote nothing: a quote there is one of the caption's.
    quoted = not (delimiter == "\t" and head.is_row)
    try:
        with opened(file) as stream:
            lines = _Lines(stream)
            records = _records(lines, delimiter, quoted=quoted)
            if not head.is_row:
                next(records, None)
            for record in records:
                several = len(lines.row) > 1 and isinstance(record, list)
                swallowed = several and are_rows(lines.row, width, delimiter)
                for each in _apart(lines.row, delimiter) if swallowed else (record,):
                    yield _cells(number, each, at, width, delimiter)
                    number += 1
    except DECODER_ERRORS as error:
        yield Cells(number=number, error="damaged_file", detail=one_line(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fault:
    error: str
    detail: str
    line: bytes
    """The first of the row, where it is not too long."""


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
        self.row = list[bytes]()
        """Of the record in hand, as they are in the file."""
        self._row_bytes = self._read = self._reread = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        raw = self._again.popleft() if self._again else self._next()
        if not raw:
            raise StopIteration
        self.row.append(raw)
        self._row_bytes += len(raw)
        if self._row_bytes > MAX_ROW_BYTES:
            raise _UnreadableError("row_too_long", too_long(0, MAX_ROW_BYTES).detail)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            raise _UnreadableError("not_utf8", str(error)[:100]) from error

    def begin_row(self) -> None:
        self.row.clear()
        self._row_bytes = 0

    def fail_row(self) -> bytes:
        """The row's first line; those after it are read again."""
        first, rest = self.row[0], self.row[1:]
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
    dialect = Strict if quoted else _Unquoted
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


def _apart(lines: Sequence[bytes], delimiter: str) -> list[list[str] | _Fault]:
    """Lines that a quote made one record of, each by itself; of the first the quote stays open."""
    found: list[list[str] | _Fault] = []
    for line in lines:
        try:
            fields = fields_of(line, delimiter)
        except csv.Error as error:
            found.append(_Fault(error="malformed_csv", detail=one_line(error), line=line))
        else:
            found += [fields] if fields else []
    return found


def _unquoted(line: bytes, delimiter: str) -> list[str] | None:
    try:
        text = line.removeprefix(_BOM).decode()
    except UnicodeDecodeError:
        return None
    return text.rstrip("\r\n").split(delimiter)
