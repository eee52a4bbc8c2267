"""Images that stand elsewhere too: on many pages, twice on one, or in an evaluation set."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.cut import Cut, numbered, rebuilt
from openm3w.filters.limits import Limit, judge
from openm3w.filters.registry import register
from openm3w.filters.verdict import Verdict
from openm3w.shards.document import Document, Image

MAX_COUNT = 10
"""OBELICS (arXiv:2306.16527) and MINT-1T (arXiv:2406.11271): more is dropped."""
TWIN_DISTANCE = 5
"""MMC4 (arXiv:2304.06939) within a document; 10 for its core set."""
EVALUATION_DISTANCE = 5
"""Ours, as for twins: no published number goes with this hash."""

URL_COUNT = "url_count"
"""Score name: times that the corpus names the image's address."""
CONTENT_COUNT = "content_count"
"""Score name: times that the corpus uses the image's stored bytes."""
EVAL_DISTANCE = "eval_distance"
"""Score name: Hamming distance, 0 to 64, to the nearest picture of the evaluation lists."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Frequency:
    """Drops images that the whole corpus has too often: logos, buttons, adverts, placeholders.

    Reads `image.scores["url_count"]`, how often their address is named, and `["content_count"]`,
    how often their stored bytes are used; what was not counted counts as once. Bounds are
    inclusive, and 0 is none.

    Source: OBELICS (arXiv:2306.16527) drops addresses that occur more than ten times, MINT-1T
    (arXiv:2406.11271) contents too.
    """

    name: ClassVar[str] = "frequency"
    reasons: ClassVar[frozenset[str]] = frozenset({"frequent_url", "frequent_content"})
    measuring: ClassVar[frozenset[str]] = frozenset()

    max_url_count: int = MAX_COUNT
    max_content_count: int = MAX_COUNT

    def __post_init__(self) -> None:
        for name in ("max_url_count", "max_content_count"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 (no bound) or more")

    def keep(self, image: Image, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(image, document))

    def measure(self, image: Image, document: Document) -> dict[str, float]:  # noqa: ARG002
        return {
            "frequency.url_count": image.scores.get(URL_COUNT, 1),
            "frequency.content_count": image.scores.get(CONTENT_COUNT, 1),
        }

    def limits(self) -> tuple[Limit, ...]:
        bounds = (("url", self.max_url_count), ("content", self.max_content_count))
        return tuple(
            Limit(
                measure=f"frequency.{name}_count", reason=f"frequent_{name}", most=most or math.inf
            )
            for name, most in bounds
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationImages:
    """Drops images that look like a picture of an evaluation set, by their perceptual hashes.

    Reads `image.scores["eval_distance"]`, the Hamming distance to the nearest picture of the lists
    that the recipe names; where there is no list every image is kept. Pictures up to the distance
    are dropped.

    Source: none with this hash; Flamingo (arXiv:2204.14198) compared embeddings, COYO-700M
    perceptual hashes for equality. 5 is MMC4's distance of twins (arXiv:2304.06939).
    """

    name: ClassVar[str] = "evaluation_images"
    reasons: ClassVar[frozenset[str]] = frozenset({"in_evaluation_set"})
    measuring: ClassVar[frozenset[str]] = frozenset()

    distance: int = EVALUATION_DISTANCE

    def __post_init__(self) -> None:
        _check_distance(self.distance)

    def keep(self, image: Image, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(image, document))

    def measure(self, image: Image, document: Document) -> dict[str, float]:  # noqa: ARG002
        return {"evaluation_images.distance": image.scores.get(EVAL_DISTANCE, math.inf)}

    def limits(self) -> tuple[Limit, ...]:
        number = "evaluation_images.distance"
        return (Limit(measure=number, reason="in_evaluation_set", least=self.distance + 1),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """Cuts off images that look like one before them in the same document; the first stays.

    Two perceptual hashes of 64 bits that differ in `distance` bits or fewer are twins. An image
    without a hash is no one's twin.

    Source: MMC4 (arXiv:2304.06939) within a document, at 5, with a hash of its own tool; at 10 for
    its core set.
    """

    name: ClassVar[str] = "twins"
    reasons: ClassVar[frozenset[str]] = frozenset({"near_twin"})

    distance: int = TWIN_DISTANCE

    def __post_init__(self) -> None:
        _check_distance(self.distance)

    def apply(self, document: Document) -> Cut:
        hashed = [
            (place, int(image.content.phash, 16))
            for place, image in enumerate(document.images)
            if image.content is not None and image.content.phash
        ]
        twins = {hashed[at][0] for at in later_twins([bits for _, bits in hashed], self.distance)}
        if not twins:
            return Cut(document=document, kept=tuple(range(len(document.images))))
        return rebuilt(document, (s for s in numbered(document.spans) if s[1] not in twins))


def later_twins(hashes: Sequence[int], distance: int) -> list[int]:
    """Places of the hashes of 64 bits that are within a distance of one before them that stays."""
    # Equal hashes are by far the commonest twins, and cost nothing to find.
    seen: dict[int, None] = {}
    twins = []
    for place, bits in enumerate(hashes):
        if bits in seen or (distance and _is_near(bits, seen, distance)):
            twins.append(place)
        else:
            seen[bits] = None
    return twins


_FEW = 64


def _is_near(bits: int, seen: Collection[int], distance: int) -> bool:
    if len(seen) <= _FEW:
        return any((bits ^ other).bit_count() <= distance for other in seen)
    import numpy as np

    differing = np.fromiter(seen, np.uint64, len(seen)) ^ np.uint64(bits)
    ones = np.unpackbits(differing.view(np.uint8).reshape(-1, 8), axis=1)
    return bool((ones.sum(axis=1) <= distance).any())


def _check_distance(distance: int) -> None:
    if not 0 <= distance < 64:
        raise ValueError(f"distance is {distance}, expected 0 to 63 bits")
