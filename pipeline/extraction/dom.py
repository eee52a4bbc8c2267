"""A page's DOM, and what its head says about it."""

import re
import sys
from typing import Any, Final
from urllib.parse import urljoin

import lxml.html
from lxml import etree

from openm3w.pipeline.extraction.urls import resolve_url

_REMOVED: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff\U000f0000-\U0010ffff]"
)
"""Controls, surrogates, and the private use planes: icons of fonts, and our marks (`layout`)."""

MAX_REFERENCE_DIGITS: Final = 12
"""Of a character reference, leading zeros included."""

_REFERENCE: Final = re.compile("&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?")
_OPT_OUT_NAMES: Final = frozenset(
    ("robots", "googlebot", "ai-bot", "ccbot", "gptbot", "tdm-reservation", "tdm-policy")
)


def parse(html: str) -> Any:
    """The page's root element, or None where there is none.

    `huge_tree` keeps what is nested deeper than 256 levels, which libxml2 drops otherwise.
    """
    parser = lxml.html.HTMLParser(
        encoding="utf-8",
        huge_tree=True,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        default_doctype=False,
    )
    try:
        return lxml.html.document_fromstring(_clean(html).encode(), parser=parser)
    except (etree.LxmlError, ValueError):  # nothing but white space and comments
        return None


def _clean(html: str) -> str:
    """The page without characters that no text of XML may hold, written out or as references."""
    html = _REMOVED.sub(" ", html)
    return _REFERENCE.sub(_checked_reference, html) if "&#" in html else html


def _checked_reference(match: re.Match[str]) -> str:
    digits, base = (match[1], 16) if match[1] else (match[2], 10)
    # Longer numbers name no character, and Python refuses to read very long ones.
    code = int(digits, base) if len(digits) <= MAX_REFERENCE_DIGITS else 0
    if not 0 < code <= sys.maxunicode or _REMOVED.match(chr(code)):
        return " "
    return match[0]


def base_url(root: Any, url: str) -> str:
    """What relative addresses are resolved against: the first `<base href>`, else the page."""
    for element in root.iter("base"):
        if href := element.get("href"):
            try:
                return str(urljoin(url, href.strip()))
            except ValueError:
                return url
    return url


def title(root: Any) -> str:
    """The page's name as it wants to be shared, else its title element."""
    for element in root.iter("meta"):
        if element.get("property") == "og:title" and (content := element.get("content")):
            return " ".join(content.split())
    found = next((element for element in root.iter("title")), None)
    return "" if found is None else " ".join("".join(found.itertext()).split())


def opt_out(root: Any) -> tuple[str, ...]:
    """Raw signals for robots and text mining as `meta robots: noai`, in the page's order."""
    found = dict.fromkeys(
        f"meta {name}: {' '.join((element.get('content') or '').split())}"
        for element in root.iter("meta")
        if (name := (element.get("name") or "").strip().lower()) in _OPT_OUT_NAMES
    )
    return tuple(found)


def licences(root: Any, base: str) -> tuple[str, ...]:
    """Absolute http(s) URLs of the page's rel=license links."""
    found = dict[str, None]()
    for element in root.iter("a", "link", "area"):
        if "license" in (element.get("rel") or "").lower().split():
            address, _ = resolve_url(base, element.get("href") or "")
            found[address] = None
    return tuple(address for address in found if address)
