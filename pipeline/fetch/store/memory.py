"""What is remembered of fetches, so that nothing is asked for twice: one store for all builds.

    with memory.writing("unit-17") as unit:      # commits when the block ends well
        unit.add(fetched)
    found = memory.lookup(keys)                   # url_key -> what became of it last
    data = memory.read(found[key])                # the bytes as they came, hash checked

A unit is what one worker fetched together, some hundred URLs. It commits one tar of the bytes that
came, each content once, and then one file of rows; nothing is ever changed in place, no two
attempts give the same name, and there is no lock: any number of processes may write, read and
merge at once. What a process that died had not committed is not there; at worst a pack without
rows stays, which `verify` names.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

import numpy as np

from openm3w.errors import OutputError
from openm3w.pipeline.fetch.store import compacting, contents, tombstones, verifying
from openm3w.pipeline.fetch.store.blobs import Blobs
from openm3w.pipeline.fetch.store.compacting import MAX_FILES, MIN_FILES, Compacted
from openm3w.pipeline.fetch.store.contents import Places
from openm3w.pipeline.fetch.store.ledger import Ledger
from openm3w.pipeline.fetch.store.marker import check, mark
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE, Remembered, key_of, plain, values_of
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.fetch.store.verifying import Mended, Stats, Verified
from openm3w.pipeline.fetch.store.writing import Writing
from openm3w.pipeline.images.packs import Place


class Memory:
    """A store of fetches at a URI; for threads at once, and picklable by its URI."""

    def __init__(self, blobs: Blobs, clock: Callable[[], float] = time.time) -> None:
        self.blobs = blobs
        self._clock = clock
        self._ledger = Ledger(blobs)
        self._places = Places()
        self._buried: frozenset[str] = frozenset()
        self._tombstones = Tombstones()
        self._lock = threading.RLock()
        self._looking = threading.Lock()

    @classmethod
    def open(cls, uri: str, *, clock: Callable[[], float] = time.time) -> Self:
        """The store at a folder or at any URI that fsspec knows; it may be empty.

        Raises:
            InputError: no store can be at this URI.
            MissingError: the package for its protocol is not installed.
            OutputError: what is there is no store, or of another version, or cannot be read.
        """
        blobs = Blobs.open(uri)
        check(blobs)
        return cls(blobs, clock)

    def __reduce__(self) -> tuple[Any, ...]:
        return _reopened, (self.blobs.uri, self._clock)

    def lookup(self, keys: Iterable[str]) -> dict[str, Remembered]:
        """What became last of those of these canonical URLs that are known, by key.

        Sees what was committed before the call. A buried address is always known, as dropped for
        a tombstone and without bytes. Costs a listing of the store, and reads a part of the ledger
        for each range of keys asked for: batches of one range (`shard_of`) read least.

        Raises:
            OutputError: the store cannot be read, or a file of rows is damaged: what that knew
                is never taken for never fetched.
        """
        asked = {plain(key): key for key in keys}
        hashes = np.unique(np.fromiter(map(key_of, asked), np.uint64, len(asked)))
        with self._lock:
            buried = self.tombstones()
            rows = self._ledger.find(hashes) if asked else None
        found: dict[str, Remembered] = {}
        for row in values_of(rows) if rows is not None else ():
            key = asked.get(row.url_key)
            if key is None:
                continue
            if key not in found or _learned(found[key]) < _learned(row):
                found[key] = row
        for key, row in found.items():
            if buried.covers_content(row.sha256):
                found[key] = _tombstone(row)
            elif row.sha256:
                place = Place(row.pack, row.offset, row.length, row.sha256)
                self._places.learn(row.sha256, place, sure=False)
        for key in (key for key in asked.values() if buried.covers(key)):
            row = found.get(key, Remembered(url_key=key, url=key, outcome="dropped"))
            found[key] = _tombstone(row)
        return found

    @contextmanager
    def writing(self, unit: str) -> Iterator[Writing]:
        """A unit to add to, committed when the block ends well, and gone where it does not.

        Raises:
            ValueError: the unit's name has other characters than letters, digits, - and _.
            OutputError: the store cannot be written or is full; nothing of the unit is visible.
        """
        mark(self.blobs)
        with self._lock:
            buried = self.tombstones()
        one = Writing(
            self.blobs,
            unit,
            places=self._places,
            tombstones=buried,
            holds=self._holds,
            clock=self._clock,
        )
        try:
            yield one
        except BaseException:
            one.abandon()
            raise
        one.commit()

    def read(self, remembered: Remembered) -> bytes:
        """The bytes of a URL as they came.

        Raises:
            KeyError: it has none.
            OutputError: they are buried, damaged or missing.
        """
        return next(self.read_many([remembered]))[1]

    def read_many(self, many: Iterable[Remembered]) -> Iterator[tuple[Remembered, bytes]]:
        """Each with its bytes, in the order in which they lie: neighbours come by one request.

        Raises:
            KeyError: one has no bytes.
            OutputError: the bytes of one are buried, damaged or missing.
        """
        with self._lock:
            buried = self.tombstones()
        for one, data in contents.read_each(self.blobs, (_readable(o, buried) for o in many)):
            if isinstance(data, OutputError):
                raise data
            yield one, data

    def tombstones(self) -> Tombstones:
        """What is buried at this moment: a listing, and all files of it where one came.

        Waits for nothing else that is read of the store.

        Raises:
            OutputError: a file of tombstones is damaged or cannot be read.
        """
        with self._looking:
            names = tombstones.names(self.blobs)
            if names != self._buried:
                self._tombstones, self._buried = Tombstones.load(self), names
            return self._tombstones

    def bury(self, entries: Iterable[str]) -> int:
        """Forbids URLs, domains and contents for ever; how many of them were not yet buried.

        Raises:
            InputError: an entry is none of these; nothing is buried then.
            OutputError: the store cannot be written.
        """
        mark(self.blobs)
        with self._lock:
            return tombstones.bury(self.blobs, entries, self.tombstones())

    def compact(self, *, min_files: int = MIN_FILES, full: bool = False) -> Compacted:
        """Merges small files of rows; safe beside everything else. Packs stay as they are.

        Raises:
            OutputError: the store cannot be read or written, or a file of rows is damaged.
        """
        with self._lock:
            compacting.sweep(self.blobs)
            waiting = len(self._ledger.state().loose)
            done = compacting.compact(self.blobs, self._ledger, min_files=min_files, full=full)
            before = done.files_before
            # What came since stays for the next time, so that a busy store does not hold us.
            for _ in range(MAX_FILES, waiting, MAX_FILES):
                more = compacting.compact(self.blobs, self._ledger, min_files=min_files, full=full)
                done = more if more.rows else done
        return replace(done, files_before=before)

    def stats(self) -> Stats:
        """How many URLs are remembered, by outcome, and what they take; reads the whole ledger.

        Raises:
            OutputError: the store cannot be read, or a file of rows is damaged.
        """
        with self._lock:
            return verifying.stats(self.blobs, self._ledger)

    def verify(self) -> Verified:
        """Reads everything against its hashes.

        Raises:
            OutputError: the store cannot be read.
        """
        with self._lock:
            return verifying.verify(self.blobs, self._ledger)

    def mend(self) -> Mended:
        """Forgets what is damaged, so that it is fetched again; for a store that nobody writes.

        Raises:
            OutputError: the store cannot be read or written.
        """
        with self._lock:
            self._places = Places()  # some of them may be what is mended
            return verifying.mend(self.blobs, self._ledger, self._clock())

    def _holds(self, place: Place, sha256: str) -> bool:
        """Whether a place really has a content, by reading it."""
        one = Remembered(url_key="", url="", outcome="fetched", sha256=sha256, pack=place.pack,
                         offset=place.offset, length=place.length)  # fmt: skip
        return all(isinstance(d, bytes) for _, d in contents.read_each(self.blobs, [one]))


def _reopened(uri: str, clock: Callable[[], float]) -> Memory:
    return Memory.open(uri, clock=clock)


def _learned(row: Remembered) -> tuple[str, str]:
    return row.at, row.origin


def _tombstone(row: Remembered) -> Remembered:
    return replace(row, outcome="dropped", reason=TOMBSTONE, sha256="", pack="", offset=0, length=0)


def _readable(one: Remembered, buried: Tombstones) -> Remembered:
    if one.reason == TOMBSTONE or buried.covers(one.url_key) or buried.covers_content(one.sha256):
        raise OutputError(f"{one.url}: has a tombstone; its bytes are not given out")
    if not one.sha256:
        raise KeyError(f"{one.url}: {one.outcome} ({one.reason}), so there are no bytes")
    return one
