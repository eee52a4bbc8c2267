"""Images that a page repeats in `<noscript>` for browsers without scripts."""

from itertools import islice
from typing import Final

from openm3w.pipeline.extraction.boxes import Box, Layout, Picture
from openm3w.pipeline.extraction.captions import is_caption
from openm3w.pipeline.extraction.images import Found
from openm3w.pipeline.extraction.naming import MAX_TRACKER_SIDE, is_placeholder, is_preview
from openm3w.pipeline.extraction.renditions import same_image
from openm3w.pipeline.extraction.sides import MAX_KEY_CHARS

MAX_TWIN_LEVELS: Final = 4
"""Elements between a lazy image and the one that holds it and its noscript."""

MAX_PREVIEW_GAP: Final = 4
"""Paragraphs, all empty, from a preview to the image over it."""

_ARTBOARD: Final = "g-artboard"
_NOSCRIPT: Final = frozenset(("noscript",))
_STAND_INS: Final = ("placeholder", "fallback")


def pair_twins(
    pictures: list[Picture], found: dict[Picture, Found], layout: Layout
) -> dict[Picture, Picture]:
    """For each image inside a noscript that repeats another one, that other one.

    It is one that names the same address, else the neighbour with no text between that only
    holds the place of an image.
    """
    twins = dict[Picture, Picture]()
    by_url = dict[str, Picture]()
    for picture in pictures:
        if _noscript(picture) is None:
            for url in found[picture].candidates:
                if url not in by_url or by_url[url].hidden:
                    by_url[url] = picture
    taken = set[Picture]()
    for number, picture in enumerate(pictures):
        noscript = _noscript(picture)
        if noscript is None:
            continue
        partner = next((by_url[url] for url in found[picture].candidates if url in by_url), None)
        if partner is None and _may_be_twin(picture, found[picture]):
            beside = (
                neighbour
                for neighbour in _neighbours(pictures, number)
                if neighbour not in taken and _is_beside(neighbour, picture, noscript, layout)
            )
            partner = next((p for p in beside if _waits_for(p, found[p], found[picture])), None)
        if partner is not None:
            taken.add(partner)
            twins[picture] = partner
    return twins


def _neighbours(pictures: list[Picture], number: int) -> list[Picture]:
    return [*pictures[max(0, number - 1) : number], *pictures[number + 1 : number + 2]]


def _may_be_twin(picture: Picture, found: Found) -> bool:
    """Whether an image is one to look at; trackers stand in a noscript too."""
    sides = (found.width, found.height)
    small = any(side is not None and side <= MAX_TRACKER_SIDE for side in sides)
    return bool(found.url) and not picture.hidden and not small and not is_placeholder(found.url)


def _waits_for(neighbour: Picture, image: Found, twin: Found) -> bool:
    """Whether an image holds the place of another one, or is the same."""
    if neighbour.hidden:
        return False
    classes = neighbour.attributes.get("class", "")[:MAX_KEY_CHARS].lower()
    return (
        not image.url
        or image.lazy
        or "lazy" in classes
        or is_preview(image.url)
        or same_image(image.url, twin.url)
    )


def is_rendition(
    before: Picture, picture: Picture, found: dict[Picture, Found], layout: Layout
) -> bool:
    """Whether an image is the one right before it in another size or crop.

    Pages put a blurred preview and the image over each other, or one crop for each width of the
    screen: the same address but for the size, and no text between. A chart that ai2html made
    is there once for each width, among its labels, in boxes side by side that it calls artboards.
    """
    board, other = _artboard(before), _artboard(picture)
    if board is not None and other is not None and board.parent is other.parent:
        return board is not other
    if picture.block - before.block >= MAX_PREVIEW_GAP:
        return False
    between = layout.blocks[before.block : picture.block + 1]
    if any(block.chars and not is_caption(block) for block in between):
        return False
    return is_stand_in(picture) or same_image(found[before].url, found[picture].url)


def is_stand_in(picture: Picture) -> bool:
    """Whether an image is shown only until, or unless, the AMP element around it is loaded."""
    return any(picture.attributes.get(name) == "" for name in _STAND_INS)


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
