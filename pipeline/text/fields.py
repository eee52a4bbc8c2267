"""What a row of a table of texts says: the text, and what is known of it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from openm3w.pipeline.tables.columns import check_once, check_text, find_column
from openm3w.pipeline.tables.rows import decoded, plain_text

TEXT_COLUMNS = ("text", "content")
"""The Pile's, Dolma's, C4's and FineWeb's; `content` is what code and news collections write."""

_NESTED = ("meta", "metadata")
"""The Pile's and Dolma's: a table in the row, or JSON of one, that is asked after the row."""

_URLS = ("url",)
_TITLES = ("title",)
_RECORDS = ("warc_record_id", "id")
_CRAWLS = ("dump",)
_DATES = ("date", "timestamp", "warc_date", "added")
"""When it was crawled: FineWeb's, C4's, and Dolma's two. Dolma's `created` is the author's date."""
_PARTS = ("pile_set_name", "redpajama_set_name", "red_pajama_subset", "source")
"""The Pile's, SlimPajama's, RedPajama's, and Dolma's, which others name theirs by as well."""
MAX_PART = 100
"""Characters (ours): what is longer, or holds `://`, names no part but where a text is from."""
_LANGUAGES = ("language", "lang")
_SCORES = ("language_score",)

ABOUT_COLUMNS = (
    *(_URLS + _TITLES + _RECORDS + _CRAWLS + _DATES + _PARTS + _LANGUAGES + _SCORES),
    *_NESTED,
)
"""All that is read beside the text."""

_RECORD_ID = re.compile(r"<?urn:uuid:", re.IGNORECASE)
_CODE = re.compile(r"[a-z]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a row says of its text; "" where it says nothing."""

    url: str = ""
    title: str = ""
    record_id: str = ""
    """WARC-Record-ID."""
    crawl: str = ""
    fetched: str = ""
    """ISO 8601, UTC."""
    part: str = ""
    """Of its collection."""
    language: str = ""
    """ISO 639-1 code; set only with a score, for a code alone says not how sure it is."""
    language_score: float = 0.0


def find_text(have: Mapping[str, str], asked: str, table: object) -> str:
    """The column that holds the texts.

    Raises:
        InputError: there is none (the message lists what the table has), there are two of one
            name, or it never holds a text.
    """
    found = find_column(have, asked, TEXT_COLUMNS, "--text-column", table)
    check_once(have, (*text_columns(asked), *ABOUT_COLUMNS), table)
    check_text(have, found, "--text-column", table)
    return found


def text_columns(asked: str) -> tuple[str, ...]:
    """Those of which the first that a row has is its text."""
    return (asked,) if asked else TEXT_COLUMNS


def text_of(values: Mapping[str, Any], asked: str) -> Any:
    """The cell that holds a row's text; None where there is none."""
    names = text_columns(asked)
    return next((values[name] for name in names if values.get(name) is not None), None)


def about(values: Mapping[str, Any]) -> About:
    """What a row says, in columns of its own or in one that holds a table."""
    tables = [values, *(_table(decoded(values.get(name))) for name in _NESTED)]
    language, score = _language(_first(tables, _LANGUAGES), _first(tables, _SCORES))
    record = _text(_first(tables, _RECORDS))
    return About(
        url=_text(_first(tables, _URLS)),
        title=_text(_first(tables, _TITLES)),
        record_id=record if _RECORD_ID.match(record) else "",
        crawl=_text(_first(tables, _CRAWLS)),
        fetched=_date(_first(tables, _DATES)),
        part=_part(_first(tables, _PARTS)),
        language=language,
        language_score=score,
    )


def _first(tables: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Any:
    cells = (table.get(name) for name in names for table in tables)
    return decoded(next((cell for cell in cells if cell is not None), None))


def _table(cell: Any) -> Mapping[str, Any]:
    if isinstance(cell, str) and cell.startswith("{"):
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            return {}
    return cell if isinstance(cell, dict) else {}


def _text(cell: Any) -> str:
    return plain_text(cell).strip() if isinstance(cell, str) else ""


def _part(cell: Any) -> str:
    name = " ".join(_text(cell).split())
    return "" if len(name) > MAX_PART or "://" in name else name


def _language(code: Any, score: Any) -> tuple[str, float]:
    try:
        number = float(score)
    except (TypeError, ValueError, OverflowError):
        return "", 0.0
    if not isinstance(code, str) or not _CODE.fullmatch(code) or not 0 <= number <= 1:
        return "", 0.0
    return code, round(number, 4)


def _date(cell: Any) -> str:
    """A date as archives write it: to the second, in UTC; one without a zone is taken for UTC."""
    if isinstance(cell, str):
        try:
            cell = datetime.fromisoformat(cell.strip())
        except ValueError:
            return ""
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime.combine(cell, time())
    if not isinstance(cell, datetime):
        return ""
    try:
        moment = cell.astimezone(UTC) if cell.tzinfo else cell
    except (ValueError, OverflowError):  # at the ends of the calendar
        return ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"
