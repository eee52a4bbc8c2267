"""Documents that the corpus holds already, or too often, or that stand in evaluation texts.

What is there twice is known to the dedup job alone; it leaves numbers in `Document.scores`. A
document without one of these numbers was not marked, and is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.limits import Limit, judge
from openm3w.filters.registry import register
from openm3w.filters.verdict import Verdict
from openm3w.shards.document import Document

MAX_DOMAIN_RANK = 10_000
"""Places in a domain that are told apart; every document behind them has this one. Ours: it bounds
what a worker holds of one domain to some MB, and no published cap comes near it."""


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """Drops documents that are nearly the same as one with a smaller id.

    Source: MinHash with 14 bands of 8 values over 5-grams is FineWeb's (arXiv:2406.17557); OBELICS
    (arXiv:2306.16527) and OmniCorpus (arXiv:2406.08418) drop near duplicates too.
    """

    name: ClassVar[str] = "near_duplicate"
    reasons: ClassVar[frozenset[str]] = frozenset({"near_duplicate"})

    def keep(self, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(document))

    def measure(self, document: Document) -> Mapping[str, float]:
        return {"near_duplicate.marked": document.scores.get("near_duplicate", 0.0)}

    def limits(self) -> tuple[Limit, ...]:
        return (Limit(measure="near_duplicate.marked", reason="near_duplicate", most=0),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSet:
    """Drops documents that have exactly the images of another one, by their URLs.

    Which one stays is chosen among all that the dedup job left, before a profile drops any: where
    the one with place 0 fails another rule, no other of its set stays instead.

    Source: OBELICS (Laurençon et al., 2023, arXiv:2306.16527) keeps one for each set, and chooses
    it last, among what its other filters left (released code, step 11).
    """

    name: ClassVar[str] = "image_set"
    reasons: ClassVar[frozenset[str]] = frozenset({"same_images"})

    def keep(self, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(document))

    def measure(self, document: Document) -> Mapping[str, float]:
        return {"image_set.rank": document.scores.get("image_set_rank", 0.0)}

    def limits(self) -> tuple[Limit, ...]:
        return (Limit(measure="image_set.rank", reason="same_images", most=0),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class PerDomain:
    """Drops what a registered domain has beyond a number of documents, in an order by hash.

    Places are taken among all that the dedup job left, before a profile drops any: what other
    rules drop uses up places, so that a domain may keep fewer documents than the number.

    Source: none; the rule is ours, and no published recipe for web documents names a number.
    """

    name: ClassVar[str] = "per_domain"
    reasons: ClassVar[frozenset[str]] = frozenset({"beyond_domain_cap"})

    max_documents: int = MAX_DOMAIN_RANK
    """As many as the dedup job tells apart."""

    def __post_init__(self) -> None:
        if not 1 <= self.max_documents <= MAX_DOMAIN_RANK:
            raise ValueError(
                f"max_documents is {self.max_documents}, expected 1 to {MAX_DOMAIN_RANK}: the "
                "dedup job tells no more places of a domain apart"
            )

    def keep(self, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(document))

    def measure(self, document: Document) -> Mapping[str, float]:
        return {"per_domain.rank": document.scores.get("domain_rank", 0.0)}

    def limits(self) -> tuple[Limit, ...]:
        most = self.max_documents - 1
        return (Limit(measure="per_domain.rank", reason="beyond_domain_cap", most=most),)


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Contamination:
    """Drops documents of which too large a share stands in evaluation texts.

    The bound is inclusive. Source: runs of 13 words are GPT-3's (Brown et al., 2020,
    arXiv:2005.14165, appendix C), which takes one for enough, as 0 does; a share is ours, and so
    is that evaluation texts of 5 to 12 words are looked for as a whole.
    """

    name: ClassVar[str] = "contamination"
    reasons: ClassVar[frozenset[str]] = frozenset({"contaminated"})

    max_share: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.max_share <= 1:
            raise ValueError(f"max_share is {self.max_share}, expected 0 to 1")

    def keep(self, document: Document) -> Verdict:
        return judge(self.limits(), self.measure(document))

    def measure(self, document: Document) -> Mapping[str, float]:
        return {"contamination.share": document.scores.get("contamination", 0.0)}

    def limits(self) -> tuple[Limit, ...]:
        limit = Limit(measure="contamination.share", reason="contaminated", most=self.max_share)
        return (limit,)
