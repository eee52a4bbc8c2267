"""Why each image of a page was kept or left out: `m3w extract --explain`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Final

from openm3w.pipeline.extracted import Extracted
from openm3w.pipeline.extraction.extract import Extraction
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.pipeline.page import Page
from openm3w.shards.document import Image

ROLES: Final[Mapping[str, str]] = {
    "content": "stands in the content",
    "lead": "stands before the text of its article",
    "og": "og:image, as the content has none",
}
MEANINGS: Final[Mapping[str, str]] = {
    Reason.OUTSIDE_CONTENT: "not part of the main content",
    Reason.HIDDEN: "not shown",
    Reason.ICON_NAME: "named as an icon, logo, avatar or button",
    Reason.TRACKING_PIXEL: "a tracking pixel or a spacer",
    Reason.DECLARED_TOO_SMALL: "declared under 64 pixels",
    Reason.DATA_URI: "names inline data only",
    Reason.NO_URL: "names no address that resolves",
    Reason.NOT_HTTP: "names no http(s) address",
    Reason.REPEATED: "came before, or decorates",
    Reason.NOSCRIPT_TWIN: "repeats the lazy image beside it",
}
"""What a reason means, in a few words."""


OUTCOMES: Final[Mapping[str, str]] = {
    "no_text": "no text or image that counts",
    "too_large": "more bytes or tags than any page worth reading",
    "too_deep": "more open elements than browsers keep apart",
    "too_many_attributes": "more attributes than any page worth reading",
    "unreadable_payload": "what the server sent cannot be decoded",
    "parse_timeout": "reading took too long",
    "parse_memory": "reading took too much memory",
    "extractor_crashed": "reading ended the process",
    "extractor_error": "reading raised an error",
}
"""What the reason of a page without a document means, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One image of a page and what became of it."""

    url: str
    number: int = 0
    """Its place among the page's images, from 1."""
    kept: Image | None = None
    reason: str = ""
    """Why it was left out."""
    meaning: str = ""
    detail: str = ""
    """What in the page says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A page and all its candidates for images."""

    page: Page
    title: str
    candidates: tuple[Candidate, ...]


def explain(page: Page, found: Extraction) -> Explained:
    """The page's images in its own order."""
    return Explained(page=page, title=found.title, candidates=_candidates(found))


class ExplainedLines:
    """One JSON object for each page."""

    def page(self, page: Page, found: Extraction) -> str:
        value = explained_json(explain(page, found))
        return json.dumps(value, ensure_ascii=False) + "\n"

    def end(self, counts: Extracted) -> str:
        del counts
        return ""


def explained_json(explained: Explained) -> dict[str, Any]:
    """The same for programs."""
    page = explained.page
    return {
        "url": page.url,
        "source": page.provenance.source,
        "title": explained.title,
        "outcome": page.outcome,
        "reason": page.reason,
        "error": page.error,
        "characters": page.document.num_characters if page.document else 0,
        "language": page.document.signals.language if page.document else "",
        "elements": page.elements,
        "images": [_candidate_json(candidate) for candidate in explained.candidates],
    }


def _candidates(found: Extraction) -> tuple[Candidate, ...]:
    images = (span for span in found.spans if isinstance(span, Image))
    placed = [
        (number, Candidate(url=image.url, kept=image))
        for number, image in zip(found.order, images, strict=True)
    ]
    for item in found.left_out:
        meaning = MEANINGS.get(item.reason, "")
        left = Candidate(url=item.url, reason=item.reason, meaning=meaning, detail=item.detail)
        placed.append((item.number, left))
    placed.sort(key=itemgetter(0))
    return tuple(replace(each, number=number) for number, (_, each) in enumerate(placed, 1))


def _candidate_json(candidate: Candidate) -> dict[str, Any]:
    image = candidate.kept
    value: dict[str, Any] = {
        "number": candidate.number,
        "kept": image is not None,
        "url": candidate.url,
    }
    if image is None:
        return value | {"reason": candidate.reason, "detail": candidate.detail}
    return value | {
        "role": image.role,
        "candidates": list(image.candidates),
        "alt": image.alt,
        "title": image.title,
        "caption": image.caption,
        "declared_width": image.declared_width,
        "declared_height": image.declared_height,
    }
