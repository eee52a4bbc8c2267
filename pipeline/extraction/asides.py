"""Lines that stand in a text without being part of it: credits, bylines, captions of images."""

import re
from typing import Final

from openm3w.pipeline.extraction.boxes import Block
from openm3w.pipeline.extraction.captions import is_caption

MAX_CREDIT_CHARS: Final = 120
MAX_BYLINE_CHARS: Final = 120

_CREDIT: Final = re.compile(
    r"\W{0,2}(?:©|\(c\)\s|copyright\b|(?:fotos?|photos?|bild(?:er|quelle|nachweis)?|images?"
    r"|pictures?|cr[ée]dits?(?: photos?)?|beitragsbild|quellen?|fuentes?|sources?)\s*[:©])",
    re.IGNORECASE,
)
_BYLINE: Final = re.compile(
    r"(?:(?i:posted|submitted|published|updated|written|last (?:updated|modified|edited))"
    r"\s(?:by|on|in|at)\b|[Bb]y\s+[A-Z][\w.]*(?:\s[A-Z][\w.]*){0,3}$)"
)
"""Who wrote the text, and when: pages in English say it without telling names for it."""


def is_credit(words: str) -> bool:
    """Whether a line names no more than the maker or the source of an image."""
    return len(words) <= MAX_CREDIT_CHARS and bool(_CREDIT.match(words))


def is_aside(block: Block) -> bool:
    """Whether a paragraph is about the text, or belongs to an image and comes back with it."""
    if is_caption(block) or is_credit(block.words):
        return True
    return block.chars <= MAX_BYLINE_CHARS and bool(_BYLINE.match(block.words))
