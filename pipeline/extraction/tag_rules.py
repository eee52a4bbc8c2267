"""What the walk over a page's tokens does at each tag."""

from dataclasses import dataclass
from typing import Final

from openm3w.pipeline.extraction.sides import MAY_BE_SIDE, SIDE_TAGS
from openm3w.pipeline.extraction.tags import (
    BLOCK,
    CELLS,
    CLOSES_PARAGRAPH,
    HEADINGS,
    IMAGES,
    IMPLIED_END,
    INLINE_BOXES,
    PARAGRAPH,
    SILENT,
    names,
)

(
    TEXT, INLINE, OPEN, CLOSE, LINK, LINK_END, BREAK, RULE, IMAGE, PICTURE, SOURCE, HEAD
) = range(12)  # fmt: skip


def _kinds() -> dict[str, int]:
    """What to do at a tag; tags not in here are inline elements."""
    kinds = dict.fromkeys(BLOCK | INLINE_BOXES, OPEN)
    kinds |= {f"/{name}": CLOSE for name in kinds}
    kinds |= dict.fromkeys(IMAGES, IMAGE)
    kinds |= dict.fromkeys(("meta", "base", "link", "frameset"), HEAD)
    kinds |= {"a": LINK, "/a": LINK_END, "br": BREAK, "/br": BREAK, "hr": RULE}
    kinds |= {"picture": PICTURE, "/picture": PICTURE, "source": SOURCE}
    # Nothing hides a whole page: scripts show its body once they have run.
    return kinds | dict.fromkeys(("", "html", "body"), TEXT)


KINDS: Final = _kinds()


@dataclass(frozen=True, slots=True)
class Rule:
    """What the start tag of a box does."""

    block: bool
    silent: bool
    closes_paragraph: bool
    heading: bool
    cell: bool
    side: bool
    """It stands beside the content whatever its name."""
    may_be_side: bool
    implied_end: tuple[frozenset[str], frozenset[str]] | None


RULES: Final = {
    tag: Rule(
        block=tag in BLOCK,
        silent=tag in SILENT,
        closes_paragraph=tag in CLOSES_PARAGRAPH,
        heading=tag in HEADINGS,
        cell=tag in CELLS,
        side=tag in SIDE_TAGS,
        may_be_side=tag in MAY_BE_SIDE,
        implied_end=IMPLIED_END.get(tag),
    )
    for tag in BLOCK | INLINE_BOXES
}
PARAGRAPH_LIMITS: Final = (
    BLOCK | names("applet button noframes noscript object select template")
) - PARAGRAPH
