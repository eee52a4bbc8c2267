"""The little YAML that other loaders read: strings and lists of them.

Every string goes through JSON, which is YAML too: no name can break out of its place.
"""

import json
from collections.abc import Iterable


def quoted(text: str) -> str:
    """A string."""
    return json.dumps(text)


def yaml_list(name: str, values: Iterable[str]) -> list[str]:
    """Lines of a list under `name`, whose leading blanks say how deep it is."""
    indent = " " * (len(name) - len(name.lstrip()) + 2)
    lines = [f"{indent}- {quoted(value)}" for value in values]
    return [f"{name}:", *lines] if lines else [f"{name}: []"]
