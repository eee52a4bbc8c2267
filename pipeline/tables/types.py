"""Types of columns, by the names that Arrow has for them: plain ones, and text for all others."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final

import pyarrow as pa

TEXT: Final = "string"


def alias(found: pa.DataType) -> str:
    """The name of a plain type; of any other that of text."""
    is_plain = pa.types.is_integer(found) or pa.types.is_floating(found)
    return str(found) if is_plain or pa.types.is_boolean(found) else TEXT


def types_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The keys of some objects and their types: numbers, for a later one may have a fraction."""
    names: dict[str, str] = {}
    for row in rows:
        for name, value in row.items():
            if value is not None:
                names[name] = merged_type({names.get(name, _type_of(value)), _type_of(value)})
            else:
                names.setdefault(name, TEXT)
    return names


def merged_type(types: Collection[str]) -> str:
    """The Arrow type that holds all of these: the only one, numbers as `double`, or text."""
    if len(set(types)) == 1:
        return next(iter(types))
    return TEXT if {"bool", TEXT} & set(types) else "double"


def _type_of(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    return "double" if isinstance(value, int | float) else TEXT
