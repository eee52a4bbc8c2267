"""What every form of table is read to: rows of plain values, each with its number or its fault."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """One row as read, or rows that could not be."""

    number: int
    """From 0, of the first; of JSON lines that of the line, blank lines counted."""
    values: Mapping[str, Any] = field(default_factory=dict)
    """By column; None or missing where the row has nothing."""
    error: str = ""
    """Why the row could not be read: `malformed_json`, `not_an_object`, `malformed_csv`,
    `wrong_number_of_fields`, `not_utf8`, `unreadable_value`, `row_too_long`, `damaged_file`; or
    ""."""
    detail: str = ""
    count: int = 1
    """Rows that `error` took: as many as the table says that there are."""


def numbers(first: int, count: int) -> str:
    """Rows as a note names them, `row 7` or `rows 7 to 9`: from 1."""
    return f"row {first + 1}" if count == 1 else f"rows {first + 1} to {first + count}"


def plain_text(value: str) -> str:
    """`value` without lone surrogates, which JSON can spell and UTF-8 cannot."""
    return value.encode("utf-8", "replace").decode()


def decoded(value: Any) -> Any:
    """Bytes that are UTF-8 as the text that they are, for Spark writes texts so; else `value`."""
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value


def one_line(error: BaseException) -> str:
    """What an error of a reader says, short enough for a note."""
    return " ".join(str(error).split())[:200]
