"""What an image element says of itself: addresses, declared size, and what its name tells."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Final, Literal

from openm3w.pipeline.extraction.attributes import attributes
from openm3w.pipeline.extraction.boxes import Picture
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.pipeline.extraction.tags import names
from openm3w.pipeline.extraction.urls import MAX_URL_CHARS, parse_srcset, resolve_url

MIN_SIDE: Final = 64
"""Pixels; Flamingo (2204.14198, A.3) and KOSMOS-1 (2302.14045, B.1.3) drop smaller images."""

MAX_SIDE: Final = 2_560
"""Pixels; of a srcset the largest image up to this is fetched: beyond the screens of readers
there are print masters of many megabytes."""

MAX_DENSITY: Final = 3.0
"""The same for candidates that name a pixel density."""

SHOWN_AT_SIZE: Final = 150
"""Pixels; an image declared this large is content whatever its name says: an article may be
about a logo."""

MAX_TRACKER_SIDE: Final = 2
"""Pixels."""

MAX_MERGED: Final = 100
"""Addresses of an image and all its twins; thousands of copies would be added one by one."""

MAX_NAME_CHARS: Final = 100
"""Attributes with longer names hold no address."""

MAX_NAMED_CHARS: Final = 1_000
"""Of an address that does not resolve: inline data may be megabytes."""

MAX_DATA_CHARS: Final = 40
"""Of inline data, which say no more than their type."""

_LAZY: Final = re.compile(r"(?:^|[-_])(?:src|lazy(?:load)?|original|defer|hi-?res|full)(?:[-_]|$)")
_IMAGE_ADDRESS: Final = re.compile(
    r"^\s*[^\s,;<>{}\"]+\.(?:jpe?g|png|gif|webp|avif)(?:[?#][^\s<>\"]*)?\s*$", re.IGNORECASE
)
_OTHER: Final = names("src srcset alt title class id style sizes href usemap longdesc")
_SOURCES: Final = ("src", "data-src", "srcset", "data-srcset")
_PIXELS: Final = re.compile(r"^\s*\+?(\d{1,5})(?:\.\d*)?\s*(?:px)?\s*$", re.IGNORECASE)
_STYLE_PIXELS: Final = re.compile(
    r"(?:^|[;\s])(width|height)\s*:\s*(\d{1,5})(?:\.\d*)?px", re.IGNORECASE
)
_SIZE_IN_NAME: Final = re.compile(r"(?:[-_/])(\d{1,4})x(\d{1,4})\.[a-z]{3,4}$", re.IGNORECASE)
_WORDS: Final = re.compile(r"[a-z]+|\d+")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ICON_WORDS: Final = names(
    "icon icons ico favicon logo logos avatar avatars gravatar sprite sprites button buttons btn"
    " bullet emoji emojis emoticon smiley smilies badge caret chevron"
    " facebook twitter pinterest whatsapp linkedin instagram youtube rss"
    " loader spinner throbber placeholder"
)
_SIGN_WORDS: Final = names(
    "arrow arrows feed share print star stars rating loading prev previous next up down left right"
    " home toc top back off on half"
)
"""These say so only where the name says nothing else: `next.png`, not `next-mayor.jpg`."""
_SUFFIXES: Final = names("png gif jpg jpeg svg webp avif")
_ADMONITION: Final = re.compile(
    r".*/(?:note|tip|important|caution|warning)\.(?:png|svg|gif)$", re.IGNORECASE
)
"""DocBook's signs."""
_TRACKER_WORDS: Final = names(
    "spacer pixel beacon blank transparent clear shim dot trans tracker tracking counter"
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

    To be fetched is the largest sensible candidate of the element's own srcset, else of a lazy
    attribute, else of the sources of its picture, else its `src`.
    """
    named_by = picture.attributes
    own, lazy, other = _own_addresses(named_by)
    sources = list(_picture_addresses(picture.sources))
    src = named_by.get("src", "")
    named = src or next((address for address, _, _ in [*own, *lazy, *sources]), "")
    urls = dict[str, None]()
    reason: Reason | None = None
    best = ""
    for pool in (own, lazy, sources, [(src, 1.0, "x")], other):
        usable = list[tuple[str, float, str]]()
        for address, number, unit in pool:
            url, why = resolve_url(base, address)
            if url:
                usable.append((url, number, unit))
                urls[url] = None
            elif reason in (None, Reason.NO_URL):
                reason = why
        best = best or _largest(usable)
    width, height = _declared_size(named_by)
    return Found(
        url=best,
        candidates=tuple(urls),
        reason=None if best else reason or Reason.NO_URL,
        named=_shortened(named),
        lazy=bool(lazy),
        width=width,
        height=height,
    )


def with_twin(found: Found, twin: Found) -> Found:
    """The image with what its twin adds: the real address where it is a placeholder."""
    if not twin.url:
        return found
    merged = dict.fromkeys(found.candidates + twin.candidates)
    return replace(
        found,
        url=found.url if found.lazy and found.url else twin.url,
        candidates=tuple(islice(merged, max(MAX_MERGED, len(found.candidates)))),
        reason=None,
        lazy=True,
        width=found.width or twin.width,
        height=found.height or twin.height,
    )


def judge_name(found: Found, picture: Picture) -> Reason | None:
    """Whether declared size, name or class say that the image is none to look at."""
    # Pages write 0 for "as it comes", beside a real number for the other side.
    sides = [side for side in (found.width, found.height) if side] or _named_size(found.url)
    if not sides and 0 in (found.width, found.height):
        return Reason.TRACKING_PIXEL
    if found.lazy and max(sides, default=0) <= MAX_TRACKER_SIDE:
        sides = []  # the size of the placeholder
    if sides and min(sides) <= MAX_TRACKER_SIDE:
        return Reason.TRACKING_PIXEL
    if sides and min(sides) < MIN_SIDE:
        return Reason.DECLARED_TOO_SMALL
    if max(sides, default=0) >= SHOWN_AT_SIZE:
        return None
    name = _words(found.url.partition("?")[0].rpartition("/")[2])
    if name & _TRACKER_WORDS and len(name) <= 2:
        return Reason.TRACKING_PIXEL
    if (
        name & _ICON_WORDS
        or (
            name & _SIGN_WORDS
            and all(w in _SIGN_WORDS or w in _SUFFIXES or w.isdigit() for w in name)
        )
        or _ADMONITION.match(found.url)
        or _words(picture.attributes.get("class", "")) & _ICON_WORDS
    ):
        return Reason.ICON_NAME
    return None


def _named_size(url: str) -> list[int]:
    """Width and height that a file name ends with, as `photo-300x200.jpg`."""
    match = _SIZE_IN_NAME.search(url.partition("?")[0])
    return [int(match[1]), int(match[2])] if match else []


def _words(name: str) -> frozenset[str]:
    return frozenset(_WORDS.findall(_CAMEL.sub("-", name).lower()))


def written_address(picture: Picture) -> str:
    """An address of an image element as the page wrote it, for the list of what was left out."""
    found = picture.attributes
    return _shortened(next((found[name] for name in _SOURCES if found.get(name)), ""))


def _shortened(address: str) -> str:
    return address[: MAX_DATA_CHARS if address[:5].lower() == "data:" else MAX_NAMED_CHARS]


Pool = list[tuple[str, float, str]]


def _own_addresses(element: dict[str, str]) -> tuple[Pool, Pool, Pool]:
    """Candidates of srcset attributes, of lazy attributes, and of other data attributes."""
    own, lazy, other = Pool(), Pool(), Pool()
    for name, value in element.items():
        kind = _kind(name) if len(name) <= MAX_NAME_CHARS else "none"
        if kind == "srcset":
            own.extend(parse_srcset(value))
        elif kind == "lazy" and _looks_like_address(value):
            lazy.append((value, 1.0, "x"))
        elif kind == "other" and len(value) <= MAX_URL_CHARS and _IMAGE_ADDRESS.match(value):
            other.append((value, 1.0, "x"))
    return own, lazy, other


@lru_cache(maxsize=4_096)
def _kind(name: str) -> Literal["srcset", "lazy", "other", "none"]:
    """What an attribute with such a name holds."""
    if "srcset" in name:
        return "srcset"
    if name in _OTHER:
        return "none"
    return "lazy" if _LAZY.search(name) else "other"


def _looks_like_address(value: str) -> bool:
    if len(value) > MAX_URL_CHARS:
        return False
    return bool(_IMAGE_ADDRESS.match(value) or re.match(r"\s*(?:https?:)?/{1,2}[^\s/]", value))


def _picture_addresses(sources: tuple[str, ...]) -> Iterator[tuple[str, float, str]]:
    """Candidates of the `<source>` elements of the picture, those that all decoders know first."""
    found = [attributes(written) for written in sources]
    found.sort(key=lambda source: "avif" in source.get("type", ""))
    for source in found:
        own, lazy, _ = _own_addresses(source)
        yield from own
        yield from lazy


def _largest(pool: Iterable[tuple[str, float, str]]) -> str:
    """The largest candidate within the bounds, else the smallest beyond them."""
    ranked = sorted(
        (number <= bound, number if number <= bound else -number, -position, url)
        for position, (url, number, unit) in enumerate(pool)
        for bound in (MAX_SIDE if unit == "w" else MAX_DENSITY,)
    )
    return ranked[-1][3] if ranked else ""


def _declared_size(element: dict[str, str]) -> tuple[int | None, int | None]:
    sizes = {
        name: int(match[1])
        for name in ("width", "height")
        if (match := _PIXELS.match(element.get(name, "")))
    }
    for name, pixels in _STYLE_PIXELS.findall(element.get("style", "")):
        sizes[name.lower()] = int(pixels)
    return sizes.get("width"), sizes.get("height")
