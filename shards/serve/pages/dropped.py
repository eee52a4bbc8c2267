"""What a build dropped, by reason, beside what it kept."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from openm3w.shards.catalog.query import Query
from openm3w.shards.funnel import Stage
from openm3w.shards.serve import templating
from openm3w.shards.serve.pages.gallery import cards, listed
from openm3w.shards.serve.site import Collection
from openm3w.shards.terminal import clean_line

PAGE_SIZE = 12
"""Of each side; half of the gallery's, since there are two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """`JOB: REASON`, the examples that are stored, and how many there were where that is known."""

    name: str
    shown: int
    all: int | None


def dropped(request: Request) -> Response:
    """`/dropped?reason=JOB: REASON&page=N`."""
    site = templating.site_of(request)
    reason = clean_line(request.query_params.get("reason", ""))
    if site.dropped is None:
        return templating.page(request, "dropped.html")
    query = Query(dropped=reason)
    total, last, page, found = listed(
        site.dropped, query, templating.page_number(request), PAGE_SIZE
    )
    return templating.page(
        request,
        "dropped.html",
        reason=reason,
        reasons=list(_reasons(site.dropped, site.kept.stages)),
        q=str(query),
        total=total,
        found=found,
        kept=cards(site.kept, _spread(site.kept, page - 1, last)),
        page=page,
        last=last,
    )


def _reasons(collection: Collection, stages: Sequence[Stage]) -> Iterator[Reason]:
    all_of: Counter[str] = Counter()
    for stage in stages:
        if stage.unit == "pages":
            all_of.update({f"{stage.job}: {name}": count for name, count in stage.dropped.items()})
    for name, count in collection.facts.counts("dropped"):
        if name:
            # A sample of several builds has reasons that one build's funnel does not count.
            yield Reason(name=clean_line(name), shown=count, all=all_of.get(name))


def _spread(collection: Collection, page: int, pages: int) -> Sequence[int]:
    """Numbers of kept documents that are spread over the whole dataset, others on each page."""
    total = len(collection.catalog)
    step = max(1, total // (PAGE_SIZE * pages))
    return range(page * step * PAGE_SIZE, total, step)[:PAGE_SIZE]
