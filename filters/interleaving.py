"""How images stand in the text: whether there are any, where, and how many."""

import math
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.cut import Cut, numbered, rebuilt
from openm3w.filters.hashing import unit_interval
from openm3w.filters.limits import Limit, at_least, at_most
from openm3w.filters.registry import register
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.filters.words import count_words
from openm3w.shards.document import Document, Image

MAX_IMAGES = 5
"""Flamingo (arXiv:2204.14198) section 2.4 (N), KOSMOS-1 (arXiv:2302.14045) section 3.1."""
SINGLE_IMAGE_SHARE = 0.5
"""KOSMOS-1 (arXiv:2302.14045) appendix B.1.3: half of them."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class HasImage:
    """Drops documents that have no image left.

    Source: Flamingo (Alayrac et al., 2022, arXiv:2204.14198), appendix A.3.
    """

    name: ClassVar[str] = "has_image"
    judges_rest: ClassVar[bool] = True
    measuring: ClassVar[frozenset[str]] = frozenset()
    reasons: ClassVar[frozenset[str]] = frozenset({"no_image"})

    def keep(self, document: Document) -> Verdict:
        return KEEP if document.images else drop("no_image")

    def measure(self, document: Document) -> dict[str, float]:
        return {"has_image.images": float(len(document.images))}

    def limits(self) -> tuple[Limit, ...]:
        return (at_least("has_image.images", 1, "no_image"),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Interspersed:
    """Drops documents in which no image has text before it and text after it.

    Text is what has a word (`openm3w.filters.words`): a line of asterisks is none.

    Source: KOSMOS-1 (Huang et al., 2023, arXiv:2302.14045), appendix B.1.3, asks for images
    interspersed in the text; this definition of it is ours.
    """

    name: ClassVar[str] = "interspersed"
    judges_rest: ClassVar[bool] = True
    measuring: ClassVar[frozenset[str]] = frozenset()
    reasons: ClassVar[frozenset[str]] = frozenset({"not_interspersed"})

    def keep(self, document: Document) -> Verdict:
        return KEEP if _num_between(document) else drop("not_interspersed")

    def measure(self, document: Document) -> dict[str, float]:
        return {"interspersed.images": float(_num_between(document))}

    def limits(self) -> tuple[Limit, ...]:
        return (at_least("interspersed.images", 1, "not_interspersed"),)


def _num_between(document: Document) -> int:
    """Images with text before and after them."""
    between = waiting = 0
    text_before = False
    for span in document.spans:
        if isinstance(span, Image):
            waiting += text_before
        elif count_words(span.text):
            between, waiting, text_before = between + waiting, 0, True
    return between


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class SingleImage:
    """Drops a share of the documents that have exactly one image, by a hash of the document's id.

    `share` of them stay; the same seed and id always fall on the same side.

    Source: KOSMOS-1 (Huang et al., 2023, arXiv:2302.14045), appendix B.1.3: half are discarded.
    """

    name: ClassVar[str] = "single_image"
    judges_rest: ClassVar[bool] = True
    measuring: ClassVar[frozenset[str]] = frozenset({"seed"})
    reasons: ClassVar[frozenset[str]] = frozenset({"single_image_sampled_out"})

    share: float = SINGLE_IMAGE_SHARE
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise ValueError(f"share is {self.share}, expected 0 to 1")

    def keep(self, document: Document) -> Verdict:
        if len(document.images) != 1:
            return KEEP
        if unit_interval(self.seed, self.name, document.doc_id) < self.share:
            return KEEP
        return drop("single_image_sampled_out")

    def measure(self, document: Document) -> dict[str, float]:
        """The number that was drawn for the document; none where it has not one image."""
        if len(document.images) != 1:
            return {"single_image.draw": -math.inf}
        return {"single_image.draw": unit_interval(self.seed, self.name, document.doc_id)}

    def limits(self) -> tuple[Limit, ...]:
        """A number is inside where it is below the share."""
        most = math.nextafter(self.share, -math.inf)
        return (at_most("single_image.draw", most, "single_image_sampled_out"),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class NumImages:
    """Drops documents with too few or too many images; both bounds are inclusive.

    It sees what a cut leaves: `max_images` is no bound of this kind.

    Source: OBELICS (Laurençon et al., 2023, arXiv:2306.16527) and MINT-1T (Awadalla et al., 2024,
    arXiv:2406.11271) keep documents of 1 to 30 images, MMC4-core (Zhu et al., 2023,
    arXiv:2304.06939) those of 2 to 15.
    """

    name: ClassVar[str] = "num_images"
    judges_rest: ClassVar[bool] = True
    measuring: ClassVar[frozenset[str]] = frozenset()
    reasons: ClassVar[frozenset[str]] = frozenset({"too_few_images", "too_many_images"})

    min_images: int = 1
    most_images: int = 30

    def __post_init__(self) -> None:
        if not 0 <= self.min_images <= self.most_images:
            raise ValueError(
                f"min_images {self.min_images} is not between 0 and most_images {self.most_images}"
            )

    def keep(self, document: Document) -> Verdict:
        images = len(document.images)
        if images < self.min_images:
            return drop("too_few_images")
        return drop("too_many_images") if images > self.most_images else KEEP

    def measure(self, document: Document) -> dict[str, float]:
        return {"num_images.images": float(len(document.images))}

    def limits(self) -> tuple[Limit, ...]:
        return (
            at_least("num_images.images", self.min_images, "too_few_images"),
            at_most("num_images.images", self.most_images, "too_many_images"),
        )


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class MaxImages:
    """Keeps the first images of a document up to a number; its text stays.

    Source: five is KOSMOS-1's number (arXiv:2302.14045, section 3.1) and Flamingo's
    (arXiv:2204.14198, section 2.4); that the first are kept is Flamingo's.
    """

    name: ClassVar[str] = "max_images"
    reasons: ClassVar[frozenset[str]] = frozenset({"beyond_max_images"})

    max_images: int = MAX_IMAGES

    def __post_init__(self) -> None:
        if self.max_images < 1:
            raise ValueError(f"max_images is {self.max_images}, expected at least 1")

    def apply(self, document: Document) -> Cut:
        spans = numbered(document.spans)
        return rebuilt(document, (item for item in spans if item[1] < self.max_images))
