"""The columns of a table: their types, and which of them is the one that is looked for."""

import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from openm3w.errors import InputError

TEXT = "string"


def find_column(
    have: Collection[str], asked: str, known: Sequence[str], option: str, table: object
) -> str:
    """The column asked for, else the first of those known by name.

    Raises:
        InputError: there is none; the message lists what the table has and names the option.
    """
    if asked and asked in have:
        return asked
    if not asked:
        found = next((name for name in known if name in have), None)
        if found is not None:
            return found
    what = f"no column {asked!r}" if asked else f"no column is known by name; name it with {option}"
    has = textwrap.shorten(", ".join(have), 500, placeholder=" ...")
    raise InputError(f"{table}: {what}; it has {has or 'no columns'}")


def type_name(kind: Any) -> str:
    """Arrow's name of a plain type of Arrow; `string` for all others, whose values become text."""
    is_plain = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    return str(kind) if is_plain or pa.types.is_boolean(kind) else TEXT


def types_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Columns of rows and their types: of numbers `double`, for a later one may have a fraction."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items():
            found.setdefault(name, set()).update(() if value is None else (_type_of(value),))
    return {name: merged_type(kinds or {TEXT}) for name, kinds in found.items()}


def merged_type(types: Collection[str]) -> str:
    """The Arrow type that holds all of these: the only one, numbers as `double`, or `string`."""
    if len(set(types)) == 1:
        return next(iter(types))
    return TEXT if {"bool", TEXT} & set(types) else "double"


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "double" if isinstance(value, int | float) else TEXT
