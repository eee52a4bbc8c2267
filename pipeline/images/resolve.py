"""Which archive record holds an image: redirects and revisits followed, one hop at a time.

A hop is a join on a key: `url:` and a canonical URL, or `digest:` and a payload digest, through
which a revisit record finds the capture that it repeats. Where no record has its digest, or the
archive has none, the revisit is followed to the address that it refers to.
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
    refers_to: str = ""
    """Canonical URL whose capture a revisit repeats, or ""."""
    rank: int = 0
    """Of its archive: of two alike the one of the lower rank is taken."""


class Chase(NamedTuple):
    """A wanted URL and the key at which the search for its record stands."""

    origin: str
    """Canonical URL as the page names it."""
    key: str
    hops: int = 0
    """Redirects followed; a revisit is none."""
    referred: str = ""
    """Canonical URL that the last revisit refers to: the next, or the present, place to look."""


class Found(NamedTuple):
    """Where the search for `origin` ended."""

    origin: str
    unit: str = ""
    offset: int = 0
    reason: str = ""
    """Why there is no record, or ""."""


def resource_keys(
    row: Mapping[str, Any], unit: str, *, rank: int = 0
) -> Iterator[tuple[str, Resource]]:
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
        refers_to=row["refers_to"],
        rank=rank,
    )
    yield f"url:{row['url_key']}", resource
    if row["digest"] and row["kind"] != "revisit" and row["status"] == 200:
        yield f"digest:{row['digest']}", resource


def hop(chase: Chase, resources: Iterable[Resource]) -> Chase | Found:
    """The next step from the records found under the chase's key, or the end."""
    best = min(resources, key=_preference, default=None)
    if best is None:
        return _without_record(chase)
    if best.kind == "revisit":
        return _repeated(chase, best)
    if best.location:
        return Chase(chase.origin, f"url:{best.location}", chase.hops + 1)
    if best.status != 200:
        return Found(chase.origin, reason="http_status")
    if best.content != "image":
        return Found(chase.origin, reason="not_an_image")
    return Found(chase.origin, best.unit, best.offset)


def max_joins(*, redirects: int, revisits: int, max_redirects: int) -> int:
    """Joins that the longest chain in archives with so many of these records can need.

    Most archives hold neither near their images; a join that nothing can reach is not built.
    """
    addresses = min(redirects, max_redirects + 1) + 1
    # At each address a revisit costs two more: for its digest, and for where it refers to.
    return addresses + 2 * min(revisits, addresses)


def _repeated(chase: Chase, revisit: Resource) -> Chase | Found:
    """Where a revisit's capture is looked for; one that a revisit refers to is not followed."""
    referred = "" if f"url:{revisit.refers_to}" == chase.key else revisit.refers_to
    step = Chase(chase.origin, f"digest:{revisit.digest}", chase.hops, referred)
    if _is_referred(chase):
        return Found(chase.origin, reason="revisit_not_in_archive")
    return step if revisit.digest else _without_record(step)


def _without_record(chase: Chase) -> Chase | Found:
    if chase.key.startswith("digest:") and chase.referred:
        return chase._replace(key=f"url:{chase.referred}")
    if chase.key.startswith("digest:") or _is_referred(chase):
        return Found(chase.origin, reason="revisit_not_in_archive")
    return Found(chase.origin, reason="redirect_not_in_archive" if chase.hops else "not_in_archive")


def _is_referred(chase: Chase) -> bool:
    return bool(chase.referred) and chase.key == f"url:{chase.referred}"


def _preference(resource: Resource) -> tuple[Any, ...]:
    """Images first, then other answers, redirects, revisits, errors.

    Of each those of the archives of lower rank, and of these the latest.
    """
    if resource.kind == "revisit":
        kind = 3
    elif resource.location:
        kind = 2
    elif resource.status != 200:
        kind = 4
    else:
        kind = 0 if resource.content == "image" else 1
    # The 1 behind it puts a record without a date, and a shorter date, after the others.
    newest_first = (*(-ord(c) for c in resource.fetched), 1)
    return kind, resource.rank, newest_first, resource.unit, resource.offset
