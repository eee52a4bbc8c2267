"""What the name of an image's file tells: that it is an icon, a sign, or holds a place."""

import re
from collections.abc import Sequence
from typing import Final

from openm3w.pipeline.extraction.reasons import Reason
from openm3w.pipeline.extraction.tags import names

MIN_SIDE: Final = 64
"""Pixels; Flamingo (2204.14198, A.3) and KOSMOS-1 (2302.14045, B.1.3) drop smaller images."""

SHOWN_AT_SIZE: Final = 150
"""Pixels; an image declared this large is content whatever its name says: an article may be
about a logo."""

MAX_TRACKER_SIDE: Final = 2
"""Pixels."""

MAX_OTHER_WORDS: Final = 2
"""In the name of an icon, words that do not say so; a longer name tells of something else."""

MIN_WORD_CHARS: Final = 3
"""Shorter words say nothing."""

_SIZE_IN_NAME: Final = re.compile(r"[-_/](\d{1,4})x(\d{1,4})\.[a-z]{3,4}$", re.IGNORECASE)
_ONE_PIXEL: Final = re.compile(r"(?:^|[-_/])1x1(?=[-_.]|$)")
_WORDS: Final = re.compile(r"[a-z]++|\d++")
_CHECKSUM: Final = re.compile(r"(?<![0-9a-z])(?=[a-f]*+\d)[0-9a-f]{8,}+(?![0-9a-z])")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SUFFIXES: Final = names("png gif jpg jpeg svg webp avif")

_SIGNS: Final = names(
    "logo logos favicon gravatar sprite sprites btn emoji emojis emoticon smiley smilies throbber"
)
"""Say so in a short name."""
_ICON_WORDS: Final = names("icon icons ico avatar avatars")
"""The same; people and films are called so, too, and then the name says whom it shows."""
_HEAD_WORDS: Final = names("button buttons bullet badge caret chevron loader spinner placeholder")
"""Say so at the end of a short name: `donate-button.png`, not `button-mushrooms.jpg`."""
_BRANDS: Final = names("facebook twitter pinterest whatsapp linkedin instagram youtube rss")
"""Say so where the name says nothing else."""
_ARROWS: Final = names(
    "arrow arrows feed share print star stars rating loading prev previous next up down left right"
    " home toc top back off on half"
)
"""The same: `next.png`, not `next-mayor.jpg`."""
_LOOKS: Final = names(
    "small large big mini white black color colour dark light grey gray blue round square circle"
    " flat follow find join like"
)
"""Say no more of an icon than how it looks."""
_KNOWN: Final = _SIGNS | _ICON_WORDS | _HEAD_WORDS | _BRANDS | _ARROWS | _LOOKS
_CLASSES: Final = _SIGNS | _ICON_WORDS | _HEAD_WORDS | _BRANDS
_WAITING_WORDS: Final = names("placeholder loader spinner")
"""As a class these may say that the image itself is still to come."""
_TRACKER_WORDS: Final = names(
    "spacer pixel beacon blank transparent clear shim dot trans tracker tracking counter"
)
_PLACE_WORDS: Final = _WAITING_WORDS | names("loading lazy lazyload preload preloader lqip ajax")
_PLACE_LOOKS: Final = _LOOKS | names("img image")
_PREVIEW_WORDS: Final = names("blur blurred preview tiny thumb")
_ADMONITION: Final = re.compile(
    r"/(?:note|tip|important|caution|warning)\.(?:png|svg|gif)$", re.IGNORECASE
)
"""DocBook's signs."""


def judge_address(url: str, sides: Sequence[int] = (), classes: str = "") -> Reason | None:
    """Whether its declared sides, else its name or class, say that an image is none to look at."""
    sides = sides or _named_size(url)
    if sides and min(sides) <= MAX_TRACKER_SIDE:
        return Reason.TRACKING_PIXEL
    if sides and min(sides) < MIN_SIDE:
        return Reason.DECLARED_TOO_SMALL
    if max(sides, default=0) >= SHOWN_AT_SIZE:
        return None
    words = _file_words(url)
    if _is_one_pixel(url) or (len(words) == 1 and words[0] in _TRACKER_WORDS):
        return Reason.TRACKING_PIXEL
    if is_placeholder(url) or _names_icon(words) or _ADMONITION.search(url.partition("?")[0]):
        return Reason.ICON_NAME
    return Reason.ICON_NAME if not _CLASSES.isdisjoint(_words(classes)) else None


def marks_site(url: str) -> bool:
    """Whether the image to share a page with is its site's logo, or holds a place.

    `share.jpg` and `facebook.png` are signs among text, and here what they say.
    """
    if (_ARROWS | _BRANDS | _LOOKS).issuperset(_file_words(url)):
        return False
    return judge_address(url) is not None


def waits(words: str) -> str:
    """A class without the words that say no more than that the image is still to come."""
    return " ".join(word for word in _words(words) if word not in _WAITING_WORDS)


def is_placeholder(url: str) -> bool:
    """Whether a file holds the place of an image that a script loads: `blank.gif`."""
    words = set(_file_words(url)) - _PLACE_LOOKS
    return _is_one_pixel(url) or (bool(words) and words <= _TRACKER_WORDS | _PLACE_WORDS)


def is_preview(url: str) -> bool:
    """Whether a file is called the preview of another one."""
    return not _PREVIEW_WORDS.isdisjoint(_file_words(url)) or is_placeholder(url)


def _names_icon(words: list[str]) -> bool:
    """Whether a name is short and says that it is one of an icon."""
    if _ARROWS.issuperset(words):
        return bool(words)
    telling = [word for word in words if word in _KNOWN or len(word) >= MIN_WORD_CHARS]
    others = sum(word not in _KNOWN for word in telling)
    if others == 0:
        return not _CLASSES.isdisjoint(telling)
    last = next((word for word in reversed(telling) if word not in _LOOKS), "")
    if last in _ICON_WORDS or not _SIGNS.isdisjoint(telling):
        return others <= MAX_OTHER_WORDS + 1
    return others <= MAX_OTHER_WORDS and (
        last in _HEAD_WORDS or not _ICON_WORDS.isdisjoint(telling)
    )


def _named_size(url: str) -> list[int]:
    """Width and height that a file name ends with, as `photo-300x200.jpg`."""
    match = _SIZE_IN_NAME.search(url.partition("?")[0])
    return [int(match[1]), int(match[2])] if match else []


def _is_one_pixel(url: str) -> bool:
    return bool(_ONE_PIXEL.search(_file(url)))


def _file(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2].partition(";")[0]


def _file_words(url: str) -> list[str]:
    """Words of a file's name without its suffix, numbers and checksums."""
    words = _words(_CHECKSUM.sub("", _file(url)))
    return [word for word in words if word not in _SUFFIXES and not word.isdigit()]


def _words(name: str) -> list[str]:
    return _WORDS.findall(_CAMEL.sub("-", name).lower())
