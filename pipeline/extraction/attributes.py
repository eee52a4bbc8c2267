"""What a tag's attributes say, and what character references stand for: the one reader of both."""

import re
from html import unescape
from html.entities import html5
from typing import Final

_ATTRIBUTE: Final = re.compile(
    r"""([^\s/>=][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*+)"?|'([^']*+)'?|([^\s>"']?+[^\s>]*+)))?+"""
)
_LONG_NUMBER: Final = re.compile(r"&#[0-9]{100,}+;?")
_REFERENCE: Final = re.compile(r"&(?:#[xX]?[0-9a-fA-F]{1,12};?|([a-zA-Z][a-zA-Z0-9]*+);?(=?))")


def attributes(written: str) -> dict[str, str]:
    """Attributes of a tag by lower-case name; the first of a name counts."""
    found = dict[str, str]()
    for name, double, single, bare in _ATTRIBUTE.findall(written):
        value = double or single or bare
        found.setdefault(name.lower(), decode_references(value) if "&" in value else value)
    return found


def decode_text(text: str) -> str:
    """A page's text with its character references read."""
    try:
        return unescape(text)
    except ValueError:  # a number with more than the 4,300 digits that `int` takes
        return unescape(_LONG_NUMBER.sub("\ufffd", text))


def decode_references(value: str) -> str:
    """An attribute's value with its character references read, as the HTML Standard has it.

    A name without semicolon counts only where neither `=` nor a letter follows: in addresses
    `&copy=1` is a parameter.
    """
    return _REFERENCE.sub(_decode, value)


def _decode(match: re.Match[str]) -> str:
    name, equals = match.group(1, 2)
    if name is None:
        return unescape(match[0])
    if match[0][len(name) + 1 :].startswith(";"):
        return html5[f"{name};"] + equals if f"{name};" in html5 else match[0]
    return match[0] if equals else html5.get(name, match[0])
