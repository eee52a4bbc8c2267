"""Rows that a quote took in: whether the lines of one record are rather rows of their own.

A caption that begins with a quote, in a table that quotes nothing, is closed by the next one that
ends with a quote; what is between would be part of it, URLs and all.
"""

import csv
from collections.abc import Sequence


def is_url(field: str) -> bool:
    """Whether a field is an http(s) URL."""
    return field.strip().lower().startswith(("http://", "https://"))


class Strict(csv.excel):
    """Quotes as RFC 4180 has them; others are an error."""

    strict = True


def fields_of(line: bytes, delimiter: str) -> list[str]:
    """The fields of a line alone, with quotes; it is UTF-8.

    Raises:
        csv.Error: it has a quote that is not closed, or text behind one that is.
    """
    return next(csv.reader([line.decode()], Strict, delimiter=delimiter), [])


def are_rows(lines: Sequence[bytes], width: int, delimiter: str) -> bool:
    """Whether the lines of one quoted record are to be read one by one.

    In TSV, which has no quotes by IANA and most often no tabs in a field: where each line has
    `width` fields; and where the first and the last have, with a URL in the same place, whatever is
    between. In CSV (ours, for RFC 4180 knows no such thing): where each line after the first is by
    itself a row of `width` fields, and all hold a URL in one place, in which the first has one too.
    """
    if width < 2:  # of a line's end one column says nothing
        return False
    if delimiter == "\t":
        return _are_rows_of_tsv(lines, width)
    return _are_rows_of_csv(lines, width, delimiter)


def _are_rows_of_tsv(lines: Sequence[bytes], width: int) -> bool:
    first, last = (_plain(line, "\t") for line in (lines[0], lines[-1]))
    if len(first) != width or len(last) != width:
        return False
    if any(is_url(one) and is_url(other) for one, other in zip(first, last, strict=True)):
        return True
    return all(line.count(b"\t") == width - 1 for line in lines if line.strip(b"\r\n"))


def _are_rows_of_csv(lines: Sequence[bytes], width: int, delimiter: str) -> bool:
    first = _plain(lines[0], delimiter)
    # The first line is cut wherever it has a comma: a place counts from its beginning or its end.
    places = {
        place
        for place in range(width)
        for at in (place, place - width)
        if -len(first) <= at < len(first) and is_url(first[at])
    }
    # From the last on: that of a text of several lines is hardly ever a row.
    for line in reversed(lines[1:]):
        if not line.strip(b"\r\n"):
            continue
        try:
            fields = fields_of(line, delimiter)
        except csv.Error:
            return False
        places = {place for place in places if len(fields) == width and is_url(fields[place])}
        if not places:
            return False
    return True


def _plain(line: bytes, delimiter: str) -> list[str]:
    return line.decode(errors="replace").rstrip("\r\n").split(delimiter)
