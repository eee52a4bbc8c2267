"""Values of JSON files as the dataclasses that they should be, their fields' types checked.

A file is written by whoever; a field of another type would be noticed only where it is used, with
a traceback that names neither file nor field.
"""

import functools
from collections.abc import Mapping
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def make(cls: type[T], value: Mapping[str, Any]) -> T:
    """`cls(**value)`, a list taken where a tuple is declared.

    Raises:
        TypeError: `value` is no mapping, or a field is unknown, missing or of another type.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"{_name(cls)} is {_name(type(value))}, expected an object")
    fields = dict(value)
    for name, hint in _hints(cls).items():  # type: ignore[arg-type]
        if name not in fields:
            continue
        if _parts(hint)[0] is tuple and isinstance(fields[name], list):
            fields[name] = tuple(fields[name])
        if not fits(fields[name], hint):
            found = _name(type(fields[name]))
            raise TypeError(f"{name}: {found} does not fit, expected {_name(hint)}")
    return cls(**fields)


def fits(value: object, hint: Any) -> bool:
    """Whether `value` is of the type `hint`: a class, Literal, union, tuple[X, ...] or Mapping."""
    if hint is Any or type(value) is hint:
        return True
    origin, args = _parts(hint)
    if hint in (int, float):  # JSON has one kind of number, and true is none
        numbers = (int,) if hint is int else (int, float)
        return isinstance(value, numbers) and not isinstance(value, bool)
    if origin in (Union, UnionType):
        return any(fits(value, arg) for arg in args)
    if origin is Literal:
        return value in args
    if origin is tuple:
        return isinstance(value, tuple) and all(fits(item, args[0]) for item in value)
    if origin is not None:
        return isinstance(value, Mapping) and all(fits(item, args[1]) for item in value.values())
    return isinstance(value, hint)


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    return get_type_hints(cls)


@functools.cache
def _parts(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    return get_origin(hint), get_args(hint)


def _name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)
