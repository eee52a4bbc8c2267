"""JSON lines, plain or compressed, to rows; damage is a value.

A line that does not parse costs only itself. A compressed file that is cut off ends with a value
that says so, after the lines before the cut.
"""

import json
from collections.abc import Iterator
from typing import BinaryIO

from openm3w.errors import InputError
from openm3w.pipeline.remote import File
from openm3w.pipeline.tables.opening import DECODER_ERRORS, opened
from openm3w.pipeline.tables.rows import Cells, one_line

MAX_LINE_BYTES = 16_000_000
"""Ours, as of a row of CSV: a line of 15.9 MB with one character beyond the BMP takes 230 MB while
its text is judged. A longer one is counted."""

_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_lines(file: File) -> Iterator[Cells]:
    """The lines of a file that are not blank.

    Raises:
        InputError: it is in another charset than UTF-8, by its first bytes.
    """
    number = -1
    try:
        with opened(file) as stream:
            while raw := stream.readline(MAX_LINE_BYTES + 1):
                number += 1
                if number == 0:
                    refuse_utf16(file, raw)
                if len(raw) > MAX_LINE_BYTES:
                    yield too_long(number, MAX_LINE_BYTES)
                    skip_line(stream, raw)
                elif raw.strip():
                    yield parse(number, raw)
    except DECODER_ERRORS as error:
        yield Cells(number=number + 1, error="damaged_file", detail=one_line(error))


def parse(number: int, raw: bytes) -> Cells:
    """One line as an object, or as an error."""
    try:
        # Of bytes the json module guesses the charset, for each line anew.
        value = json.loads(raw.removeprefix(b"\xef\xbb\xbf").decode())
    except UnicodeDecodeError as error:
        return Cells(number=number, error="not_utf8", detail=str(error)[:100])
    except (ValueError, RecursionError) as error:
        return Cells(number=number, error="malformed_json", detail=str(error)[:100])
    if not isinstance(value, dict):
        detail = f"found {type(value).__name__}"
        return Cells(number=number, error="not_an_object", detail=detail)
    return Cells(number=number, values=value)


def refuse_utf16(file: File, start: bytes) -> None:
    """Refuses a table that begins with the mark of UTF-16.

    Raises:
        InputError: it does.
    """
    if start.startswith(_UTF16):
        raise InputError(f"{file}: is UTF-16; save it as UTF-8")


def too_long(number: int, most: int) -> Cells:
    """A row that is not read, for it would fill the memory."""
    return Cells(number=number, error="row_too_long", detail=f"over {most} bytes")


def skip_line(stream: BinaryIO, piece: bytes) -> None:
    """Reads on to the end of the line of which `piece` was read."""
    while piece and not piece.endswith(b"\n"):
        piece = stream.readline(1 << 20)
