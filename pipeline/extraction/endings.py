"""What is taken out of a page's text again: words about the site, lines about what is missing."""

import re
from typing import Final

from openm3w.pipeline.extraction.boxes import Block, Box, Layout
from openm3w.pipeline.extraction.tags import HEADINGS

MAX_END_CHARS: Final = 300
"""Longer paragraphs say more than that there is a newsletter."""

MAX_INTRODUCTION_CHARS: Final = 60
"""A line that announces what follows it."""

MAX_HEADING_CHARS: Final = 100
"""A longer heading is a sentence, and stands for itself."""

TITLE: Final = "h1"
"""Announces no links: what stands between the title of a page and its text may be a menu."""

MIN_LINKS_CHARS: Final = 20
"""Fewer characters left out after a line are no list of links."""

_END_MATTER: Final = re.compile(
    r"newsletter|subscribe|abonnieren|abonnez|sign up|follow us|folge[nt]? (?:sie )?uns"
    r"|(?<!\w)©|copyright\s*(?:\(c\)|\d{4})|\bcc[- ]by\b"
    r"|(?:content|this (?:work|article|post|page|site|website|blog))\b[^.!?]{0,60}\blicensed under"
    r"|all rights reserved|alle rechte vorbehalten|prawa zastrze|derechos reservados"
    r"|droits r[ée]serv",
    re.IGNORECASE,
)
"""What pages say of themselves after a text, in languages seen often."""


def drop_end_matter(layout: Layout, texts: set[int]) -> None:
    """Take out what ends the text with words about the site: its newsletter, apps, rights."""
    for index in sorted(texts, reverse=True):
        block = layout.blocks[index]
        if block.chars > MAX_END_CHARS or not _END_MATTER.search(block.text):
            return
        if len(texts) > 1:
            texts.discard(index)


def drop_introductions(layout: Layout, core: Box, texts: set[int]) -> None:
    """Take out headings without text under them, and lines before links that were left out."""
    blocks = layout.blocks
    below: int | None = None
    for index in sorted(texts, reverse=True):
        block = blocks[index]
        heading = block.box.tag in HEADINGS and block.chars <= MAX_HEADING_CHARS
        empty = heading and (below is None or _has_same_rank(blocks[below], block))
        announces = block.chars < MAX_INTRODUCTION_CHARS and (
            (heading and block.box.tag != TITLE) or block.text.rstrip().endswith(":")
        )
        if empty or (announces and _before_links(layout, core, index, below)):
            texts.discard(index)
        else:
            below = index


def _has_same_rank(following: Block, block: Block) -> bool:
    """Whether what follows a heading is one of the same rank."""
    return following.box.tag == block.box.tag


def _before_links(layout: Layout, core: Box, index: int, below: int | None) -> bool:
    """Whether what was left out between a line and the next text `below` is mostly links."""
    end = max(index + 1, core.last if below is None else min(below, core.last))
    chars = layout.chars[end] - layout.chars[index + 1]
    linked = layout.linked[end] - layout.linked[index + 1]
    if chars > MIN_LINKS_CHARS and 2 * linked > chars:
        return True
    return below is None and layout.blocks[index].box.tag not in HEADINGS
