"""What a profile decides, number by number, each with where it comes from.

The numbers are the profile's as it was applied; sources stand in its file as comments, on the line
of a number or on that of its table.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from openm3w import recipe
from openm3w.errors import RecipeError
from openm3w.filters.caption_profile import CaptionProfile
from openm3w.filters.comparing import flat
from openm3w.filters.profiles import Profile, profile_path

_TABLE: Final = re.compile(r"\[([\w.\"-]+)\]\s*(?:#\s*(.*))?")
_NUMBER: Final = re.compile(r"([\w-]+|\"[^\"]+\")\s*=\s*(.+)")
_CHANGED: Final = "set for this build"
_NOT_TOLD: Final = frozenset({"description", "kind", "base"})


def thresholds(
    profile: Profile | CaptionProfile, name_or_path: str, changes: Sequence[str] = ()
) -> list[list[str]]:
    """Rows of name, value and source, in the profile's order.

    `changes` are those that a recipe makes. Where the file is gone, sources are "".
    """
    changed = {change.partition("=")[0].strip() for change in changes}
    told = _sources(name_or_path)
    rows = []
    for name, value in flat(recipe.to_plain(profile)):
        if name in _NOT_TOLD or value in ([], {}):
            continue
        source = _CHANGED if name in changed else told.get(name, "")
        rows.append([name, json.dumps(_shown(name, value), ensure_ascii=False), source])
    return rows


def _shown(name: str, value: Any) -> Any:
    """The value without folders of this machine: lists of pages are files."""
    if name.startswith("pages.") and isinstance(value, list):
        return [Path(str(path)).name for path in value]
    return value


def _sources(name_or_path: str) -> dict[str, str]:
    """Dotted name -> the comment beside it, or beside its table."""
    try:
        text = profile_path(name_or_path).read_text(encoding="utf-8")
    except (RecipeError, OSError, UnicodeDecodeError):
        return {}
    found: dict[str, str] = {}
    table = of_table = ""
    for line in text.splitlines():
        if head := _TABLE.fullmatch(line.strip()):
            table, of_table = head[1].replace('"', "") + ".", head[2] or ""
        elif number := _NUMBER.fullmatch(line.strip()):
            name = table + number[1].strip('"')
            found[name] = _comment(line.strip()) or of_table
    return found


def _comment(line: str) -> str:
    """What follows the value: the first # behind which nothing is part of it."""
    for at, character in enumerate(line):
        if character == "#" and _is_toml(line[:at]):
            return line[at + 1 :].strip()
    return ""


def _is_toml(line: str) -> bool:
    try:
        tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return False
    return True
