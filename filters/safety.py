"""Whether pictures are safe for work, by the scores of models that the recipe names.

A score is 0 (safe) to 1, and a bound means something only for the scorer it was set for.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

from openm3w.filters.limits import Limit, Measures, judge
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.shards.document import Document, Image

Scorer = Literal["opennsfw", "clip"]
"""`opennsfw`: Yahoo's open_nsfw. `clip`: a network on a CLIP embedding, as LAION's detectors."""
SCORERS: tuple[Scorer, ...] = get_args(Scorer)

MAX_NSFW = 0.5
"""COYO-700M's for OpenNSFW2, which has open_nsfw's weights."""

NSFW_IMAGE = "nsfw_image"
"""Reason of an image beyond a bound."""


def image_score(scorer: str) -> str:
    """Name of an image's score."""
    return f"nsfw_{scorer}"


def document_score(scorer: str) -> str:
    """Name of a document's score: see `with_largest`."""
    return f"max_nsfw_{scorer}"


def with_largest(document: Document, outcomes: Iterable[str]) -> dict[str, float]:
    """The document's scores, with the largest NSFW score of its images for each scorer.

    Images count that are kept or dropped as unsafe, as `outcomes` say. What another filter drops,
    as for its size, does not: which of these were scored at all hangs on other profiles.
    """
    images = [
        image
        for image, outcome in zip(document.images, outcomes, strict=True)
        if outcome in ("", NSFW_IMAGE)
    ]
    found = {scorer: _scores(images, scorer) for scorer in SCORERS}
    largest = {document_score(scorer): max(values) for scorer, values in found.items() if values}
    return {**document.scores, **largest}


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class NsfwImage:
    """Drops images whose NSFW score is above a bound, which is inclusive.

    Reads `image.scores["nsfw_opennsfw"]` or `["nsfw_clip"]`, as `scorer` says.

    Source: COYO-700M drops above 0.5 by OpenNSFW2; MMC4 (arXiv:2304.06939) above 0.1 by a network
    on CLIP ViT-L/14 embeddings.
    """

    name: ClassVar[str] = "nsfw_image"
    reasons: ClassVar[frozenset[str]] = frozenset({NSFW_IMAGE, "no_score"})

    scorer: Scorer = "opennsfw"
    max_nsfw: float = MAX_NSFW

    def __post_init__(self) -> None:
        _check(self.max_nsfw)

    def keep(self, image: Image, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(image, document))

    def measure(self, image: Image, document: Document) -> Measures:  # noqa: ARG002
        # Of every scorer, so that numbers do not depend on the one that a profile asks.
        return {
            f"nsfw_image.{scorer}": image.scores.get(image_score(scorer), float("nan"))
            for scorer in SCORERS
        }

    def limits(self) -> tuple[Limit, ...]:
        measure = f"nsfw_image.{self.scorer}"
        # The first has no ends: it does not hold for what is no number.
        return (
            Limit(measure=measure, reason="no_score"),
            Limit(measure=measure, reason=NSFW_IMAGE, most=self.max_nsfw),
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class NsfwDocument:
    """Drops documents of which any image has an NSFW score above a bound, which is inclusive.

    Reads the document's score `max_nsfw_opennsfw` or `max_nsfw_clip`: the largest over the images
    that no other filter of images drops, as one for its size. Where none was scored the document
    stays: what becomes of its images is for the filters of images.

    Source: OBELICS (arXiv:2306.16527) and MINT-1T (arXiv:2406.11271) drop the whole document where
    their classifier finds one image among those that are left.
    """

    name: ClassVar[str] = "nsfw_document"
    judges_rest: ClassVar[bool] = True
    reasons: ClassVar[frozenset[str]] = frozenset({"nsfw_document"})

    scorer: Scorer = "opennsfw"
    max_nsfw: float = MAX_NSFW

    def __post_init__(self) -> None:
        _check(self.max_nsfw)

    def keep(self, document: Document) -> Verdict:
        score = document.scores.get(document_score(self.scorer), 0.0)
        return KEEP if score <= self.max_nsfw else drop("nsfw_document")

    def measure(self, document: Document) -> Measures:
        return {
            f"nsfw_document.{scorer}": document.scores.get(document_score(scorer), 0.0)
            for scorer in SCORERS
        }

    def limits(self) -> tuple[Limit, ...]:
        measure = f"nsfw_document.{self.scorer}"
        return (Limit(measure=measure, reason="nsfw_document", most=self.max_nsfw),)


def _scores(images: Iterable[Image], scorer: Scorer) -> list[float]:
    found = (image.scores.get(image_score(scorer)) for image in images)
    return [score for score in found if score is not None]


def _check(max_nsfw: float) -> None:
    if not 0 <= max_nsfw <= 1:
        raise ValueError(f"max_nsfw is {max_nsfw}, expected 0 to 1")
