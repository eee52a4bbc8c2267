"""Images that a page repeats in `<noscript>` for browsers without scripts."""

from typing import Any, Final
from urllib.parse import urlsplit

from openm3w.pipeline.extraction.images import Found
from openm3w.pipeline.extraction.layout import Layout, Picture

MAX_LEVELS: Final = 4
"""Elements between a lazy image and the one that holds it and its noscript."""

MAX_BLOCKS: Final = 4
"""Paragraphs, all empty, from a preview to the image over it."""

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


def is_larger_copy(
    placeholder: Picture, picture: Picture, found: dict[Picture, Found], layout: Layout
) -> bool:
    """Whether an image is the lazy full form of the one right before it.

    Some pages put a blurred preview and the image over each other: the same file name on the
    same server, and no text between.
    """
    if picture.block - placeholder.block >= MAX_BLOCKS:
        return False
    if any(block.chars for block in layout.blocks[placeholder.block : picture.block + 1]):
        return False
    first, second = (urlsplit(found[either].url) for either in (placeholder, picture))
    name = first.path.rpartition("/")[2]
    same = name == second.path.rpartition("/")[2] and first.netloc == second.netloc
    return same and len(name) >= MIN_NAME_CHARS and found[picture].lazy


def _noscript(picture: Picture) -> Any:
    return next(picture.element.iterancestors("noscript"), None)


def _is_beside(neighbour: Picture, picture: Picture, noscript: Any, layout: Layout) -> bool:
    if _noscript(neighbour) is not None:
        return False
    first, last = sorted((neighbour.block, picture.block))
    if last - first > 2 or any(block.chars for block in layout.blocks[first + 1 : last]):
        return False
    parent = noscript.getparent()
    around = [neighbour.element, *neighbour.element.iterancestors()][: MAX_LEVELS + 1]
    return parent is not None and any(element is parent for element in around)
