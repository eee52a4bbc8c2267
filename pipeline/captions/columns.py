"""Which column of a table names the image, and which holds its captions."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from openm3w.filters.captions import SCORES
from openm3w.pipeline.tables.columns import check_once, check_text, find_column, stored_type
from openm3w.pipeline.tables.rows import decoded, plain_text

# The first that a table has is taken. LAION-400M and -5B; ReLAION, COYO, DataComp and cc2dataset;
# the others are what img2dataset's users write.
URL_COLUMNS = (
    "URL",
    "url",
    "image_url",
    "Image URL",
    "image",
    "image_path",
    "file_name",
    "filepath",
)
TEXT_COLUMNS = ("TEXT", "text", "caption", "alt", "captions", "Caption", "TITLE", "title")
PAGE_COLUMNS = ("page_url",)
"""cc2dataset's name for the page that held the image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns to read."""

    url: str
    text: str
    page: str = ""
    """Column with the URL of the page, or "" where there is none."""
    scores: Mapping[str, str] = field(default_factory=dict)
    """Name of a score (`openm3w.filters.captions.SCORES`) -> the column that holds it."""
    own: Mapping[str, str] = field(default_factory=dict)
    """Columns whose values samples carry under the table's own names -> their type in Arrow."""

    @property
    def names(self) -> list[str]:
        every = (self.url, self.text, self.page, *self.scores.values(), *self.own)
        return list(dict.fromkeys(name for name in every if name))


def find_columns(
    have: Mapping[str, str], *, url: str, text: str, table: object, own: Sequence[str] = ()
) -> Columns:
    """The columns asked for, else those known by name.

    Args:
        have: The table's columns, and their types in Arrow.
        url: The column of images, or "".
        text: The column of captions, or "".
        table: What the message names.
        own: Columns that samples are to carry; those of known scores are carried in any case.

    Raises:
        InputError: there is none (the message lists what the table has), there are two of one
            name, or one that never holds a text.
    """
    names = list(have)
    scores = _scores(names)
    asked = (find_column(names, name, (), "captions.columns", table) for name in own)
    carried = [*scores.values(), *asked]
    found = Columns(
        url=find_column(names, url, URL_COLUMNS, "--url-column", table),
        text=find_column(names, text, TEXT_COLUMNS, "--text-column", table),
        page=next((name for name in PAGE_COLUMNS if name in have), ""),
        scores=scores,
        own={name: stored_type(have[name]) for name in carried},
    )
    check_once(have, found.names, table)
    check_text(have, found.url, "--url-column", table)
    check_text(have, found.text, "--text-column", table, lists=True)
    return found


def scores_of(values: Mapping[str, Any], columns: Columns) -> dict[str, float]:
    """A row's numbers for the columns that are read, to six digits; NaN where it has none."""
    return {
        name: _number(values.get(column), SCORES[name].words)
        for name, column in columns.scores.items()
    }


def own_of(values: Mapping[str, Any], columns: Columns) -> dict[str, Any]:
    """A row's values for the columns that samples carry, as JSON has them."""
    return {name: _plain(values.get(name)) for name in columns.own}


def captions_of(value: Any) -> list[str] | None:
    """The captions in a cell: a string or a list of strings; None where it is something else."""
    if value is None:
        return []
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        return None
    cleaned = (" ".join(plain_text(item).split()) for item in values)
    return [caption for caption in cleaned if caption]


def _scores(have: Sequence[str]) -> dict[str, str]:
    found = {
        name: next((column for column in score.columns if column in have), "")
        for name, score in SCORES.items()
    }
    return {name: column for name, column in found.items() if column}


def _plain(value: Any) -> Any:
    """A value as JSON has it; what it has no form for, as dates, as text."""
    value = float(value) if isinstance(value, Decimal) else decoded(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return plain_text(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {plain_text(str(name)): _plain(item) for name, item in value.items()}
    return str(value)


def _number(value: Any, words: Mapping[str, float]) -> float:
    """Six decimals of a number; not a number where it is none, or none that JSON knows."""
    if isinstance(value, str):  # of CSV all is text
        value = words.get(value.strip(), value)
    if not isinstance(value, int | float | str | Decimal) or isinstance(value, bool):
        return math.nan
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return math.nan
    return round(number, 6) if math.isfinite(number) else math.nan
