"""Which text of a page is content: trafilatura's choice, read off the marks it carried along."""

import logging
from typing import Any, Final

from trafilatura import bare_extraction

from openm3w.pipeline.extraction.density import correct, running_text
from openm3w.pipeline.extraction.layout import MARKS, Layout, Run

# trafilatura logs every page without content as an error; here that is an outcome, and counted.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

MIN_KEPT_CHARS: Final = 250
"""trafilatura's own bound below which it tries harder (MIN_EXTRACTED_SIZE)."""

MIN_AGREEMENT: Final = 0.6
"""Where its fast mode kept less than this share of the page's running text, its standard mode,
which asks readability and jusText too, decides. That is one page in ten; text F1 is better than
with either mode on all pages (docs/extraction.md)."""


def choose_region(root: Any, layout: Layout) -> None:
    """Set for each paragraph how many of its characters are content.

    The tree loses its scripts, styles and drawings, which trafilatura would copy several times.
    """
    for element in layout.markup:
        if element.getparent() is not None:
            element.drop_tree()
    running = running_text(layout)
    kept = _note_kept_text(root, layout, fast=True)
    if running is None or kept < MIN_KEPT_CHARS or running.kept_share < MIN_AGREEMENT:
        _note_kept_text(root, layout, fast=False)
    if running is not None:
        correct(layout, running)


def _note_kept_text(root: Any, layout: Layout, *, fast: bool) -> int:
    marks = _kept_marks(root, fast=fast)
    total = 0
    for block in layout.blocks:
        block.kept = sum(
            piece.size
            for piece in block.pieces
            if isinstance(piece, Run) and piece.mark and piece.mark in marks
        )
        total += block.kept
    return total


def _kept_marks(root: Any, *, fast: bool) -> frozenset[int]:
    try:
        document: Any = bare_extraction(root, include_comments=False, fast=fast)
    except (RecursionError, ValueError, TypeError, AttributeError, AssertionError, IndexError):
        # trafilatura recurses over nested lists and trips over some odd trees; such a page
        # counts as one without content.
        return frozenset()
    if document is None:
        return frozenset()
    return frozenset(map(ord, MARKS.findall("".join(document.body.itertext()))))
