"""What happened to a page and to each of its images, with numbers against bounds."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from openm3w.errors import InputError
from openm3w.filters.floor import Floor
from openm3w.filters.limits import Limit, Measures
from openm3w.filters.measuring import measure_text, text_limits, view_of
from openm3w.filters.profiles import Profile
from openm3w.filters.quality.facts import TextFacts
from openm3w.filters.text import MAX_WORDS, WordCount
from openm3w.filters.url import url_key
from openm3w.pipeline.completed import Completed, completed_documents
from openm3w.pipeline.plan import Plan
from openm3w.shards.document import Document, Image
from openm3w.shards.sample import document_from_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A number and what it must stay inside."""

    limit: Limit
    value: float

    @property
    def holds(self) -> bool:
        return self.limit.holds(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHistory:
    """One image of a page."""

    image: Image
    job: str
    """Where it ended: documents, dedup, images or shards."""
    reason: str
    """Why it is not in the shards, or ""."""
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageHistory:
    """One capture of a page."""

    source: str
    row: Mapping[str, Any]
    """Of the first job's table."""
    document: Document | None
    """As extracted, or with what the later jobs found; None where nothing was extracted."""
    job: str
    """Where it ended: documents, dedup or shards."""
    reason: str
    """Why it is not in the shards, or ""."""
    error: str = ""
    """What happened where a filter of the user's own fell over it."""
    first: str = ""
    """URL of the page that stays instead of a duplicate."""
    images: tuple[ImageHistory, ...] = ()
    checks: tuple[Check, ...] = ()


def histories(plan: Plan, asked: str) -> tuple[PageHistory, ...]:
    """Every capture of the page with this URL or document id.

    Raises:
        InputError: the build has no such page.
    """
    found = tuple(
        _history(plan, unit, row)
        for unit in plan.units
        for row in _rows(plan, unit, "url_key", url_key(asked))
        or _rows(plan, unit, "doc_id", asked)
    )
    if not found:
        raise InputError(
            f"{asked}: no page of this build ({plan.output}); name the URL as the archive has it, "
            "or a document's id. Records that are no HTML pages are counted and not listed"
        )
    return found


def _rows(plan: Plan, unit: str, column: str, value: str) -> list[dict[str, Any]]:
    numbers = [
        row["row"]
        for row in plan.folder("documents").rows(unit, ["row", column])
        if row[column] == value
    ]
    if not numbers:
        return []
    wanted = frozenset(numbers)
    return [row for row in plan.folder("documents").rows(unit) if row["row"] in wanted]


def _history(plan: Plan, unit: str, row: dict[str, Any]) -> PageHistory:
    source = next(source.name for source in plan.sources if source.unit == unit)
    written = row.pop("document")
    document = document_from_json(json.loads(written)) if written else None
    if row["outcome"] != "kept" or document is None:
        checks = tuple(_floor_checks(plan.floor, document)) if document else ()
        return replace(_ended(source, row, document, "documents", row["reason"]), checks=checks)
    mark = next((m for m in plan.folder("dedup").rows(unit) if m["row"] == row["row"]), None)
    completed = next(completed_documents(plan, unit, {row["row"]}), None)
    if completed is None:
        reason = mark["reason"] if mark else ""
        first = _url_of(plan, mark.get("first", "")) if mark else ""
        return _ended(source, row, document, "dedup", reason, first)
    chosen = completed.select(plan)
    rest = chosen.rest or completed.document
    document = replace(completed.document, scores=rest.scores)  # some are of the images left
    filters = plan.profile.image_filters(plan.model)
    return PageHistory(
        source=source,
        row=row,
        document=document,
        job="shards",
        reason=chosen.verdict.reason or "",
        error=chosen.error,
        images=tuple(
            ImageHistory(
                image=image,
                job="images" if fate else "shards",
                reason=outcome,
                checks=tuple(
                    _checks(plan.floor.image.filters() if fate else filters, image, document)
                )
                if image.content
                else (),
            )
            for image, fate, outcome in zip(
                document.images, completed.fates, chosen.images, strict=True
            )
        ),
        checks=(
            *_checks(plan.profile.page_filters(), document),
            *_text_checks(plan.profile, completed),
            *_checks(plan.profile.document_filters(plan.model), rest),
        ),
    )


def _ended(
    source: str,
    row: Mapping[str, Any],
    document: Document | None,
    job: str,
    reason: str,
    first: str = "",
) -> PageHistory:
    images = document.images if document else ()
    return PageHistory(
        source=source,
        row=row,
        document=document,
        job=job,
        reason=reason,
        first=first,
        images=tuple(ImageHistory(image=i, job=job, reason="page_dropped") for i in images),
    )


def _checks(filters: Iterable[Any], *judged: Any) -> Iterator[Check]:
    for each in filters:
        if hasattr(each, "limits"):
            yield from _against(each.limits(), each.measure(*judged))


def _floor_checks(floor: Floor, document: Document) -> Iterator[Check]:
    """What the first job judged by numbers."""
    words = WordCount(min_words=floor.min_words, max_words=max(floor.min_words, MAX_WORDS))
    yield from _checks([floor.language()], document)
    yield from list(_against(words.limits(), words.measure(TextFacts.of(document))))[:1]


def _text_checks(profile: Profile, found: Completed) -> Iterator[Check]:
    view = view_of(profile)
    page = view.apply(found.document, found.repeats)
    return _against(text_limits(view), measure_text(page, view))


def _against(limits: Iterable[Limit], measures: Measures) -> Iterator[Check]:
    for limit in limits:
        yield Check(limit=limit, value=measures[limit.measure])


def _url_of(plan: Plan, doc_id: str) -> str:
    """The URL of a document of this build; its id where it is another crawl's."""
    for unit in plan.units:
        for row in plan.folder("documents").rows(unit, ["doc_id", "url"]):
            if doc_id and row["doc_id"] == doc_id:
                return str(row["url"])
    return doc_id
