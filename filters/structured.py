"""Structured field values for HTTP, as far as they are asked here: dictionaries (RFC 9651)."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

MAX_CHARS: Final = 8192
"""Of a field. Servers refuse longer headers."""

_KEY = r"[a-z*][a-z0-9_.*-]*"
_BARE = "|".join(
    (
        r"-?[0-9]{1,12}\.[0-9]{1,3}(?![0-9.])",  # decimal
        r"@?-?[0-9]{1,15}(?![0-9.])",  # integer and date
        r'"(?:[ !#-\[\]-~]|\\["\\])*"',  # string
        r"[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*",  # token
        r":[A-Za-z0-9+/=]*:",  # bytes
        r"\?[01]",  # boolean
        r'%"(?:[ !#$&-~]|%[0-9a-f]{2})*"',  # display string
    )
)
_PARAMETERS = rf"(?:; *{_KEY}(?:=(?:{_BARE}))?)*"
_ITEM = rf"(?:{_BARE}){_PARAMETERS}"
_LIST = rf"\( *(?:{_ITEM}(?: +|(?=\))))*\)"
_MEMBER = re.compile(rf"(?P<key>{_KEY})(?:=(?:(?P<bare>{_BARE})|(?P<list>{_LIST})))?{_PARAMETERS}")
_BETWEEN = re.compile(r"[ \t]*,[ \t]*(?=[^ \t])")


def parse_dictionary(text: str) -> dict[str, str]:
    """The members of a dictionary: key -> bare value as written, parameters left out.

    So the token `y` is `y` and the string is `"y"`. A key alone is the boolean `?1`; an inner list
    is `(...)` as written. Of a key that is named twice the last counts.

    Raises:
        ValueError: it is no dictionary; then none of it means anything (RFC 9651, section 4.2).
    """
    text = text.strip(" ")
    if len(text) > MAX_CHARS or not text.isascii():
        raise ValueError("too long or not ASCII")
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        member = _MEMBER.match(text, at)
        if member is None:
            raise ValueError(f"no member of a dictionary at character {at}")
        found[member["key"]] = member["bare"] or member["list"] or "?1"
        if found[member["key"]].startswith("%"):
            unquote_to_bytes(found[member["key"]]).decode()
        at = member.end()
        if at < len(text):
            between = _BETWEEN.match(text, at)
            if between is None:
                raise ValueError(f"no comma between members at character {at}")
            at = between.end()
    return found
