"""Pages served as XHTML: what XML means otherwise than HTML, written as HTML.

Browsers read them by the rules of XML: any element may end itself with `/>`, and CDATA sections
are text. Read as HTML, `<script src="a.js"/>` would swallow the page up to the next end tag.
"""

import re
from html import escape
from typing import Final

from openm3w.pipeline.extraction.tags import VOID

MEDIA_TYPES: Final = frozenset(("application/xhtml+xml", "application/vnd.wap.xhtml+xml"))

# Every alternative runs to its end, or to that of the page, and gives nothing back.
_MARKUP: Final = re.compile(
    r"<!--(?:[^-]++|-(?!->))*+"
    r"|<!\[CDATA\[(?P<cdata>(?:[^\]]++|\](?!\]>))*+)(?:\]\]>)?+"
    r"""|<(?P<name>[a-zA-Z][^\s/>]*+)(?P<attributes>(?:[^"'/>]++|"[^"]*+"?+|'[^']*+'?+|/(?!>))*+)"""
    r"(?P<end>/?+)>?+"
)


def as_html(xhtml: str) -> str:
    """The page with an end tag for each element that ended itself, and CDATA sections as text."""
    return _MARKUP.sub(_written, xhtml)


def _written(match: re.Match[str]) -> str:
    if match["cdata"] is not None:
        return escape(match["cdata"], quote=False)
    name = match["name"]
    if not match["end"] or name.lower() in VOID:
        return match[0]
    return f"<{name}{match['attributes']}></{name}>"
