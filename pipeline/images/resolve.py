"""Which archive record holds an image: redirects and revisits followed, one hop at a time.

A hop is a join on a key: `url:` and a canonical URL, or `digest:` and a payload digest, through
which a revisit record finds the capture that it repeats.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

REASONS = frozenset(
    {
        "not_in_archive",
        "redirect_not_in_archive",
        "revisit_not_in_archive",
        "http_status",
        "not_an_image",
        "too_many_redirects",
    }
)


class Resource(NamedTuple):
    """An archive record, as a place where an image may be."""

    unit: str
    offset: int
    kind: str
    content: str
    status: int
    location: str
    """Canonical URL that a redirect points to, or ""."""
    digest: str
    fetched: str


class Chase(NamedTuple):
    """A wanted URL and the key at which the search for its record stands."""

    origin: str
    """Canonical URL as the page names it."""
    key: str
    hops: int = 0


class Found(NamedTuple):
    """Where the search for `origin` ended."""

    origin: str
    unit: str = ""
    offset: int = 0
    reason: str = ""
    """Why there is no record, or ""."""


def resource_keys(row: Mapping[str, Any], unit: str) -> Iterator[tuple[str, Resource]]:
    """The keys under which a row of the records' table can be found."""
    resource = Resource(
        unit=unit,
        offset=row["offset"],
        kind=row["kind"],
        content=row["content"],
        status=row["status"],
        location=row["location"],
        digest=row["digest"],
        fetched=row["fetched"],
    )
    yield f"url:{row['url_key']}", resource
    if row["digest"] and row["kind"] != "revisit" and row["status"] == 200:
        yield f"digest:{row['digest']}", resource


def hop(chase: Chase, resources: Iterable[Resource]) -> Chase | Found:
    """The next step from the records found under the chase's key, or the end."""
    best = min(resources, key=_preference, default=None)
    if best is None:
        return Found(chase.origin, reason=_missing(chase))
    if best.kind == "revisit":
        if not best.digest:
            return Found(chase.origin, reason="revisit_not_in_archive")
        return Chase(chase.origin, f"digest:{best.digest}", chase.hops)
    if best.location:
        return Chase(chase.origin, f"url:{best.location}", chase.hops + 1)
    if best.status != 200:
        return Found(chase.origin, reason="http_status")
    if best.content != "image":
        return Found(chase.origin, reason="not_an_image")
    return Found(chase.origin, best.unit, best.offset)


def _missing(chase: Chase) -> str:
    if chase.key.startswith("digest:"):
        return "revisit_not_in_archive"
    return "redirect_not_in_archive" if chase.hops else "not_in_archive"


def _preference(resource: Resource) -> tuple[Any, ...]:
    """Images first, then other answers, redirects, revisits, errors; the latest of each."""
    if resource.kind == "revisit":
        rank = 3
    elif resource.location:
        rank = 2
    elif resource.status != 200:
        rank = 4
    else:
        rank = 0 if resource.content == "image" else 1
    # The 1 behind it puts a record without a date, and a shorter date, after the others.
    newest_first = (*(-ord(c) for c in resource.fetched), 1)
    return rank, newest_first, resource.unit, resource.offset
