"""A page's markup as tokens, by one regular expression that takes linear time on any input.

Each token is a tag with the text that follows it. What is inside comments, scripts, styles,
drawings and the other elements whose content is no markup is passed over. Every alternative of
the expression runs to its end, or to the end of the page where that is missing, and never gives
back what it took: so there is no page that it could hang on, as parsers do.
"""

import re
from html import unescape
from html.entities import html5
from typing import Final

from openm3w.pipeline.extraction.limits import check_markup

Token = tuple[str, str, str]
"""Name ("p", "/p"; "" for what was passed over), attributes as written, the text after it."""


def _any_case(word: str) -> str:
    return "".join(f"[{letter}{letter.upper()}]" for letter in word)


# Quotes count only after an equals sign: `<p don't>` opens none.
_ATTRIBUTES: Final = r"""[^>=]*+(?:=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?+[^>=]*+)*+"""
_RAW: Final = "|".join(
    rf"{_any_case(name)}(?=[\s/>]){_ATTRIBUTES}>?+[^<]*+(?:<(?!/{_any_case(name)}[\s/>])[^<]*+)*+"
    for name in ("script", "style", "svg", "iframe", "textarea", "noembed")
)
_TOKEN: Final = re.compile(
    rf"<(?:(?=[sSiItTnN])(?:{_RAW})"
    rf"|(/?[a-zA-Z][^\s/>]*+)({_ATTRIBUTES})>?+"
    r"|!--(?:-?>|[^-]*+(?:-(?!-!?>)[^-]*+)*+(?:--!?>|\Z))"
    r"|[!?/][^>]*+>?+)"
    # Of white space alone one character is enough.
    r"(\s(?=\s*+<)|[^<]*+(?:<(?![a-zA-Z/!?])[^<]*+)*+)\s*+"
)
_ATTRIBUTE: Final = re.compile(
    r"""([^\s/>=][^\s/>=]*+)(?:\s*+=\s*+(?:"([^"]*+)"?|'([^']*+)'?|([^\s>"']?+[^\s>]*+)))?+"""
)
_REFERENCE: Final = re.compile(r"&(?:#[xX]?[0-9a-fA-F]{1,12};?|([a-zA-Z][a-zA-Z0-9]*+);?(=?))")


def tokenize(html: str) -> list[Token]:
    """All tags of a page, each with the text after it; text before the first tag has no name.

    Raises:
        PageLimit: the page has more markup than any that is worth reading.
    """
    check_markup(html)
    tokens: list[Token] = _TOKEN.findall(html)
    start = html.find("<")
    if start:
        tokens.insert(0, ("", "", html if start < 0 else html[:start]))
    return tokens


def attributes(written: str) -> dict[str, str]:
    """Attributes of a tag by lower-case name; the first of a name counts."""
    found = dict[str, str]()
    for name, double, single, bare in _ATTRIBUTE.findall(written):
        value = double or single or bare
        found.setdefault(name.lower(), decode_references(value) if "&" in value else value)
    return found


def decode_references(value: str) -> str:
    """An attribute's value with its character references read, as the HTML Standard has it.

    A name without semicolon counts only where neither `=` nor a letter follows: in addresses
    `&copy=1` is a parameter.
    """
    return _REFERENCE.sub(_decode, value)


def _decode(match: re.Match[str]) -> str:
    name, equals = match.group(1, 2)
    bare = name is not None and not match[0].endswith(";")
    return match[0] if bare and (equals or name not in html5) else unescape(match[0])
