"""The columns of a table: their types, and which of them is the one that is looked for."""

import textwrap
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from openm3w.errors import InputError

TEXT = "string"
TEXTS = "list<string>"
TWICE = "twice"
"""Stands for the type of a column whose name another one has too."""

_TEXTS = ("string", "large_string", "string_view", "null")
_PLAIN = frozenset(
    {"bool", "halffloat", "float", "double"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)


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


def check_once(have: Mapping[str, str], names: Iterable[str], table: object) -> None:
    """Refuses a table that has one of the columns to read twice: which is meant is not known.

    Raises:
        InputError: it has.
    """
    name = next((name for name in names if have.get(name) == TWICE), None)
    if name is not None:
        raise InputError(f"{table}: there are two columns {name!r}; rename one of them")


def check_text(
    have: Mapping[str, str], name: str, option: str, table: object, *, lists: bool = False
) -> None:
    """Refuses a column that never holds a text, or a list of texts where `lists` are taken.

    Numbers pass, for of JSON lines a later one may be a text; each is an outcome of its row.

    Raises:
        InputError: its type is another; the message has it.
    """
    kind = have.get(name, TEXT)
    if kind not in _PLAIN | {TEXT, TWICE} and not (lists and kind == TEXTS):
        kind = textwrap.shorten(kind, 200, placeholder=" ...")
        raise InputError(
            f"{table}: column {name!r} holds no texts but {kind}; name another with {option}"
        )


def type_name(kind: Any) -> str:
    """What the values of a type of Arrow are read as.

    `string` for texts and for bytes, which Spark, Hive and Impala write for texts; `list<string>`
    for lists of them; `double` for decimals; else Arrow's own name.
    """
    if isinstance(kind, pa.BaseExtensionType):
        return type_name(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return type_name(kind.value_type)
    if pa.types.is_decimal(kind):
        return "double"
    if is_list(kind):
        return TEXTS if type_name(kind.value_type) == TEXT else str(kind)
    return TEXT if is_bytes(kind) or str(kind) in _TEXTS else str(kind)


def is_bytes(kind: Any) -> bool:
    """Whether a type of Arrow is of bytes of any length."""
    return str(kind) in ("binary", "large_binary", "binary_view")


def is_list(kind: Any) -> bool:
    """Whether a type of Arrow is of lists, of a fixed length or not."""
    is_any = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    return bool(is_any or pa.types.is_fixed_size_list(kind))


def stored_type(name: str) -> str:
    """The plain type of Arrow of a column's values in samples: what is none becomes text."""
    return name if name in _PLAIN else TEXT


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
