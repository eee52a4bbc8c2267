"""What a run of `m3w extract` did, in numbers."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from openm3w.pipeline.page import Page

SHOWN: Final = 3
"""Names of files that were passed over."""


@dataclass(slots=True, kw_only=True)
class Extracted:
    """Counts of one run; written and lost pages add up to `pages`."""

    pages: int = 0
    passed: int = 0
    """Pages besides that were not asked for."""
    written: int = 0
    """Pages with any text or image."""
    lost: Counter[str] = field(default_factory=Counter)
    """The others, by reason."""
    kept: Counter[str] = field(default_factory=Counter)
    """Images by role."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Image elements by reason."""
    no_base: int = 0
    """Images with an address that means something only beside that of their page, which is not
    known."""
    no_base_pages: int = 0
    skipped: tuple[str, ...] = ()
    """What stood beside the input and is neither page nor archive by its name."""
    unreadable: int = 0
    """Files and folders that could not be read; `notes` says why."""
    notes: list[str] = field(default_factory=list)
    """What is wrong with the input."""
    seconds: float = 0.0

    @property
    def pages_per_second(self) -> float:
        return self.pages / self.seconds if self.seconds else 0.0

    def add(self, page: Page, *, homeless: int = 0) -> None:
        """Counts one page and its images, of which `homeless` needed an address of the page."""
        self.pages += 1
        if page.outcome == "kept" and page.document is not None:
            self.written += 1
            self.kept.update(image.role for image in page.document.images)
        else:
            self.lost[page.reason] += 1
        self.left_out.update(page.left_out)
        self.no_base += homeless
        self.no_base_pages += homeless > 0


def number(count: int, noun: str) -> str:
    """`1 page`, `1,200 pages`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def summary(counts: Extracted, where: str) -> Iterator[str]:
    """The run in a few lines; `where` is what it wrote to, "" for standard output."""
    yield (
        f"{counts.written:,} of {number(counts.pages, 'page')} written"
        f"{f' to {where}' if where else ''}{_by_name(counts.lost)} in {counts.seconds:.1f} s"
        f" ({counts.pages_per_second:,.0f} pages/s)"
    )
    yield (
        f"{number(counts.kept.total(), 'image')} kept{_by_name(counts.kept)},"
        f" {counts.left_out.total():,} left out{_by_name(counts.left_out)}"
    )
    if counts.no_base:
        yield (
            f"{number(counts.no_base, 'image')} on {number(counts.no_base_pages, 'page')} left"
            " out as no_url: it is not known where the page stood, or its images were saved beside"
            " it; for a single file --url says where"
        )
    if counts.skipped:
        named = ", ".join(counts.skipped[:SHOWN]) + (", ..." if counts.skipped[SHOWN:] else "")
        yield (
            f"{number(len(counts.skipped), 'file')} passed over ({named}): of folders, patterns and"
            " lists only files called .html, .htm, .xhtml or .xht and web archives are read"
        )
    if counts.unreadable:
        yield f"{number(counts.unreadable, 'file')} could not be read"
    yield from counts.notes


def summary_json(counts: Extracted) -> dict[str, Any]:
    """The run for programs."""
    return {
        "pages": counts.pages,
        "written": counts.written,
        "lost": dict(counts.lost.most_common()),
        "images": dict(counts.kept.most_common()),
        "left_out": dict(counts.left_out.most_common()),
        "without_base": counts.no_base,
        "skipped": len(counts.skipped),
        "unreadable": counts.unreadable,
        "seconds": round(counts.seconds, 3),
        "pages_per_second": round(counts.pages_per_second, 1),
        "notes": counts.notes,
    }


def _by_name(counts: Counter[str]) -> str:
    said = ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
    return f" ({said})" if said else ""
