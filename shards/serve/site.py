"""What a server shows: the datasets that were opened, and what is known of them so far."""

import sqlite3
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Self

from openm3w.errors import OpenM3WError
from openm3w.shards import funnel
from openm3w.shards.catalog.dropped import dropped_of
from openm3w.shards.catalog.facts import Facts
from openm3w.shards.catalog.numbered import Shown
from openm3w.shards.catalog.opening import open_any
from openm3w.shards.catalog.query import Query
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.funnel import Stage
from openm3w.shards.manifest import Manifest
from openm3w.shards.search.questions import Searcher

KEPT, OTHER, DROPPED = "kept", "other", "dropped"
"""Names of the collections, as they stand in addresses: the dataset, the one that it is compared
with, and a build's sample of what it dropped."""


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far the reading of facts is; written by one thread, read by others."""

    done: int = 0
    total: int = 0
    finished: bool = False
    faults: tuple[str, ...] = ()
    """One line for each thing that could not be read."""

    def __call__(self, done: int, total: int) -> None:
        self.done, self.total = done, total


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Collection:
    """Documents by number, and the facts of those that were read so far."""

    name: str
    title: str
    manifests: tuple[Manifest, ...]
    catalog: Catalog
    facts: Facts
    progress: Progress = field(default_factory=Progress)

    @classmethod
    def open(cls, name: str, manifests: Sequence[Manifest]) -> Self:
        """Opens the datasets of `manifests`, reading nothing but them.

        Raises:
            InputError: there are no samples in them.
        """
        return cls(
            name=name,
            title=" + ".join(dict.fromkeys(m.name for m in manifests)),
            manifests=tuple(manifests),
            catalog=Catalog(manifests),
            facts=Facts.open(manifests),
        )

    @property
    def folder(self) -> str:
        """Names of the folders, which tell apart what has one name."""
        return " + ".join(dict.fromkeys(m.root.resolve().name for m in self.manifests))

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The funnel of the build that wrote this one dataset; () where it left none."""
        return stages_of(self.manifests[0]) if len(self.manifests) == 1 else ()

    def counts(self, column: str, query: Query) -> Sequence[tuple[str, int]]:
        """Documents that a query finds by a column of the facts, the most frequent first."""
        return _counts(self.facts, column, query, self.progress.done)

    def found(self, query: Query) -> Sequence[int]:
        """Numbers of all documents that a query finds, ascending."""
        return _numbers(self.facts, query, self.progress.done)

    def beside(self, number: int, by: int, query: Query) -> int | None:
        """The document after (`by` 1) or before (-1) this one, of those that a query finds."""
        if not query:
            shown = self.catalog.step(number + by, by)
            return None if shown is None else shown.number - 1
        numbers = self.found(query)
        at = bisect_right(numbers, number) if by > 0 else bisect_left(numbers, number) - 1
        return numbers[at] if 0 <= at < len(numbers) else None

    def read(self, number: int) -> Shown | None:
        """A document by its number; None where there is none or it is on the exclude list."""
        if not 0 <= number < len(self.catalog):
            return None
        shown = self.catalog.step(number, 1)
        return shown if shown is not None and shown.number == number + 1 else None

    def fill(self, stop: Callable[[], bool]) -> None:
        """Reads the facts that are not read yet; what cannot be read the pages tell."""
        progress = self.progress
        try:
            progress.finished = self.facts.fill(progress, stop)
            progress.faults = self.facts.faults
        except (OpenM3WError, OSError, sqlite3.Error) as error:
            # A full disk, or a cache that somebody removed: pages by number go on.
            progress.finished = True
            progress.faults = (f"filters and numbers cannot be read: {error}",)
        finally:
            self.facts.close()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Site:
    """All that the pages are made of."""

    kept: Collection
    other: Collection | None = None
    dropped: Collection | None = None
    searcher: Searcher | None = None

    @property
    def collections(self) -> Mapping[str, Collection]:
        """Those that are there, by name."""
        every = (self.kept, self.other, self.dropped)
        return {each.name: each for each in every if each is not None}

    def with_searcher(self, searcher: Searcher) -> Self:
        """The same site, which answers by meaning too."""
        return replace(self, searcher=searcher)

    def start_filling(self) -> Callable[[], None]:
        """Reads facts in a thread, one collection after the other; the result ends that."""
        stop = threading.Event()

        def run() -> None:
            # The small ones first: what was dropped need not wait for all that was kept.
            for collection in sorted(self.collections.values(), key=lambda each: len(each.catalog)):
                collection.fill(stop.is_set)

        thread = threading.Thread(target=run, name="facts", daemon=True)
        thread.start()

        def end() -> None:
            stop.set()
            thread.join()

        return end


def open_site(where: str, *, compare: str | None = None, dropped: str | None = None) -> Site:
    """Opens a manifest, a folder, a mixture or a tar, and what it is compared with.

    Without `dropped` the sample of dropped documents is looked for where a build leaves it.

    Raises:
        InputError: one of them is not there, or empty.
        ShardError: a manifest is damaged.
    """
    manifests = open_any(where)
    left_out = open_any(dropped) if dropped is not None else tuple(dropped_of(manifests))
    return Site(
        kept=Collection.open(KEPT, manifests),
        other=None if compare is None else Collection.open(OTHER, open_any(compare)),
        dropped=Collection.open(DROPPED, left_out) if left_out else None,
    )


def stages_of(found: Manifest) -> tuple[Stage, ...]:
    """The stages that a build noted in its manifest; () where there are none that add up."""
    try:
        stages = tuple(funnel.from_json(value) for value in found.counts.get("stages") or ())
        funnel.check_chain(stages)
    except (TypeError, ValueError):
        return ()
    return stages


@lru_cache(maxsize=256)
def _counts(facts: Facts, column: str, query: Query, done: int) -> Sequence[tuple[str, int]]:
    del done  # see `_numbers`
    return facts.counts(column, query)


@lru_cache(maxsize=64)
def _numbers(facts: Facts, query: Query, done: int) -> Sequence[int]:
    del done  # of which what is found depends while shards are still read
    return facts.numbers(query)
