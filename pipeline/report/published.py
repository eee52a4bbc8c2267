"""The funnels that others published, beside that of a build.

Each number is from the paper named with it. Definitions differ: what is counted first, what a stage
removes, and how old the addresses were that were asked for; every row says so.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from openm3w.pipeline.report.words import share, words
from openm3w.shards.funnel import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One step: how many of a base were left."""

    dataset: str
    base: str
    """What was counted first."""
    entered: str
    step: str
    left: str
    share: str
    about: str
    """Source, and what differs from a build here."""
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Rows of others and of the build, as a report shows them."""

    note: str
    rows: tuple[Row, ...]


_NOTE: Final = (
    "Shares compare only where base and step mean the same. A profile of another name, another "
    "language or a younger crawl moves them more than the tool does."
)
_OBELICS: Final = "OBELICS, arXiv 2306.16527, sections 3.1 and 3.3, figure 2"
_MMC4: Final = "MMC4, arXiv 2304.06939, sections 2 and 3"
_OMNI: Final = "OmniCorpus, arXiv 2406.08418, section 3"

_PAGES: Final = (
    Row(
        dataset="KOSMOS-1",
        base="pages of one crawl",
        entered="2 billion",
        step="pages that the filters choose",
        left="about 71 million",
        share="3.6 %",
        about="KOSMOS-1, arXiv 2302.14045, section 3.1. Counted before half of the documents with "
        "one image are discarded at random; the stages between are not published.",
    ),
    Row(
        dataset="OBELICS",
        base="documents of 25 crawls with main text",
        entered="41.2 billion",
        step="English, deduplicated, good by a classifier",
        left="1.1 billion",
        share="2.7 %",
        about=f"{_OBELICS}. Counted after text extraction: pages without text are not in the base.",
    ),
    Row(
        dataset="OBELICS",
        base="documents of 25 crawls with main text",
        entered="41.2 billion",
        step="with images, after filters of nodes and documents",
        left="365 million",
        share="0.89 %",
        about=f"{_OBELICS}. Images were fetched years after some of the crawls.",
    ),
    Row(
        dataset="OBELICS",
        base="documents of 25 crawls with main text",
        entered="41.2 billion",
        step="interleaved documents",
        left="141 million",
        share="0.34 %",
        about=f"{_OBELICS}. Duplicates over 25 crawls are removed; one archive has few.",
    ),
    Row(
        dataset="OmniCorpus-CC",
        base="pages of Common Crawl",
        entered="100 %",
        step="main text extracted",
        left="",
        share="53 %",
        about=f"{_OMNI}. Published as shares.",
    ),
    Row(
        dataset="OmniCorpus-CC",
        base="pages of Common Crawl",
        entered="100 %",
        step="preliminary text filters",
        left="",
        share="10.6 %",
        about=_OMNI,
    ),
    Row(
        dataset="OmniCorpus-CC",
        base="pages of Common Crawl",
        entered="100 %",
        step="deduplicated",
        left="",
        share="1.1 %",
        about=f"{_OMNI}. Over all crawls since 2013, of which the latest copy stays.",
    ),
    Row(
        dataset="OmniCorpus-CC",
        base="pages of Common Crawl",
        entered="100 %",
        step="interleaved documents",
        left="",
        share="0.2 %",
        about=f"{_OMNI}. After filters of images and of text.",
    ),
    Row(
        dataset="MMC4",
        base="documents of C4, English",
        entered="365 million",
        step="with at least one image that was fetched",
        left="115 million",
        share="31.5 %",
        about=f"{_MMC4}. Not comparable: C4 is filtered and deduplicated text already.",
    ),
    Row(
        dataset="MMC4",
        base="documents of C4, English",
        entered="365 million",
        step="interleaved documents",
        left="101.2 million",
        share="27.7 %",
        about=f"{_MMC4}. Not comparable, likewise.",
    ),
)
_IMAGES: Final = (
    Row(
        dataset="OBELICS",
        base="image links",
        entered="3.6 billion",
        step="fetched",
        left="about 2 billion",
        share="55 %",
        about=f"{_OBELICS}. Asked of the web, months to years after the crawl.",
    ),
)
_NAMES: Final = {
    ("documents", "pages"): "text and images extracted, screened, in the language",
    ("dedup", "pages"): "deduplicated",
    ("shards", "pages"): "interleaved documents",
    ("images", "urls"): "fetched or in the archive, decoded and inside the floor",
}


def compare(name: str, stages: Iterable[Stage]) -> Comparison | None:
    """The published funnels around that of a build of pages; None for one of anything else."""
    found = tuple(stages)
    pages = tuple(_own(name, "pages of the input", "pages", found))
    if not pages:
        return None
    urls = tuple(_own(name, "distinct image URLs of kept pages", "urls", found))
    return Comparison(note=_NOTE, rows=(*pages, *_PAGES, *urls, *_IMAGES))


def as_json(found: Comparison) -> dict[str, Any]:
    """The comparison for programs: its note, and the fields of its rows."""
    return asdict(found)


def _own(name: str, base: str, unit: str, stages: Iterable[Stage]) -> Iterable[Row]:
    these = [stage for stage in stages if stage.unit == unit]
    for stage in these:
        first = these[0].entered
        yield Row(
            dataset=name,
            base=base,
            entered=f"{first:,}",
            step=_NAMES.get((stage.job, stage.unit), words(stage.job)),
            left=f"{stage.kept:,}",
            share=share(stage.kept, first),
            about=f"this build, after job {words(stage.job)}",
            own=True,
        )
