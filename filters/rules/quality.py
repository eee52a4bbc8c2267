"""A profile's choice of text rules: each is switched on by a table of its own."""

from dataclasses import dataclass

from openm3w.filters.quality.c4 import C4Lines, C4Page
from openm3w.filters.quality.fineweb import FineWeb
from openm3w.filters.quality.gopher import GopherQuality
from openm3w.filters.quality.gopher_repetition import GopherRepetition
from openm3w.filters.quality.kosmos import Gibberish
from openm3w.filters.quality.obelics import Obelics, ObelicsParagraphs
from openm3w.filters.quality.omnicorpus import OmniCorpus, OmniCorpusImages, OmniCorpusParagraphs
from openm3w.filters.quality.pii import Pii
from openm3w.filters.quality.sentences import SentenceCount
from openm3w.filters.registry import DocumentFilter, TextFilter, Transform


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityRules:
    """Rules on the text; None: switched off, as all are in a profile that names none.

    They stand in the order in which they act, cheap before dear.
    """

    obelics_paragraphs: ObelicsParagraphs | None = None
    omnicorpus_paragraphs: OmniCorpusParagraphs | None = None
    c4_lines: C4Lines | None = None
    pii: Pii | None = None
    omnicorpus_images: OmniCorpusImages | None = None
    sentence_count: SentenceCount | None = None
    gopher_quality: GopherQuality | None = None
    omnicorpus: OmniCorpus | None = None
    gibberish: Gibberish | None = None
    c4_page: C4Page | None = None
    fineweb: FineWeb | None = None
    obelics: Obelics | None = None
    gopher_repetition: GopherRepetition | None = None

    def transforms(self) -> tuple[Transform, ...]:
        """What shortens or changes the text, in order."""
        rules = (self.obelics_paragraphs, self.omnicorpus_paragraphs, self.c4_lines, self.pii)
        return tuple(rule for rule in rules if rule is not None)

    def document_filters(self) -> tuple[DocumentFilter, ...]:
        """What looks at the images beside the text too."""
        return () if self.omnicorpus_images is None else (self.omnicorpus_images,)

    def filters(self) -> tuple[TextFilter, ...]:
        """What judges the text that is left, in order."""
        rules = (
            self.sentence_count,
            self.gopher_quality,
            self.omnicorpus,
            self.gibberish,
            self.c4_page,
            self.fineweb,
            self.obelics,
            self.gopher_repetition,
        )
        return tuple(rule for rule in rules if rule is not None)
