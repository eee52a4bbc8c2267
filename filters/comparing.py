"""Profiles side by side: the bounds in which they differ."""

from collections.abc import Mapping, Sequence
from typing import Any

from openm3w import recipe
from openm3w.errors import RecipeError
from openm3w.filters.caption_profile import CaptionProfile, load_caption_profile
from openm3w.filters.profiles import Profile, load_profile, profile_kind

OFF = "off"
"""Value of a bound of a rule that a profile does not switch on."""


def load_any(name_or_path: str, overrides: Sequence[str] = ()) -> Profile | CaptionProfile:
    """A profile of either kind.

    Raises:
        RecipeError: there is no such profile, or it does not decode.
    """
    if profile_kind(name_or_path) == "caption":
        return load_caption_profile(name_or_path, overrides)
    return load_profile(name_or_path, overrides)


def differences(names: Sequence[str]) -> dict[str, tuple[Any, ...]]:
    """Dotted name of each bound that is not the same in all -> its value in each, in their order.

    Raises:
        RecipeError: fewer than two profiles, or two of different kinds.
    """
    if len(names) < 2:
        raise RecipeError("profiles are compared with each other: name two or more")
    kinds = {name: profile_kind(name) for name in names}
    if len(set(kinds.values())) > 1:
        told = ", ".join(f"{name} is of kind {kind}" for name, kind in kinds.items())
        raise RecipeError(f"profiles of two kinds have other bounds: {told}")
    found = [bounds(name) for name in names]
    keys = dict.fromkeys(key for values in found for key in values)
    rows = {key: tuple(values.get(key, OFF) for values in found) for key in keys}
    return {key: row for key, row in rows.items() if any(value != row[0] for value in row)}


def bounds(name: str) -> dict[str, Any]:
    """Every bound of a profile by its dotted name; those of rules that are off are left out.

    Raises:
        RecipeError: there is no such profile.
    """
    plain = recipe.to_plain(load_any(name))
    plain.pop("description")
    return dict(flat(plain))


def flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Dotted names and values of nested tables; what is None is left out."""
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            found += flat(value, f"{prefix}{key}.")
        elif value is not None:
            found.append((f"{prefix}{key}", value))
    return found
