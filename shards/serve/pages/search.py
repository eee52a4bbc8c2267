"""Documents by words, by what a text means, or by a picture that theirs are like."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from openm3w.errors import InputError, MissingError
from openm3w.shards.catalog.numbered import Shown
from openm3w.shards.search.questions import Hit
from openm3w.shards.serve import templating
from openm3w.shards.serve.pages.gallery import listed
from openm3w.shards.serve.presenting import EXCERPT, Card, card, picture_path
from openm3w.shards.serve.site import Collection
from openm3w.shards.terminal import clean_line

_NEAREST: Final = 48
"""How many are asked for by meaning; what is further away is rarely looked at."""

_LIKE: Final = re.compile(r"([a-z]+)/(\d{1,18})/(\d{1,9})")

Piece = tuple[str, bool]
"""A part of a text, and whether it is one of the words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A document as it is listed."""

    card: Card
    snippet: Sequence[Piece]
    score: str = ""
    picture: str = ""
    """Address of the picture that was found, else of the document's first."""
    at: str = ""
    """Where the picture stands in the document's page."""


def search(request: Request) -> Response:
    """`/search?q=WORDS&by=words|meaning&page=N`, or `?like=COLLECTION/NUMBER/IMAGE`."""
    site = templating.site_of(request)
    parameters = request.query_params
    by = "meaning" if parameters.get("by") == "meaning" and site.searcher else "words"
    typed, query, fault = templating.typed_query(request)
    found: list[Found] = []
    total, last, page, like = 0, 1, 1, ""
    try:
        if site.searcher is not None and "like" in parameters:
            like, data = _picture(request, parameters["like"])
            found = list(_ranked(site.kept, site.searcher.search_image(data, _NEAREST)))
        elif site.searcher is not None and by == "meaning":
            fault = ""  # what is meant is no condition
            hits = site.searcher.search_text(typed, _NEAREST) if typed else ()
            found = list(_ranked(site.kept, hits))
        elif query:
            total, last, page, cards = listed(site.kept, query, templating.page_number(request))
            found = [_by_words(site.kept, each, query.words) for each in cards]
    except (InputError, MissingError) as error:  # of the model that reads the question
        fault = clean_line(str(error))
    ranked = bool(like) or by == "meaning"
    return templating.page(
        request,
        "search.html",
        typed=typed,
        fault=fault,
        by=by,
        searcher=site.searcher is not None,
        like=like,
        hits=found,
        ranked=ranked,
        total=len(found) if ranked else total,
        page=page,
        last=last,
    )


def snippet(text: str, words: Sequence[str]) -> Iterator[Piece]:
    """The part of a text around the first of the words, its words apart from the rest."""
    found = _any(words).search(text) if words else None
    start = max(0, found.start() - EXCERPT // 3) if found else 0
    start = text.find(" ", start) + 1 if start else 0
    cut = text[start : start + EXCERPT]
    if start:
        yield "… ", False
    at = 0
    for match in _any(words).finditer(cut) if words else ():
        yield cut[at : match.start()], False
        yield match[0], True
        at = match.end()
    yield cut[at:] + (" …" if start + EXCERPT < len(text) else ""), False


def _any(words: Sequence[str]) -> re.Pattern[str]:
    # As the query finds them: each is the beginning of a word.
    return re.compile("|".join(rf"(?<!\w){re.escape(word)}" for word in words), re.IGNORECASE)


def _by_words(collection: Collection, each: Card, words: Sequence[str]) -> Found:
    shown = collection.catalog.read(each.number)
    return Found(card=each, snippet=list(snippet(_text(shown), words)), picture=each.picture)


def _text(shown: Shown) -> str:
    document = shown.sample.document
    named = (part for image in document.images for part in (image.caption, image.alt))
    return clean_line("  ".join([*document.texts, *named]))


def _ranked(collection: Collection, hits: Sequence[Hit]) -> Iterator[Found]:
    for hit in hits:
        shown = collection.read(hit.number)
        if shown is not None:
            each = card(collection, shown)
            named = 0 < hit.picture <= len(shown.sample.images)
            yield Found(
                card=each,
                snippet=[(each.excerpt, False)],
                score=f"{hit.score:.3f}",
                picture=picture_path(collection, hit.number, hit.picture - 1)
                if named
                else each.picture,
                at=f"#picture-{hit.picture}" if named else "",
            )


def _picture(request: Request, named: str) -> tuple[str, bytes]:
    """The address and the bytes of the picture that others are compared with."""
    match = _LIKE.fullmatch(named)
    collection = templating.site_of(request).collections.get(match[1]) if match else None
    if match is None or collection is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, "like= names no picture.")
    number, image = int(match[2]), int(match[3])
    shown = collection.read(number)
    if shown is None or image >= len(shown.sample.images):
        raise HTTPException(HTTPStatus.NOT_FOUND, "like= names no picture.")
    return picture_path(collection, number, image), shown.sample.images[image]
