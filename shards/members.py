"""Members of a sample: what is asked of them by name, and how JSON and text become bytes."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from openm3w.errors import ShardError


def plain(value: Any) -> dict[str, Any]:
    """A dataclass as a dict."""
    return dataclasses.asdict(value)


def dump(value: Mapping[str, Any]) -> bytes:
    """Compact JSON."""
    return utf8(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def utf8(text: str) -> bytes:
    """The text as bytes; JSON sources may hold lone surrogates, which have no UTF-8 form."""
    return text.encode("utf-8", "replace")


def load(key: str, members: Mapping[str, bytes]) -> Mapping[str, Any]:
    """The object in the `.json` of a sample.

    Raises:
        ShardError: it is missing, or no object.
    """
    try:
        value = json.loads(member(key, members, "json"))
    except (ValueError, RecursionError) as error:
        raise ShardError(f"sample {key}: its .json does not decode: {error}") from error
    if not isinstance(value, dict):
        raise ShardError(f"sample {key}: its .json is {type(value).__name__}, expected an object")
    return value


def member(key: str, members: Mapping[str, bytes], suffix: str) -> bytes:
    """The bytes of `key.suffix`.

    Raises:
        ShardError: there is no such member.
    """
    try:
        return members[suffix]
    except KeyError:
        raise ShardError(
            f"sample {key}: no member {key}.{suffix}; it has {', '.join(sorted(members))}"
        ) from None
