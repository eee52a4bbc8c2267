"""`[safety]`: how unsafe an image may be by each scorer, and whether one drops its document."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openm3w.filters.registry import DocumentFilter, ImageFilter
from openm3w.filters.safety import SCORERS, NsfwDocument, NsfwImage, Scorer


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyRules:
    """How unsafe an image may be by each scorer, and whether one drops its document."""

    max_nsfw: Mapping[str, float] = field(default_factory=dict)
    """Scorer (`opennsfw` or `clip`) -> bound, inclusive; a scorer that is not named is not asked.

    COYO-700M: 0.5 by OpenNSFW2; MMC4 (arXiv:2304.06939): 0.1 by a network on CLIP ViT-L/14."""
    drop_document: bool = False
    """An image beyond a bound drops the whole document, as in OBELICS (arXiv:2306.16527) and
    MINT-1T (arXiv:2406.11271)."""

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.max_nsfw).difference(SCORERS)):
            raise ValueError(f"max_nsfw: {unknown[0]!r} is none of {', '.join(SCORERS)}")
        self.filters()

    @property
    def scorers(self) -> tuple[Scorer, ...]:
        """The scorers that must have scored every image."""
        return tuple(scorer for scorer in SCORERS if scorer in self.max_nsfw)

    def filters(self) -> tuple[ImageFilter, ...]:
        return tuple(NsfwImage(scorer=s, max_nsfw=self.max_nsfw[s]) for s in self.scorers)

    def document_filters(self) -> tuple[DocumentFilter, ...]:
        if not self.drop_document:
            return ()
        return tuple(NsfwDocument(scorer=s, max_nsfw=self.max_nsfw[s]) for s in self.scorers)
