"""Bytes in packs: which place a content has already, and reading many with few requests."""

import hashlib
import itertools
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from openm3w.errors import OutputError
from openm3w.pipeline.fetch.store.blobs import Blobs
from openm3w.pipeline.fetch.store.remembered import Remembered
from openm3w.pipeline.images.packs import Place

PACKS = "packs"
_GAP = 1 << 16
"""Bytes that are read in vain rather than asked around: some ms of a stream, less than a request
to an object store takes (ours)."""
_MAX_RANGE = 16 << 20
"""Bytes of one request at most (ours)."""
_AT_ONCE = 64 << 20
"""Bytes of requests under way together (ours)."""
_WINDOW = 4096
"""Contents that are put in order together before they are read (ours)."""
_PLACES = 1 << 16
"""Contents whose places are kept at hand: some 20 MB (ours)."""


class Places:
    """Where contents are that this process has written or heard of; for threads at once.

    Only those: to know all would cost a look-up in the ledger by hash for every picture. What
    repeats most is found all the same: a placeholder that many addresses give within one run, and
    a picture that is fetched again and has not changed.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, tuple[Place, bool]] = OrderedDict()
        self._lock = threading.Lock()

    def learn(self, sha256: str, place: Place, *, sure: bool) -> None:
        """Keeps a place; `sure` where the bytes are known to be there undamaged."""
        with self._lock:
            if sure or not self._known.get(sha256, (place, False))[1]:
                self._known[sha256] = (place, sure)
                self._known.move_to_end(sha256)
            if len(self._known) > _PLACES:
                self._known.popitem(last=False)

    def find(self, sha256: str) -> tuple[Place, bool] | None:
        """The place of a content, and whether it is sure."""
        return self._known.get(sha256)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring contents of a pack that one request reads."""

    pack: str
    start: int
    end: int
    wanted: tuple[Remembered, ...]


def stretches(wanted: Iterable[Remembered]) -> Iterator[Stretch]:
    """Requests for these contents, in the order in which they lie."""
    ordered = sorted(wanted, key=lambda one: (one.pack, one.offset))
    for pack, group in itertools.groupby(ordered, key=lambda one: one.pack):
        together: list[Remembered] = []
        start = end = 0
        for one in group:
            stop = one.offset + one.length
            far = one.offset > end + _GAP or max(stop, end) - start > _MAX_RANGE
            if together and far:
                yield Stretch(pack, start, end, tuple(together))
                together = []
            if not together:
                start = end = one.offset
            together.append(one)
            end = max(end, stop)
        yield Stretch(pack, start, end, tuple(together))


def read_each(
    blobs: Blobs, wanted: Iterable[Remembered]
) -> Iterator[tuple[Remembered, bytes | OutputError]]:
    """Each content with its bytes, or with the one line on why they cannot be had."""
    remaining = iter(wanted)
    while window := list(itertools.islice(remaining, _WINDOW)):
        batch: list[Stretch] = []
        size = 0
        for stretch in stretches(window):
            if batch and size + stretch.end - stretch.start > _AT_ONCE:
                yield from _read_batch(blobs, batch)
                batch, size = [], 0
            batch.append(stretch)
            size += stretch.end - stretch.start
        yield from _read_batch(blobs, batch)


def _read_batch(
    blobs: Blobs, batch: Sequence[Stretch]
) -> Iterator[tuple[Remembered, bytes | OutputError]]:
    ranges = [(f"{PACKS}/{s.pack}", s.start, s.end) for s in batch]
    try:
        read: Sequence[bytes | OutputError] = blobs.read_ranges(ranges)
    except (FileNotFoundError, OutputError):
        read = [_read_one(blobs, *asked) for asked in ranges]
    for stretch, data in zip(batch, read, strict=True):
        for one in stretch.wanted:
            if isinstance(data, OutputError):
                yield one, data
            else:
                at = one.offset - stretch.start
                yield one, _checked(blobs, one, data[at : at + one.length])


def _read_one(blobs: Blobs, name: str, start: int, end: int) -> bytes | OutputError:
    try:
        return blobs.read_ranges([(name, start, end)])[0]
    except FileNotFoundError as error:
        return OutputError(f"{error}: missing; {_REFETCH}")
    except OutputError as error:
        return error


def _checked(blobs: Blobs, one: Remembered, data: bytes) -> bytes | OutputError:
    if hashlib.sha256(data).hexdigest() == one.sha256:
        return data
    what = "shorter than its ledger says" if len(data) < one.length else "damaged"
    where = f"{blobs.where(PACKS)}/{one.pack}"
    return OutputError(f"{where}: {what} at {one.offset} of {one.url}; {_REFETCH}")


_REFETCH = "mend the store, and fetch what failed again"
