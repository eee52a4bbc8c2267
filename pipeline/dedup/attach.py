"""What job 2 found out, put where filters look: the scores of documents and of their images."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from openm3w.pipeline.plan import Plan
from openm3w.shards.document import Document, Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What job 2 knows of one document; see `openm3w.pipeline.dedup.facts`."""

    scores: Mapping[str, float]
    """`near_duplicate` where it is marked, `domain_rank`, and where they were made
    `image_set_rank` and `contamination`."""
    url_counts: tuple[int, ...]
    """Occurrences of each image's URL in the corpus, parallel to the document's images."""
    paragraphs: Mapping[int, int]
    """Number of each paragraph that its domain repeats -> occurrences; see
    `openm3w.filters.rules.duplicates.DuplicateRules.too_frequent`."""


def read_facts(plan: Plan, unit: str) -> dict[int, Facts]:
    """By row, the facts of a unit's documents without a mark or with `near_duplicate`."""
    marks = plan.folder("dedup").rows(unit, ["row", "reason"])
    near = {row["row"] for row in marks if row["reason"] == "near_duplicate"}
    found: dict[int, Facts] = {}
    for row in plan.folder("dedup", "facts").rows(unit):
        names = ("domain_rank", "image_set_rank", "contamination")
        scores = {name: float(row[name]) for name in names if row[name] is not None}
        if row["row"] in near:
            scores["near_duplicate"] = 1.0
        found[row["row"]] = Facts(
            scores=scores,
            url_counts=tuple(row["url_counts"]),
            paragraphs=dict(zip(row["repeated_paragraphs"], row["paragraph_counts"], strict=True)),
        )
    return found


def with_facts(document: Document, facts: Facts) -> Document:
    """The document with these scores, and its images with `url_count`."""
    counts = iter(facts.url_counts)
    spans = tuple(
        replace(span, scores={**span.scores, "url_count": float(next(counts))})
        if isinstance(span, Image)
        else span
        for span in document.spans
    )
    return replace(document, spans=spans, scores={**document.scores, **facts.scores})
