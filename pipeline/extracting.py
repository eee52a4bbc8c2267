"""`m3w extract`: pages to JSON lines, without Beam, images or filters."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openm3w import recipe as recipes
from openm3w.errors import InputError, OutputError
from openm3w.filters.screen import Screen
from openm3w.pipeline.archive import Damage, read_records
from openm3w.pipeline.guard import Guard
from openm3w.pipeline.page import Clock, Page, read_page
from openm3w.pipeline.recipe import Extract
from openm3w.pipeline.sources import Source, find_sources
from openm3w.shards import commit
from openm3w.shards.sample import document_to_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """Counts of one run; written + lost = pages."""

    pages: int
    written: int
    lost: Mapping[str, int]
    notes: tuple[str, ...]


def extract_pages(inputs: Iterable[str], output: Path, engine: str) -> Extracted:
    """Writes one line for each page of the archives that has any text or image.

    Raises:
        InputError: an input is missing or no archive, or none has a page.
        OutputError: the output cannot be written, or is an input.
        RecipeError: there is no such engine.
    """
    settings = recipes.decode(Extract, {"engine": engine}, "--engine")
    lost: Counter[str] = Counter()
    notes: list[str] = []
    pages = 0
    sources = find_sources(inputs).archives
    if output.exists() and any(output.samefile(source.path) for source in sources):
        raise OutputError(f"{output}: is an archive to read; choose another --output")
    with commit.committed(output) as file, Guard(settings) as guard:
        for source in sources:
            for page in read_pages(source, guard, notes):
                pages += 1
                if page.outcome == "kept" and page.document is not None:
                    line = json.dumps(page_json(page), ensure_ascii=False) + "\n"
                    file.write(line.encode("utf-8", "replace"))
                else:
                    lost[page.reason] += 1
        if not pages:
            raise InputError(f"no HTML page in the input{': ' if notes else ''}{'; '.join(notes)}")
    written = pages - lost.total()
    return Extracted(
        pages=pages, written=written, lost=dict(lost.most_common()), notes=tuple(notes)
    )


def read_pages(source: Source, guard: Guard, notes: list[str]) -> Iterator[Page]:
    """Every page of one archive, extracted; damage is added to `notes`."""
    clock = Clock()
    for record in read_records(source.path, max_body=Screen().max_bytes):
        if isinstance(record, Damage):
            notes.append(f"{source.name}: damaged at byte {record.offset}: {record.error}")
        elif record.kind in ("response", "resource") and record.content_kind == "html":
            yield read_page(
                record,
                source=source.name,
                screen=None,
                guard=guard,
                floor=None,
                clock=clock,
            )


def page_json(page: Page) -> dict[str, Any]:
    """A page's line: its URL, then the document's own JSON form."""
    if page.document is None:
        raise ValueError(f"{page.url}: was not extracted")
    return {"url": page.url, **document_to_json(page.document)}
