"""What an image element says of itself: the address to fetch, all others, its declared size."""

import re
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from openm3w.pipeline.extraction.addresses import (
    Address,
    Rank,
    find_addresses,
    is_template,
    worth,
)
from openm3w.pipeline.extraction.boxes import Picture
from openm3w.pipeline.extraction.naming import is_placeholder
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.pipeline.extraction.renditions import widths
from openm3w.pipeline.extraction.urls import resolve_url

MAX_MERGED: Final = 100
"""Addresses of an image and all its twins; thousands of copies would be added one by one."""

MAX_NAMED_CHARS: Final = 1_000
"""Of an address that does not resolve: inline data may be megabytes."""

MAX_DATA_CHARS: Final = 40
"""Of inline data, which say no more than their type."""

_SOURCES: Final = ("src", "data-src", "srcset", "data-srcset")
_PIXELS: Final = re.compile(r"\s*+\+?(\d{1,5})(?:\.\d*+)?+\s*+(?:px)?+\s*+$", re.IGNORECASE)
_STYLE_PIXELS: Final = re.compile(
    r"(?:^|[;\s])(width|height)\s*+:\s*+(\d{1,5})(?:\.\d*+)?+px", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An image element with its addresses resolved."""

    url: str
    """The address to fetch; "" where there is none, and `reason` says why."""
    candidates: tuple[str, ...]
    reason: Reason | None
    named: str
    """An address as the page wrote it, for the list of what was left out."""
    lazy: bool
    """The image comes from a lazy attribute; `src` is a placeholder."""
    width: int | None
    height: int | None


def find_image(picture: Picture, base: str) -> Found:
    """Addresses of an image element, of lazy attributes and of the `<picture>` around it.

    To be fetched is the largest sensible candidate of what `addresses.Rank` names first.
    """
    named_by = picture.attributes
    addresses = find_addresses(named_by, picture.sources)
    named = named_by.get("src") or next((address.written for address in addresses), "")
    urls = dict[str, None]()
    reason: Reason | None = None
    best: tuple[int, tuple[int, float]] | None = None
    chosen, lazy = "", False
    for address in addresses:
        url, why = _resolve(base, address)
        if not url:
            reason = why if reason in (None, Reason.NO_URL) else reason
            continue
        urls[url] = None
        lazy = lazy or address.lazy
        rank = Rank.PLACEHOLDER if is_placeholder(url) else address.rank
        found = (-rank, worth(address.number, address.unit))
        if best is None or found > best:
            best, chosen = found, url
    width, height = _declared_size(named_by)
    return Found(
        url=chosen,
        candidates=tuple(urls),
        reason=None if chosen else reason or Reason.NO_URL,
        named=_shortened(named),
        lazy=lazy,
        width=width,
        height=height,
    )


def _resolve(base: str, address: Address) -> tuple[str, Reason | None]:
    if is_template(address.written):
        return "", Reason.NO_URL
    return resolve_url(base, address.written)


def with_twin(found: Found, twin: Found) -> Found:
    """The image with what its twin adds: the real address where it is a placeholder."""
    if not twin.url:
        return found
    merged = dict.fromkeys(found.candidates + twin.candidates)
    return replace(
        found,
        url=found.url if _is_better(found, twin) else twin.url,
        candidates=tuple(islice(merged, max(MAX_MERGED, len(found.candidates)))),
        reason=None,
        lazy=True,
        width=found.width or twin.width,
        height=found.height or twin.height,
    )


def _is_better(found: Found, twin: Found) -> bool:
    """Whether an image is to be fetched rather than its twin.

    It is the larger one where both say how large they are; else it is the one that a script
    loads, for the other is its placeholder.
    """
    if not found.url:
        return False
    for one, other in (
        widths(found.url, twin.url),
        (found.width or 0, twin.width or 0),
    ):
        if one and other and one != other:
            return worth(one, "w") > worth(other, "w")
    return found.lazy


def written_address(picture: Picture) -> str:
    """An address of an image element as the page wrote it, for the list of what was left out."""
    found = picture.attributes
    return _shortened(next((found[name] for name in _SOURCES if found.get(name)), ""))


def _shortened(address: str) -> str:
    return address[: MAX_DATA_CHARS if address[:5].lower() == "data:" else MAX_NAMED_CHARS]


def _declared_size(element: dict[str, str]) -> tuple[int | None, int | None]:
    sizes = {
        name: int(match[1])
        for name in ("width", "height")
        if (match := _PIXELS.match(element.get(name, "")))
    }
    for name, pixels in _STYLE_PIXELS.findall(element.get("style", "")):
        sizes[name.lower()] = int(pixels)
    return sizes.get("width"), sizes.get("height")
