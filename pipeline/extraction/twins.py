"""Images that a page repeats in `<noscript>` for browsers without scripts."""

from itertools import islice
from typing import Final
from urllib.parse import urlsplit

from openm3w.pipeline.extraction.boxes import Box, Layout, Picture
from openm3w.pipeline.extraction.captions import is_caption
from openm3w.pipeline.extraction.images import Found
from openm3w.pipeline.extraction.sides import MAX_KEY_CHARS

MAX_TWIN_LEVELS: Final = 4
"""Elements between a lazy image and the one that holds it and its noscript."""

MAX_PREVIEW_GAP: Final = 4
"""Paragraphs, all empty, from a preview to the image over it."""

_ARTBOARD: Final = "g-artboard"
_NOSCRIPT: Final = frozenset(("noscript",))

MIN_NAME_CHARS: Final = 8
"""Shorter file names (`1.jpg`) are shared by images that differ."""


def pair_twins(
    pictures: list[Picture], found: dict[Picture, Found], layout: Layout
) -> dict[Picture, Picture]:
    """For each image inside a noscript that repeats another one, that other one.

    It is the neighbour with no text between, or one that names the same address.
    """
    twins = dict[Picture, Picture]()
    by_url = dict[str, Picture]()
    for picture in pictures:
        if _noscript(picture) is None:
            for url in found[picture].candidates:
                by_url.setdefault(url, picture)
    taken = set[Picture]()
    for number, picture in enumerate(pictures):
        noscript = _noscript(picture)
        if noscript is None:
            continue
        partner = next((by_url[url] for url in found[picture].candidates if url in by_url), None)
        for other in (number - 1, number + 1):
            if partner is None and 0 <= other < len(pictures):
                neighbour = pictures[other]
                if neighbour not in taken and _is_beside(neighbour, picture, noscript, layout):
                    partner = neighbour
        if partner is not None:
            taken.add(partner)
            twins[picture] = partner
    return twins


def is_rendition(
    before: Picture, picture: Picture, found: dict[Picture, Found], layout: Layout
) -> bool:
    """Whether an image is the one right before it in another size or crop.

    Pages put a blurred preview and the image over each other, or one crop for each width of the
    screen: the same file name on the same server, and no text between. A chart that ai2html made
    is there once for each width, among its labels, in boxes side by side that it calls artboards.
    """
    board, other = _artboard(before), _artboard(picture)
    if board is not None and other is not None and board.parent is other.parent:
        return board is not other
    first, second = (urlsplit(found[either].url) for either in (before, picture))
    if first.netloc != second.netloc:
        return False
    if picture.block - before.block >= MAX_PREVIEW_GAP:
        return False
    between = layout.blocks[before.block : picture.block + 1]
    if any(block.chars and not is_caption(block) for block in between):
        return False
    name = first.path.rpartition("/")[2]
    return len(name) >= MIN_NAME_CHARS and name == second.path.rpartition("/")[2]


def _artboard(picture: Picture) -> Box | None:
    for box in islice(picture.box.ancestors(), MAX_TWIN_LEVELS):
        # Cut, for it is asked for each image, and attributes may be long.
        if _ARTBOARD in box.written[:MAX_KEY_CHARS] and _ARTBOARD in box.get("class").split():
            return box
    return None


def _noscript(picture: Picture) -> Box | None:
    return picture.box.inside(_NOSCRIPT)


def _is_beside(neighbour: Picture, picture: Picture, noscript: Box, layout: Layout) -> bool:
    if _noscript(neighbour) is not None:
        return False
    first, last = sorted((neighbour.block, picture.block))
    if last - first > 2 or any(block.chars for block in layout.blocks[first + 1 : last]):
        return False
    around = islice(neighbour.box.ancestors(), MAX_TWIN_LEVELS)
    return any(box is noscript.parent for box in around)
