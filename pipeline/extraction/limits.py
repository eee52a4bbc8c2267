"""Pages that would hang a parser, told from their text in linear time, alike on every machine."""

import re
from typing import Final, Literal

from openm3w.pipeline.extraction.tags import VOID, names

DropReason = Literal["too_large", "too_many_attributes", "too_deep"]

MAX_CHARS: Final = 10_000_000
"""lxml takes half a second for pages of this size, trafilatura some hundred times as long."""

MAX_ATTRIBUTES: Final = 2_000
"""Of one tag. Parsers compare each attribute with all before it: libxml2 takes 5 ms for this
many, 90 ms for 10,000 and minutes for 200,000."""

MAX_PAGE_ATTRIBUTES: Final = 50_000
"""Of all long tags together: a million of them take 26 seconds and 2 GiB."""

MANY_CHARS: Final = 500
"""Tags with less than this have too few attributes to count them."""

MAX_TAGS: Final = 100_000
"""trafilatura takes about 9 seconds for 75,000 elements with text; ordinary pages have 1,600."""

MAX_DEPTH: Final = 512
"""Open elements. Browsers flatten what is deeper (Blink: 512)."""

# Each alternative matches to its end, or to the end of the page where that is missing, so that
# no start is tried twice. Quotes count only after an equals sign: `<p don't>` opens none.
_RAW: Final = "script|style|textarea|title|xmp|noframes|iframe|noembed"
_VALUE: Final = r"""=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?+"""
_MARKUP: Final = re.compile(
    r"<!--.*?(?:-->|\Z)"
    rf"|<(?:{_RAW})\b.*?(?:</(?:{_RAW})|\Z)"
    rf"|<(/?[a-z][^\s/>]*+)((?:[^>=]++|{_VALUE})*+)",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(r"""[^\s/=]+(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s]*+))?+""")
_NEVER_NESTED: Final = VOID | names("command dd dt li option p")
"""Void elements, and those whose end tag is usually left out."""


class PageLimit(Exception):  # noqa: N818 -- a verdict rather than an error
    """A page must not be parsed; `reason` says why."""

    def __init__(self, reason: DropReason) -> None:
        super().__init__(reason)
        self.reason: DropReason = reason


def check_markup(html: str) -> None:
    """Look closely at pages with so many tags that they may be beyond the bounds.

    Raises:
        PageLimit: the page is.
    """
    if len(html) > MAX_CHARS:
        raise PageLimit("too_large")
    if html.count("<") > MAX_TAGS and (reason := check_html(html)):
        raise PageLimit(reason)


def check_html(html: str) -> DropReason | None:
    """Why a page must not be given to a parser, or None where it may be."""
    if len(html) > MAX_CHARS:
        return "too_large"
    stack, open_tags = list[str](), dict[str, int]()
    num_tags = num_attributes = 0
    for match in _MARKUP.finditer(html):
        name, attributes = match.group(1, 2)
        if name is None:
            continue
        if len(attributes) > MANY_CHARS:
            count = _num_attributes(attributes)
            num_attributes += count
            if count > MAX_ATTRIBUTES or num_attributes > MAX_PAGE_ATTRIBUTES:
                return "too_many_attributes"
        num_tags += not name.startswith("/")
        if num_tags > MAX_TAGS:
            return "too_large"
        _nest(name.lower(), stack, open_tags)
        if len(stack) > MAX_DEPTH:
            return "too_deep"
    return None


def _num_attributes(attributes: str) -> int:
    return sum(1 for _ in _ATTRIBUTE.finditer(attributes))


def _nest(name: str, stack: list[str], open_tags: dict[str, int]) -> None:
    """Open or close an element; an end tag closes what was left open inside its element."""
    if not name.startswith("/"):
        if name not in _NEVER_NESTED:
            stack.append(name)
            open_tags[name] = open_tags.get(name, 0) + 1
        return
    name = name[1:]
    while open_tags.get(name):
        last = stack.pop()
        open_tags[last] -= 1
        if last == name:
            return
