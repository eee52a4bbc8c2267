"""Does a process that reads page after page keep its size?"""

import gc
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from measure.archives import html_records
from openm3w.errors import InputError
from openm3w.filters.screen import Screen
from openm3w.pipeline.archive import Record
from openm3w.pipeline.guard import Guard
from openm3w.pipeline.page import Clock, read_page
from openm3w.pipeline.recipe import Extract

GROWTH = 0.05
"""Of the resident set after the first sample: what counts as flat."""


# What names an address is renewed by its ending.
_LONG_VALUE = re.compile(
    rb"""[\s"'](?!(?:data-)?(?:src|srcset|href)=)[a-zA-Z-]++="""
    rb"""(?:"[^"<>]{40,}+(?=")|'[^'<>]{40,}+(?='))"""
)
_ADDRESS = re.compile(rb"""\.(?:html|jpe?g|png|gif)(?=["'\s])""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A look at this process."""

    pages: int
    """Read so far."""
    documents: int
    """Of these, with any text or image; too few would mean that nothing was tried."""
    resident_bytes: int


def sample(
    archives: Sequence[Path], *, pages: int, every: int, settings: Extract
) -> Iterator[Sample]:
    """Reads `pages` pages in this process and looks at it after each `every`.

    Raises:
        InputError: there is no page in the archives, or one is damaged.
    """
    screen, clock = Screen(needs_image=False), Clock()
    documents = 0
    with Guard(settings) as guard:
        for number, (record, source) in enumerate(islice(_endless(archives), pages), 1):
            page = read_page(
                renewed(record, number),
                source=source,
                screen=screen,
                guard=guard,
                floor=None,
                clock=clock,
            )
            documents += page.outcome == "kept"
            if number % every == 0:
                gc.collect()
                yield Sample(pages=number, documents=documents, resident_bytes=resident_bytes())


def is_flat(samples: Sequence[Sample]) -> bool:
    """Is every resident set at most `GROWTH` above the first?"""
    largest = max(seen.resident_bytes for seen in samples)
    return largest <= samples[0].resident_bytes * (1 + GROWTH)


def growth(samples: Sequence[Sample]) -> float:
    """How far the largest resident set is above the first, as a share of that."""
    return max(seen.resident_bytes for seen in samples) / samples[0].resident_bytes - 1


def resident_bytes() -> int:
    """Of this process, by Linux's own account."""
    resident_pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return resident_pages * os.sysconf("SC_PAGE_SIZE")


def renewed(record: Record, number: int) -> Record:
    """The page with addresses, classes, long values and sentences that no page before it had.

    A cache that keeps all it has seen would look flat on pages that repeat.
    """
    mark = b"%d" % number
    body = record.body.replace(b". ", b" " + mark + b". ")
    body = body.replace(b'class="', b'class="c' + mark + b" ")
    body = _ADDRESS.sub(rb"\g<0>?" + mark, body)
    body = _LONG_VALUE.sub(rb"\g<0> " + mark, body)
    return replace(record, url=f"{record.url}?{number}", body=body)


def _endless(archives: Sequence[Path]) -> Iterator[tuple[Record, str]]:
    """Pages of the archives over and over."""
    while True:
        found = False
        for archive in archives:
            for record in html_records(archive):
                found = True
                yield record, archive.name
        if not found:
            raise InputError(f"no page in {', '.join(map(str, archives))}")
