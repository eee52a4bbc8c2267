"""Which text of a page is content: trafilatura's choice, read off the marks it carried along."""

import logging
from typing import Any, Final

from trafilatura import bare_extraction

from openm3w.pipeline.extraction.layout import MARKS, Layout, Run

# trafilatura logs every page without content as an error; here that is an outcome, and counted.
logging.getLogger("trafilatura").setLevel(logging.CRITICAL)

FAST: Final = False
"""The standard mode compares with readability and jusText where its own result looks thin."""


def note_kept_text(root: Any, layout: Layout) -> None:
    """Set for each paragraph how many of its characters trafilatura kept."""
    kept = _kept_marks(root)
    for block in layout.blocks:
        for piece in block.pieces:
            if isinstance(piece, Run) and piece.mark in kept:
                block.kept += piece.size


def _kept_marks(root: Any) -> frozenset[int]:
    try:
        document = bare_extraction(root, include_comments=False, fast=FAST)
    except (RecursionError, ValueError, TypeError, AttributeError, AssertionError):
        # trafilatura recurses over nested lists and trips over some odd trees; such a page
        # counts as one without content.
        return frozenset()
    if document is None:
        return frozenset()
    return frozenset(ord(mark) for mark in MARKS.findall("".join(document.body.itertext())))
