"""The gallery: documents as cards, filtered by what is typed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from openm3w.shards.catalog.query import Query
from openm3w.shards.catalog.stats import UNKNOWN
from openm3w.shards.serve import templating
from openm3w.shards.serve.presenting import Card, card
from openm3w.shards.serve.site import Collection
from openm3w.shards.serve.templating import PAGE_SIZE
from openm3w.shards.terminal import clean_line, counted

_FACETS: Final = {"language": 8, "domain": 6, "kind": 3, "dataset": 4, "split": 3}
"""Columns whose most frequent values are offered, and how many; one line each on a wide screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A condition that one click sets or takes away."""

    name: str
    count: int
    q: str
    """What the filter is then."""
    on: bool


def gallery(request: Request) -> Response:
    """`/?q=FILTER&page=N`."""
    kept = templating.site_of(request).kept
    typed, query, fault = templating.typed_query(request)
    total, last, page, found = listed(kept, query, templating.page_number(request))
    return templating.page(
        request,
        "gallery.html",
        typed=typed,
        fault=fault,
        total=total,
        summary=_summary(kept),
        facets=list(_facets(kept, query)),
        found=found,
        page=page,
        last=last,
    )


def listed(
    collection: Collection, query: Query, page: int, size: int = PAGE_SIZE
) -> tuple[int, int, int, list[Card]]:
    """How many a query finds, the number of pages, the page that there is, and its cards.

    Without a query it is by number, for which no facts are needed.
    """
    every = collection.found(query) if query else range(len(collection.catalog))
    last = max(1, -(-len(every) // size))
    page = min(page, last)
    numbers = every[(page - 1) * size : page * size]
    return len(every), last, page, cards(collection, numbers)


def cards(collection: Collection, numbers: Sequence[int]) -> list[Card]:
    """Cards of documents by number, without those that are excluded."""
    shown = (collection.read(number) for number in numbers)
    return [card(collection, each) for each in shown if each is not None]


def _summary(collection: Collection) -> str:
    images = sum(m.images for m in collection.manifests)
    first, *others = collection.manifests
    parts = [f"{clean_line(m.name)} {m.nsamples:,}" for m in collection.manifests]
    # A tar without a manifest does not say how many it has.
    return ", ".join(
        ([counted(images, "picture")] if images else []) + (parts if others else [first.kind])
    )


def _facets(collection: Collection, query: Query) -> Iterator[tuple[str, list[Chip]]]:
    for column, most in _FACETS.items():
        chosen = getattr(query, column)
        # What else there is, if this one condition were another.
        counts = collection.counts(column, _with(query, column, ""))
        chips = [
            Chip(
                name=clean_line(name),
                count=count,
                q=str(_with(query, column, "" if name == chosen else name)),
                on=name == chosen,
            )
            for name, count in counts[:most]
            if name and name != UNKNOWN
        ]
        if len(chips) > 1 or (chips and chosen):
            yield column, chips


def _with(query: Query, column: str, value: str) -> Query:
    named: dict[str, Any] = {column: value}
    return replace(query, **named)
