"""Where a page names a licence: links, metas, microdata and RDFa, and schema.org's JSON-LD.

All of it is a hint and recorded as a URL; which of it holds for the text, for one image or for the
site's software is not decided here. A licence that is named by words alone is not recorded.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

from openm3w.pipeline.extraction.urls import resolve_url

MAX_LICENCES: Final = 20
"""Of a page. Galleries name one for each picture, and it is mostly the same."""
MAX_LICENCE_CHARS: Final = 500
MAX_DATA_CHARS: Final = 200_000
"""Of one JSON-LD script."""
MAX_DATA_SCRIPTS: Final = 20
MAX_DATA_START: Final = 64_000
"""Scripts that begin later are not looked at: to search whole pages takes 1.5 % of extraction, and
of nine pages that state a licence so eight do it before."""
MAX_DATA_NODES: Final = 20_000
"""Of one script. Values beyond are not looked at."""

LICENCE_WORDS: Final = ("license", "/publicdomain/")
"""A link without any of these names no licence."""

_COMMONS: Final = re.compile(
    r"(?:https?:)?//(?:www\.)?creativecommons\.org/(?:licenses|publicdomain)/", re.IGNORECASE
)
_ABSOLUTE: Final = re.compile(r"(?:https?:)?//", re.IGNORECASE)
# Of microdata and RDFa: license, cc:license, dct:license, schema:license, xhv:license.
_PROPERTY: Final = re.compile(r"(?:[\w.-]+:)?license|https?://\S+[/#]license")
# Dublin Core's names, as they stand in metas.
_META: Final = re.compile(r"(?:dc|dct|dcterms|cc)[.:](?:rights?|license)(?:[.:]license)?|license")
_DATA: Final = "ld+json"

Element = tuple[str, dict[str, str]]


def find_licences(elements: Iterable[Element], html: str, base: str) -> tuple[str, ...]:
    """Absolute URLs of licences, each once: of elements in the page's order, then of JSON-LD."""
    named = (resolve_url(base, address)[0] for address in _of_elements(elements))
    stated = (resolve_url(base, address)[0] for address in _of_scripts(html))
    every = (url for urls in (named, stated) for url in urls if 0 < len(url) <= MAX_LICENCE_CHARS)
    return tuple(islice(dict.fromkeys(every), MAX_LICENCES))


def _of_elements(elements: Iterable[Element]) -> Iterator[str]:
    for tag, element in elements:
        if tag == "meta":
            name = element.get("name") or element.get("itemprop") or element.get("property") or ""
            content = element.get("content", "").strip()
            if _ABSOLUTE.match(content) and _is_meta(name.strip().lower()):
                yield content
        elif tag in ("a", "link", "area") and _is_link(tag, element):
            yield element.get("href", "")


def _is_link(tag: str, element: dict[str, str]) -> bool:
    if "license" in element.get("rel", "").lower().split():
        return True
    if tag != "link" and _COMMONS.match(element.get("href", "").strip()):
        return True
    return any(map(_is_property, (element.get("itemprop"), element.get("property"))))


def _is_meta(name: str) -> bool:
    return bool(_META.fullmatch(name) or _PROPERTY.fullmatch(name))


def _is_property(names: str | None) -> bool:
    return bool(names) and any(_PROPERTY.fullmatch(name) for name in str(names).lower().split())


def _of_scripts(html: str) -> Iterator[str]:
    at, scripts = html.find(_DATA, 0, MAX_DATA_START), 0
    while at >= 0 and scripts < MAX_DATA_SCRIPTS:
        scripts += 1
        start = html.find(">", at) + 1
        end = _script_end(html, start)
        if not start or end < 0:
            return
        if end - start <= MAX_DATA_CHARS and html.find('"license"', start, end) >= 0:
            yield from _of_data(html[start:end])
        at = html.find(_DATA, end, MAX_DATA_START)


def _script_end(html: str, start: int) -> int:
    end = html.find("</script", start)
    capitals = html.find("</SCRIPT", start, end if end >= 0 else len(html))
    return capitals if capitals >= 0 else end


def _of_data(text: str) -> Iterator[str]:
    try:
        data = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return
    waiting, seen = [data], 0
    while waiting and seen < MAX_DATA_NODES:
        node = waiting.pop()
        seen += 1
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, dict):
            yield from _addresses(node.get("license"))
            waiting.extend(reversed(node.values()))


def _addresses(value: Any) -> Iterator[str]:
    """What a license property names: an address, a thing with one, or several of either."""
    for each in value if isinstance(value, list) else [value]:
        named = (each.get("@id"), each.get("url")) if isinstance(each, dict) else (each,)
        found = (name.strip() for name in named if isinstance(name, str))
        yield from islice((name for name in found if _ABSOLUTE.match(name)), 1)
