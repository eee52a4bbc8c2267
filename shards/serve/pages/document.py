"""A document as it reads, with its scores, where it is from, and its JSON as text."""

import json
from bisect import bisect_right
from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from openm3w.shards import reader
from openm3w.shards.catalog.numbered import Shown
from openm3w.shards.catalog.query import Query
from openm3w.shards.serve import presenting, templating
from openm3w.shards.serve.site import DROPPED, KEPT, OTHER, Collection, Site
from openm3w.shards.terminal import clean, clean_line

_MAX_RAW: Final = 100_000
"""Characters of JSON on the page; the rest is one click away."""

_UP: Final = {KEPT: "/", DROPPED: "/dropped", OTHER: "/compare"}
"""The list that a collection's documents stand in."""


def document(request: Request) -> Response:
    """`/documents/COLLECTION/NUMBER?q=FILTER`: the filter says what the next one is."""
    collection, shown = shown_of(request)
    typed, query, _ = templating.typed_query(request)
    number = shown.number - 1
    raw = clean(_raw(collection, number))
    at = shown.sample.document
    site = templating.site_of(request)
    return templating.page(
        request,
        "document.html",
        collection=collection,
        number=number,
        title=presenting.title_of(shown),
        url=presenting.link(at.url),
        dropped=clean_line(at.dropped),
        blocks=list(presenting.blocks(collection, shown)),
        scores=presenting.scores(at.scores),
        about=presenting.about(shown),
        raw=raw[:_MAX_RAW],
        cut=len(raw) > _MAX_RAW,
        typed=typed,
        place=_place(collection, number, query),
        total=len(collection.found(query)) if query else len(collection.catalog),
        previous=collection.beside(number, -1, query),
        next=collection.beside(number, 1, query),
        up=templating.address(_UP[collection.name], q=typed if collection.name == KEPT else ""),
        twin=_twin(site, collection, shown),
        searcher=site.searcher is not None and collection.name == KEPT,
    )


def raw(request: Request) -> Response:
    """`/raw/COLLECTION/NUMBER`: the JSON of a document, which no browser takes for a page."""
    collection, shown = shown_of(request)
    return PlainTextResponse(clean(_raw(collection, shown.number - 1)).encode("utf-8", "replace"))


def shown_of(request: Request) -> tuple[Collection, Shown]:
    """The document that an address names, and the collection that it is in.

    Raises:
        HTTPException: there is none, or it is on the exclude list.
        ShardError: its shard is damaged.
    """
    collection = templating.collection_of(request)
    shown = collection.read(request.path_params["number"])
    if shown is None:
        raise HTTPException(
            HTTPStatus.NOT_FOUND,
            f"There is no document of this number among {len(collection.catalog):,}, "
            "or it is on the exclude list.",
        )
    return collection, shown


def _raw(collection: Collection, number: int) -> str:
    place = collection.catalog.place(number)
    _, members = reader.read_members_at(place.manifest, place.shard, place.index)
    text = members.get("json", b"").decode("utf-8", "replace")
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return text


def _place(collection: Collection, number: int, query: Query) -> int:
    return bisect_right(collection.found(query), number) if query else number + 1


def _twin(site: Site, collection: Collection, shown: Shown) -> tuple[str, int] | None:
    """The document of the same key in the other run."""
    name = {KEPT: OTHER, OTHER: KEPT}.get(collection.name, "")
    other = site.collections.get(name)
    if other is None:
        return None
    rows = other.facts.rows(Query(key=shown.sample.key), limit=1)
    return (name, rows[0].number) if rows and rows[0].key == shown.sample.key else None
