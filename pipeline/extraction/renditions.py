"""Whether two addresses name one image in two sizes, told by what their parts say of size.

Image servers write the size of a rendition into folders (`/max/1400/`, `/w_300,h_200/`), the end
of a file's name (`-300x200`) or the query (`?width=620`). What else differs names another image.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from openm3w.pipeline.extraction.tags import names
from openm3w.pipeline.extraction.urls import MAX_URL_CHARS

MIN_NAME_CHARS: Final = 8
"""Shorter file names (`1.jpg`) are shared by images that differ."""

PREVIEW_SIDES: Final = (10, 100)
"""Pixels of a preview in a folder that is a number and nothing else."""

PREVIEW_FACTOR: Final = 4
"""How much wider the image is than its preview, at least."""

_MEASURES: Final = names("max width w height h resize fit scale size")
"""Folders before one that is a number of pixels."""
_FOLDERS: Final = _MEASURES | names(
    "thumb thumbs thumbnail thumbnails small medium large xlarge original orig master mobile"
    " desktop tablet preview blur lqip crop cropped resized scaled retina full fill smart fit-in"
    " freeze"
)
_SUFFIX: Final = re.compile(
    r"[-_.@](?:\d{1,4}x\d{1,4}|\d{1,4}(?:px|w)|w\d{2,4}|[1-4]x|scaled|thumb|thumbnail|small|medium"
    r"|large|mobile|desktop|tablet|preview|blur|lqip|tiny)$",
    re.IGNORECASE,
)
_PREFIX: Final = re.compile(r"\d{1,4}px-")
_NUMBER: Final = re.compile(r"\d{2,4}")
_CROP: Final = re.compile(r"\d{1,5}(?:[_:]\d{1,5}){3}|\d{1,5}x\d{1,5}:\d{1,5}x\d{1,5}")
_SURE: Final = re.compile(
    r"\d{1,4}x\d{0,4}|x\d{2,4}|[wh]_?\d{2,4}|s\d{2,4}(?:-[a-z]{1,2})*|\d{2,4}(?:px|w|h)"
    r"|w\d{1,4}-h\d{1,4}(?:-[a-z]{1,2})*"
    r"|(?:w|h|q|f|dpr|width|height|quality|format|fit)(?:[=:]\w{1,12}|_(?:\d{1,4}|auto))",
    re.IGNORECASE,
)
_LOOSE: Final = re.compile(r"(?:al|ar|b|c|dpr|e|f|fl|g|h|q|t|u|usm|w|x|y|z)_[\w.:-]{1,40}")
"""Steps of a transformation, beside others in one folder."""
_GOOGLE: Final = re.compile(r"=[swh]\d{1,4}(?:-[a-z]{1,2}\d{0,4})*$")
_PARAMETERS: Final = names(
    "w width h height maxwidth maxheight max-w max-h mw mh imwidth imheight wid hei size sz resize"
    " fit crop quality q qlt auto format fm fmt dpr scale rect usm strip cs ixlib blur ssl"
    " cw ch cx cy downsize output-quality output-format"
)
_SIGNATURES: Final = names("s sig signature hash hmac")
"""What signs the size with the rest; without another size it names an image."""
_END: Final = re.compile(r"-(\d{2,4})\.[a-z]{3,4}$", re.IGNORECASE)
_DIGITS: Final = re.compile(r"\d+")


class _Parts(NamedTuple):
    kept: tuple[str, ...]
    query: tuple[str, ...]
    signatures: tuple[str, ...]
    sizes: tuple[str, ...]
    """What was taken out, in its order."""


def same_image(first: str, second: str) -> bool:
    """Whether two URLs differ in nothing but the size of the image."""
    one, other = _dissect(first), _dissect(second)
    if one.query != other.query or not one.kept:
        return False
    if one.signatures != other.signatures and one.sizes == other.sizes:
        return False
    return one.kept == other.kept or _is_preview(one.kept, other.kept)


def widths(first: str, second: str) -> tuple[int, int]:
    """Pixels that the URLs of two renditions name where they differ; 0 where they name none."""
    one, other = _dissect(first), _dissect(second)
    if one.sizes == other.sizes:
        for pair in zip(one.kept, other.kept, strict=False):
            if pair[0] != pair[1] and all(_NUMBER.fullmatch(part) for part in pair):
                return int(pair[0]), int(pair[1])
        return _end(first), _end(second)
    return (
        _number([part for part in one.sizes if part not in other.sizes]),
        _number([part for part in other.sizes if part not in one.sizes]),
    )


def _number(parts: list[str]) -> int:
    for part in parts:
        digits = _DIGITS.search(part)
        if digits and not _CROP.fullmatch(part) and len(digits[0]) <= len("9999"):
            return int(digits[0])
    return 0


def _end(url: str) -> int:
    match = _END.search(url.partition("?")[0])
    return int(match[1]) if match else 0


def _is_preview(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one folder is a few pixels, and the same folder of the other many."""
    if len(one) != len(other) or len(one[-1]) < MIN_NAME_CHARS:
        return False
    pairs = [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]
    if len(pairs) != 1 or not all(_NUMBER.fullmatch(part) for part in pairs[0]):
        return False
    small, large = sorted(int(part) for part in pairs[0])
    return PREVIEW_SIDES[0] <= small <= PREVIEW_SIDES[1] and large >= PREVIEW_FACTOR * small


@lru_cache(maxsize=256)
def _dissect(url: str) -> _Parts:
    """An address without what says the size of an image, and that by itself."""
    parts = urlsplit(url[:MAX_URL_CHARS])
    kept, sizes = [f"{parts.scheme}://{parts.netloc}"], list[str]()
    *folders, name = parts.path.split("/")
    before = ""
    for folder in folders:
        if _is_size(folder, before):
            sizes.append(folder)
        else:
            kept.append(folder)
        before = folder.lower()
    if name := _name(name, before, sizes):
        if kept[-1] == name:  # MediaWiki has the image's name as a folder, too
            kept.pop()
        kept.append(name)
    query, signatures = list[str](), list[str]()
    for parameter in parts.query.split("&"):
        key, _, value = parameter.partition("=")
        key = key.lower()
        if key in _PARAMETERS or (key == "s" and value.isdigit() and len(value) <= len("9999")):
            sizes.append(parameter)
        elif key in _SIGNATURES:
            signatures.append(parameter)
        elif parameter:
            query.append(parameter)
    return _Parts(tuple(kept), tuple(query), tuple(signatures), tuple(sizes))


def _is_size(folder: str, before: str) -> bool:
    low = folder.lower()
    if low in _FOLDERS or _CROP.fullmatch(folder):
        return True
    if _NUMBER.fullmatch(folder) and before in _MEASURES:
        return True
    if low.startswith("filters:"):
        return True
    steps = low.split(",")
    sure = [step for step in steps if _SURE.fullmatch(step)]
    if len(steps) == 1:
        return bool(sure)
    return bool(sure) and all(_SURE.fullmatch(step) or _LOOSE.fullmatch(step) for step in steps)


def _name(name: str, before: str, sizes: list[str]) -> str:
    """A file's name without its size, which is added to those."""
    stem, dot, suffix = name.rpartition(".")
    if not dot:
        stem, suffix = name, ""
    if _NUMBER.fullmatch(stem) and before in _FOLDERS:
        sizes.append(stem)
        return ""
    for form in (_PREFIX, _GOOGLE, _SUFFIX, _SUFFIX):
        match = form.match(stem) if form is _PREFIX else form.search(stem)
        if match and match[0] != stem:
            sizes.append(match[0])
            stem = stem[: match.start()] + stem[match.end() :]
    return stem + dot + suffix
