"""`[duplicates]`: which of the marks and counts of the dedup job drop a document or a paragraph.

The same record, URL or text is always dropped, before anything is fetched.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from openm3w.filters.duplicates import (
    MAX_DOMAIN_RANK,
    Contamination,
    ImageSet,
    NearDuplicate,
    PerDomain,
)
from openm3w.filters.registry import DocumentFilter


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateRules:
    """What the corpus holds too often; everything is off where a profile says nothing."""

    near: bool = False
    """Drop near duplicates."""
    image_sets: bool = False
    """Of the documents with the same set of images keep one."""
    max_per_domain: int = 0
    """Documents of one registered domain; 0: no cap."""
    drop_paragraphs_from: int = 0
    """Occurrences in a registered domain from which a paragraph is dropped, each of them; 0: none
    is. OBELICS: 3."""
    max_contamination: float = 1.0
    """Share of a document's runs of words that evaluation texts have too; 1: no bound."""

    def __post_init__(self) -> None:
        if not 0 <= self.max_per_domain <= MAX_DOMAIN_RANK:
            raise ValueError(
                f"max_per_domain is {self.max_per_domain}, expected 0 (no cap) to "
                f"{MAX_DOMAIN_RANK}: the dedup job tells no more places of a domain apart"
            )
        if self.drop_paragraphs_from < 0 or self.drop_paragraphs_from == 1:
            raise ValueError(
                f"drop_paragraphs_from is {self.drop_paragraphs_from}, expected 0 (none is "
                "dropped) or 2 or more: every paragraph occurs once"
            )
        if not 0 <= self.max_contamination <= 1:
            raise ValueError(
                f"max_contamination is {self.max_contamination}, expected 0 to 1 (no bound)"
            )

    def filters(self) -> tuple[DocumentFilter, ...]:
        """Filters of whole documents, in order."""
        near = (NearDuplicate(),) if self.near else ()
        sets = (ImageSet(),) if self.image_sets else ()
        cap = (PerDomain(max_documents=self.max_per_domain),) if self.max_per_domain else ()
        bounded = self.max_contamination < 1
        clean = (Contamination(max_share=self.max_contamination),) if bounded else ()
        return (*near, *sets, *cap, *clean)

    def too_frequent(self, occurrences: Mapping[int, int]) -> frozenset[int]:
        """Numbers of the paragraphs to drop; `occurrences` by number, those above one."""
        if not self.drop_paragraphs_from:
            return frozenset()
        return frozenset(
            n for n, count in occurrences.items() if count >= self.drop_paragraphs_from
        )
