"""`m3w extract`: pages to JSON lines, without Beam, images or filters."""

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

from openm3w import recipe as recipes
from openm3w.errors import InputError, OutputError, RecipeError
from openm3w.filters.screen import Screen
from openm3w.pipeline import saved
from openm3w.pipeline.archive import Damage, Record, read_records
from openm3w.pipeline.extracted import Extracted
from openm3w.pipeline.extraction.extract import Extraction
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.pipeline.extraction.urls import resolve_url
from openm3w.pipeline.guard import Guard
from openm3w.pipeline.local import unreadable_file
from openm3w.pipeline.page import Clock, Page, read_page
from openm3w.pipeline.recipe import Extract
from openm3w.pipeline.sources import Source, Sources, find_sources, looks_like_archive
from openm3w.shards import commit
from openm3w.shards.sample import document_to_json

_SOMEWHERE = "https://a.example/"

MAX_REMEMBERED = 2_000
"""Addresses among which the nearest to a wrong one is looked for; each costs some 100 us."""

Write = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which pages of the input are wanted."""

    page: str = ""
    """The page at this address; files are also known by their path, those without one by name."""
    contains: str = ""
    """Pages whose address has this text in it."""
    url: str = ""
    """Where the only page, an HTML file, stood."""

    def takes(self, name: str, path: Path) -> bool:
        """Whether the page `name` of the file at `path` is wanted."""
        return self.contains in name and (self.page in ("", name) or Path(self.page) == path)


class Form(Protocol):
    """How pages are written."""

    def page(self, page: Page, found: Extraction) -> str:
        """What is written of a page, "" where nothing is."""

    def end(self, counts: Extracted) -> str:
        """What is written after the last."""


class Lines:
    """One JSON line for each page that has any text or image."""

    def page(self, page: Page, found: Extraction) -> str:
        del found
        if page.outcome != "kept":
            return ""
        return json.dumps(page_json(page), ensure_ascii=False) + "\n"

    def end(self, counts: Extracted) -> str:
        del counts
        return ""


def extract_pages(
    inputs: Sequence[str],
    output: Path | Write,
    engine: str,
    *,
    choice: Choice | None = None,
    form: Form | None = None,
    progress: Callable[[Extracted], None] = lambda _: None,
) -> Extracted:
    """Writes what `form` makes of each page: of HTML files, archives, and folders of either.

    `output` is a file, which appears whole or not at all, or a function that takes each piece.

    Raises:
        InputError: an input is missing or neither page nor archive, or no page is as chosen.
        OutputError: the output cannot be written, or is an input.
        RecipeError: there is no such engine, or `choice.url` does not fit the input.
    """
    choice, form = choice or Choice(), form or Lines()
    settings = recipes.decode(Extract, {"engine": engine}, "--engine")
    sources = _find_sources(inputs, choice)
    counts, passed = Extracted(skipped=sources.skipped), list[str]()
    counts.unreadable, counts.notes = len(sources.unreadable), [*sources.unreadable]
    started = time.perf_counter()
    with _opened(output, sources.archives) as write, _WatchedGuard(settings) as guard:
        for record, address, source in _chosen(sources.archives, choice, counts, passed):
            page = _placed(_read(record, source, guard), address)
            counts.add(page, homeless=_homeless(guard.found, record))
            if text := form.page(page, guard.found):
                write(text)
            counts.seconds = time.perf_counter() - started
            progress(counts)
        if not counts.pages:
            raise InputError(_no_page(choice, counts, passed))
        if text := form.end(counts):
            write(text)
    return counts


def page_json(page: Page) -> dict[str, Any]:
    """A page's line: its URL, then the document's own JSON form."""
    if page.document is None:
        raise ValueError(f"{page.url}: was not extracted")
    return {"url": page.url, **document_to_json(page.document)}


def _find_sources(inputs: Sequence[str], choice: Choice) -> Sources:
    named = {Path(value) for value in inputs}

    def accepts(path: Path) -> bool:
        # In a folder first bytes are not asked: fragments and drawings begin as pages do.
        by_name = saved.has_page_name(path) or looks_like_archive(path)
        return by_name or (path in named and saved.looks_like_page(path))

    found = find_sources(inputs, accepts=accepts, what="page or archive", option="")
    if choice.url and (len(found.archives) > 1 or _is_archive(found.archives[0])):
        raise RecipeError("--url says where one page stood: name one HTML file with it")
    return found


def _is_archive(source: Source) -> bool:
    return not saved.has_page_name(source.path) and looks_like_archive(source.path)


@contextlib.contextmanager
def _opened(output: Path | Write, sources: Iterable[Source]) -> Iterator[Write]:
    if not isinstance(output, Path):
        yield output
        return
    if output.exists() and any(output.samefile(source.path) for source in sources):
        raise OutputError(f"{output}: is one of the inputs; choose another --output")
    commit.check_place(output)
    with commit.committed(output, through_link=True) as file:

        def write(text: str) -> None:
            file.write(text.encode("utf-8", "replace"))

        yield write


def _chosen(
    sources: Iterable[Source], choice: Choice, counts: Extracted, passed: list[str]
) -> Iterator[tuple[Record, str, Source]]:
    """Pages that are wanted, with the address of each; `passed` gets those of the first others."""
    for source in sources:
        for record, address in _records(source, choice.url, counts):
            name = address or source.name
            if not choice.takes(name, source.path):
                counts.passed += 1
                passed.extend([name] if len(passed) < MAX_REMEMBERED else [])
                continue
            yield record, address, source


def _records(source: Source, url: str, counts: Extracted) -> Iterator[tuple[Record, str]]:
    max_body = Screen().max_bytes
    try:
        page = None
        if not _is_archive(source):
            page = saved.read_saved(source, url=url, max_body=max_body)
    except OSError as error:  # it could be read a moment ago
        counts.unreadable += 1
        counts.notes.append(unreadable_file(source.path, error))
        return
    if page and (kind := saved.other_kind(page.record.body)):
        counts.unreadable += 1
        counts.notes.append(f"{source.path}: is {kind}, whatever its name says")
        return
    if page:
        yield page.record, page.address
        return
    for record in read_records(source.path, max_body=max_body):
        if isinstance(record, Damage):
            damage = f"{source.name}: damaged at byte {record.offset:,}: {record.error}"
            counts.notes.append(damage)
        elif record.kind in ("response", "resource") and record.content_kind == "html":
            yield record, record.url


class _WatchedGuard(Guard):
    """Remembers what was found on the last page; a page itself carries no images left out."""

    found = Extraction()

    def extract(self, html: str, url: str) -> Extraction:
        self.found = super().extract(html, url)
        return self.found


def _read(record: Record, source: Source, guard: _WatchedGuard) -> Page:
    guard.found = Extraction()
    return read_page(
        record, source=source.name, screen=None, guard=guard, floor=None, clock=Clock()
    )


def _homeless(found: Extraction, record: Record) -> int:
    """Images that were left out only because it is not known where their page stood."""
    if record.url != saved.UNKNOWN:
        return 0
    without = (item.url for item in found.left_out if item.reason == Reason.NO_URL)
    return sum(bool(resolve_url(_SOMEWHERE, address)[0]) for address in without)


def _placed(page: Page, address: str) -> Page:
    """The page under its own address, which may not be the base that it was read with."""
    document = page.document and replace(page.document, url=address)
    return replace(page, url=address, document=document)


def _no_page(choice: Choice, counts: Extracted, passed: list[str]) -> str:
    if not passed:
        notes = "; ".join(counts.notes)
        return f"no HTML page in the input{': ' if notes else ''}{notes}"
    one = counts.passed == 1
    none = f"the only page, {passed[0]}," if one else f"none of the {counts.passed:,} pages"
    if not choice.page:
        return f"{none} has {'no ' if one else ''}{choice.contains!r} in its address"
    if one:
        return f"{none} is not at {choice.page}"
    near = get_close_matches(choice.page, passed, n=1, cutoff=0.0)
    return f"{none} is at {choice.page}; the nearest is {near[0]}"
