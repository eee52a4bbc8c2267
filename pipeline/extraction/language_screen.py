"""Whether a page is surely in another language, from its markup and before it is extracted.

Two witnesses have to agree. The page says that it is in another language (`<html lang>` and, where
there is one, the Content-Language header), and a language model says the same of each of several
pieces of the text, whatever the text is of. A page that says nothing is not judged.

On 965 captured pages, 441 of them wanted in English, it lost none of these and caught 226 of 524
others: 0.7 ms a page, where extraction takes 5.8. That saves 11 % of the time there and costs 12 %
where all pages are wanted, so it is off unless `screen.language` asks for it.
"""

import re
from typing import Final

from openm3w.pipeline.extraction.language import detect_language

MIN_SCORE: Final = 0.9
"""Of each piece. Ours: a page that is wanted is lost for good."""
MAX_MARKUP_CHARS: Final = 60_000
"""Of the body: enough for the pieces of nearly every page."""
PIECES: Final = 4
PIECE_CHARS: Final = 1_000

_DECLARED: Final = re.compile(r"<html\b[^>]*?\slang\s*=\s*[\"']?([a-zA-Z]{2,3})\b", re.IGNORECASE)
_UNSEEN: Final = re.compile(
    r"<(script|style|svg|noscript)\b[^>]*+>.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_TAG: Final = re.compile(r"<[^>]*+>?")


def is_surely_other(html: str, content_language: str, languages: tuple[str, ...]) -> bool:
    """Whether the page is in none of these languages (ISO 639-1), beyond doubt.

    `content_language` is the header's value, "" where there is none.
    """
    declared = _DECLARED.search(html, 0, 5_000)
    if declared is None or declared[1].lower() in languages:
        return False
    header = {part.strip()[:2].lower() for part in content_language.split(",")}
    if header.intersection(languages):
        return False
    pieces = _pieces(html)
    return bool(pieces) and all(_is_other(piece, languages) for piece in pieces)


def _is_other(text: str, languages: tuple[str, ...]) -> bool:
    language, score = detect_language(text)
    return language not in languages and score >= MIN_SCORE


def _pieces(html: str) -> list[str]:
    """Pieces of the text, evenly over what is looked at; none where there is too little of it."""
    start = max(html.find("<body"), 0)
    bare = _TAG.sub(" ", _UNSEEN.sub(" ", html[start : start + MAX_MARKUP_CHARS]))
    text = " ".join(bare.split())
    if len(text) < PIECE_CHARS:
        return []
    step = max(len(text) // PIECES, PIECE_CHARS)
    return [text[at : at + PIECE_CHARS] for at in range(0, len(text) - PIECE_CHARS + 1, step)]
