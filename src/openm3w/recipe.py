"""TOML recipes to frozen dataclasses, strictly.

A recipe is a table of tables; each component's dataclass stands beside its owner. An unknown key,
a wrong type or a value outside a closed set is an error that names the full path of the key and,
where one is near, the name that was probably meant.
"""

import copy
import dataclasses
import difflib
import hashlib
import json
import math
import tomllib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from openm3w.errors import RecipeError

T = TypeVar("T")
N = TypeVar("N", bound=str)


def load(name: str, folder: Path, cls: type[T], overrides: Iterable[str] = ()) -> T:
    """Reads the recipe `name`, a shipped one of `folder` or a path to a TOML file.

    Raises:
        RecipeError: no such recipe, not TOML, or it does not decode to `cls`.
    """
    return decode(cls, apply_overrides(read_table(name, folder), overrides), where=name)


def read_table(name: str, folder: Path) -> dict[str, Any]:
    """The recipe's table before decoding."""
    path = folder / f"{name}.toml"
    if not path.is_file():
        path = Path(name)
    if not path.is_file():
        shipped = sorted(p.stem for p in folder.glob("*.toml"))
        raise RecipeError(
            f"recipe {name!r}: no such file, and no shipped recipe has this name"
            f"{_nearest(name, shipped)}; shipped: {', '.join(shipped)}"
        )
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecipeError(f"recipe {path}: not valid TOML: {error}") from error


def apply_overrides(table: Mapping[str, Any], overrides: Iterable[str]) -> dict[str, Any]:
    """A copy of `table` with `a.b=value` entries put in; a value is TOML, else a plain string."""
    result: Any = copy.deepcopy(dict(table))
    for override in overrides:
        path, sign, raw = override.partition("=")
        if not sign or not path:
            raise RecipeError(f"--set {override!r}: expected a.b=value, as in images.side=256")
        *parents, last = path.strip().split(".")
        at = result
        for parent in parents:
            at = at.setdefault(parent, {})
            if not isinstance(at, dict):
                raise RecipeError(f"--set {override!r}: {parent!r} is a value, not a table")
        at[last] = _toml_value(raw)
    return typing.cast("dict[str, Any]", result)


def decode(cls: type[T], table: Mapping[str, Any], where: str) -> T:
    """Builds the dataclass `cls` from `table`; `where` begins the path in error messages.

    Raises:
        RecipeError: unknown or missing key, or a value of another type.
    """
    return typing.cast("T", _decode_dataclass(cls, table, where))


def to_plain(value: object) -> Any:
    """The JSON form of a configuration value: dataclasses as tables, tuples as lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return value


def fingerprint(value: object) -> str:
    """16 hex digits of the SHA-256 of `value`'s canonical JSON: equal settings, equal digits."""
    text = json.dumps(to_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def chained(start: str, parts: Mapping[N, Sequence[object]]) -> dict[N, str]:
    """The fingerprint of each job, in order: of its own part and of the fingerprint before it."""
    digits: dict[N, str] = {}
    for name, part in parts.items():
        start = digits[name] = fingerprint([start, *part])
    return digits


def _nearest(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _toml_value(raw: str) -> Any:
    try:
        return tomllib.loads(f"value = {raw}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return raw


def _decode_dataclass(cls: Any, table: object, where: str) -> object:
    if not isinstance(table, Mapping):
        raise RecipeError(f"{where}: expected a table, found {table!r}")
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}
    hints = typing.get_type_hints(cls)
    for key in table:
        if key not in fields:
            near = _nearest(key, fields)
            hint = near or f"; it takes {', '.join(fields)}"
            raise RecipeError(f"{where}: unknown key {key!r}{hint}")
    values = {key: _decode(hints[key], item, f"{where}: {key}") for key, item in table.items()}
    missing = [
        name
        for name, f in fields.items()
        if name not in values
        and f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise RecipeError(f"{where}: missing key {missing[0]!r}")
    try:
        return cls(**values)
    except ValueError as error:
        raise RecipeError(f"{where}: {error}") from error


def _decode(hint: Any, value: object, where: str) -> object:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hasattr(hint, "from_table"):  # a table whose keys are known to its owner alone
        return hint.from_table(value, where)
    if dataclasses.is_dataclass(hint):
        return _decode_dataclass(hint, value, where)
    if origin is typing.Literal:
        return _decode_choice(args, value, where)
    if origin in (typing.Union, types.UnionType):
        inner = [arg for arg in args if arg is not type(None)]
        if len(inner) != 1:
            raise TypeError(f"{where}: a recipe field has one type, or one type and None")
        return None if value is None else _decode(inner[0], value, where)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise RecipeError(f"{where}: expected a list, found {value!r}")
        return tuple(_decode(args[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise RecipeError(f"{where}: expected a table, found {value!r}")
        return {str(k): _decode(args[1], v, f"{where}.{k}") for k, v in value.items()}
    return _decode_scalar(hint, value, where)


def _decode_choice(choices: tuple[object, ...], value: object, where: str) -> object:
    if value in choices:
        return value
    near = _nearest(str(value), [str(c) for c in choices])
    raise RecipeError(f"{where}: {value!r} is none of {', '.join(map(str, choices))}{near}")


def _decode_scalar(hint: Any, value: object, where: str) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 63:
        raise RecipeError(
            f"{where}: a number of {value.bit_length()} bits is beyond all that counts"
        )
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, float) and math.isnan(value):
        raise RecipeError(
            f"{where}: nan is no value; write a number, or inf where a bound is to be none"
        )
    if isinstance(value, hint) and not (hint is not bool and isinstance(value, bool)):
        return value
    raise RecipeError(f"{where}: expected {hint.__name__}, found {value!r}")
