"""Which addresses an image element names, and in which order one of them is to be fetched."""

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum, auto
from functools import lru_cache
from typing import Final, NamedTuple

from openm3w.pipeline.extraction.attributes import attributes
from openm3w.pipeline.extraction.tags import names
from openm3w.pipeline.extraction.urls import MAX_URL_CHARS, parse_srcset

MAX_SIDE: Final = 2_560
"""Pixels; of a srcset the largest image up to this is fetched: beyond the screens of readers
there are print masters of many megabytes."""

ENOUGH: Final = 384
"""Pixels; what image encoders read. Rather than a smaller candidate the smallest of those beyond
`MAX_SIDE` is fetched."""

MAX_DENSITY: Final = 3.0
"""The same as `MAX_SIDE` for candidates that name a pixel density."""

MAX_ADDRESSES: Final = 200
"""Of one element in all; pictures with a source for each screen have some dozens."""

MAX_NAME_CHARS: Final = 100
"""Attributes with longer names hold no address."""

_CERTAIN: Final = re.compile(
    r"(?:^|[-_])(?:src|lazy(?:load(?:ed)?)?|echo)(?:[-_]|$)|^data-original$"
)
_LIKELY: Final = re.compile(r"(?:^|[-_])(?:original|defer|hi-?res|full)(?:[-_]|$)")
_ABOUT: Final = re.compile(r"[-_](?:page|href|link|title|caption|alt|id|class|sizes)$")
"""Names that end so hold something else than an image."""
_ADDRESS: Final = re.compile(r"[^\s,;<>{}\"?#]++(?:[?#][^\s<>\"]*+)?+")
_IMAGE_FILE: Final = re.compile(r"\.(?:jpe?g|png|gif|webp|avif)(?=[?#&]|$)", re.IGNORECASE)
_ROOTED: Final = re.compile(r"(?:https?:)?/{1,2}[^\s/]", re.IGNORECASE)
_TEMPLATE: Final = re.compile(
    r"(?:\{|%7B)(?:\{|%7B)?+ ?[a-z_$][\w.$|]{0,40} ?(?:\}|%7D)|<%"
    r"|\[(?:timestamp|random|cache_?bust(?:er|ing))\]|%%[a-z_]{2,40}%%",
    re.IGNORECASE,
)
"""A place that a script fills in, as `{width}`, or `[timestamp]` on servers of advertisements; what
else stands in braces may be a number."""
_NEW_FORMATS: Final = ("avif", "jxl", "heic", "heif")
_CONDITIONS: Final = ("max-", "<", "prefers", "print", "orientation", "aspect", "not ")
_OTHER: Final = names("src srcset alt title class id style sizes href usemap longdesc")


class Rank(IntEnum):
    """What names an address; the first that names one that can be fetched counts."""

    OWN = auto()
    """The element's srcset."""
    LAZY = auto()
    """An attribute that a script takes the address from."""
    SOURCE = auto()
    """The sources of its picture: of the formats that all decoders know, for wide screens."""
    SRC = auto()
    LIKELY = auto()
    """An attribute that may lead to a page as well."""
    NEW_SOURCE = auto()
    """Sources in formats that not every decoder knows."""
    OTHER_SOURCE = auto()
    """Sources for narrow screens, dark ones, or paper."""
    OTHER = auto()
    """Any attribute that holds the name of an image file."""
    PLACEHOLDER = auto()
    """What is called so."""


class Address(NamedTuple):
    """An address as the page wrote it."""

    rank: Rank
    written: str
    number: float
    unit: str
    """Of the number: "w" or "x"."""
    lazy: bool
    """A script puts it in place of another."""


def find_addresses(element: dict[str, str], sources: Iterable[str]) -> list[Address]:
    """All addresses of an image element and of the sources around it, those to fetch first."""
    found = list[Address]()
    for address in _in_any_order(element, sources):
        found.append(address)
        if len(found) >= MAX_ADDRESSES:
            break
    found.sort(key=lambda address: address.rank)
    return found


def is_template(written: str) -> bool:
    """Whether an address is to be filled in by a script first."""
    return bool(_TEMPLATE.search(written))


def worth(number: float, unit: str) -> tuple[int, float]:
    """How much a candidate of this width or density is wanted."""
    if number > (MAX_SIDE if unit == "w" else MAX_DENSITY):
        return 1, -number
    return 0 if unit == "w" and number < ENOUGH else 2, number


def _in_any_order(element: dict[str, str], sources: Iterable[str]) -> Iterator[Address]:
    if src := element.get("src"):
        yield Address(Rank.SRC, src, 1.0, "x", lazy=False)
    yield from _own_addresses(element)
    for written in sources:
        source = attributes(written)
        rank = _source_rank(source)
        for address in _own_addresses(source):
            if address.rank <= Rank.LAZY:
                yield address._replace(rank=rank)


def _own_addresses(element: dict[str, str]) -> Iterator[Address]:
    for name, value in element.items():
        rank = _kind(name) if len(name) <= MAX_NAME_CHARS else None
        if rank is None:
            continue
        if rank == Rank.OWN:
            for address, number, unit in parse_srcset(value):
                yield Address(rank, address, number, unit, lazy=name != "srcset")
        elif len(value) <= MAX_URL_CHARS:
            address = value.strip()
            if _is_image_file(address):
                rank = Rank.LAZY if rank == Rank.LIKELY else rank
            elif rank == Rank.OTHER or not _ROOTED.match(address):
                continue
            yield Address(rank, address, 1.0, "x", lazy=rank == Rank.LAZY)


def _is_image_file(value: str) -> bool:
    return bool(_ADDRESS.fullmatch(value) and _IMAGE_FILE.search(value))


@lru_cache(maxsize=4_096)
def _kind(name: str) -> Rank | None:
    """What an attribute with such a name holds."""
    if "srcset" in name:
        return Rank.OWN
    if name in _OTHER:
        return None
    if _ABOUT.search(name):
        return Rank.OTHER
    if _CERTAIN.search(name):
        return Rank.LAZY
    return Rank.LIKELY if _LIKELY.search(name) else Rank.OTHER


def _source_rank(source: dict[str, str]) -> Rank:
    media = source.get("media", "").lower().strip()
    wide = media in ("", "all", "screen") or "min-" in media or ">" in media
    if not wide or any(word in media for word in _CONDITIONS):
        return Rank.OTHER_SOURCE
    new = any(word in source.get("type", "").lower() for word in _NEW_FORMATS)
    return Rank.NEW_SOURCE if new else Rank.SOURCE
