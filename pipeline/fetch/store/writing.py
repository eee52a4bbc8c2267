"""One unit of fetches on its way into the store: bytes first, rows last."""

import contextlib
import hashlib
import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from openm3w.errors import OutputError
from openm3w.filters.url import url_key
from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.pipeline.fetch.store.blobs import Blobs
from openm3w.pipeline.fetch.store.compacting import parquet
from openm3w.pipeline.fetch.store.contents import PACKS, Places
from openm3w.pipeline.fetch.store.ledger import ROWS
from openm3w.pipeline.fetch.store.remembered import (
    TOMBSTONE,
    Remembered,
    moment,
    moment_of,
    remembered_of,
    row_of,
    table_of,
)
from openm3w.pipeline.fetch.store.runs import digest
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.fetch.wishes.signals import of_site
from openm3w.pipeline.images.packs import PackWriter, Place

UNIT = re.compile(r"[A-Za-z0-9_-]{1,100}")
"""Names of units, which stand in those of files."""


class _Abandoned(Exception):  # noqa: N818 - carried through `committed`, never seen
    """The block that writes a unit ended in an error."""


class Writing:
    """What a unit has so far; for one thread at a time. `Memory.writing` makes and commits it."""

    def __init__(
        self,
        blobs: Blobs,
        unit: str,
        *,
        places: Places,
        tombstones: Tombstones,
        holds: Callable[[Place, str], bool],
        clock: Callable[[], float],
    ) -> None:
        if not UNIT.fullmatch(unit):
            raise ValueError(f"unit: {unit!r}, expected letters, digits, - and _, at most 100")
        self._blobs = blobs
        self._places = places
        self._tombstones = tombstones
        self._holds = holds
        self._clock = clock
        # In the order of beginning, so that of two fetches in one second the later one counts.
        self._origin = f"{int(clock() * 1e6):014x}{uuid.uuid4().hex[:12]}.{unit}"
        self._rows: dict[str, dict[str, Any]] = {}
        self._stored: dict[str, Place] = {}
        self._pack: PackWriter | None = None
        self._file = contextlib.ExitStack()
        self._broken = False

    def add(self, fetched: Fetched, known: Remembered | None = None) -> Remembered:
        """Takes what became of a URL into the unit; of two on one URL the second counts.

        What is buried by address, final address or content becomes a tombstone without bytes.
        The place of the bytes holds once the unit is committed. `known`: what was remembered of
        the URL before. Its bytes stay where asking again failed for something that passes.

        Raises:
            OutputError: the store is full; the unit cannot be committed any more.
        """
        sha256 = hashlib.sha256(fetched.data).hexdigest() if fetched.outcome == "fetched" else ""
        if self._refuses(fetched, sha256):
            fetched = replace(fetched, outcome="dropped", reason=TOMBSTONE, data=b"")
            sha256 = ""
        key, at = url_key(fetched.url), moment_of(fetched.fetched_at) or moment(self._clock())
        if known is not None and known.sha256 and fetched.passes:
            said = tuple(dict.fromkeys((*known.signals, *of_site(fetched.signals))))
            # Where the picture itself was asked for once more, its site was heard before.
            heard = fetched.wishes if fetched.final_url == known.final_url else ()
            wishes = tuple(dict.fromkeys((*known.wishes, *heard)))
            kept = replace(known, at=at, origin=self._origin, signals=said, wishes=wishes)
        else:
            place = self._place(sha256, fetched.data) if sha256 else None
            kept = remembered_of(fetched, place, url_key=key, at=at, origin=self._origin)
        self._rows[key] = row_of(kept)
        return kept

    def _refuses(self, fetched: Fetched, sha256: str) -> bool:
        return (
            self._tombstones.covers(fetched.url)
            or bool(fetched.final_url and self._tombstones.covers(fetched.final_url))
            or bool(sha256 and self._tombstones.covers_content(sha256))
        )

    def _place(self, sha256: str, data: bytes) -> Place:
        """Where the bytes are: in this pack, in an older one that is seen to hold them, or new."""
        if sha256 in self._stored:
            return self._stored[sha256]
        known = self._places.find(sha256)
        if known is not None:
            place, sure = known
            if sure or self._holds(place, sha256):
                self._places.learn(sha256, place, sure=True)
                return place
        try:
            place = self._stored[sha256] = self._packed().add(sha256, data)
        except OSError as error:
            self._broken = True
            raise self._blobs.unwritable(f"{PACKS}/{self._origin}.tar", error) from error
        return place

    def _packed(self) -> PackWriter:
        if self._pack is None:
            name = f"{self._origin}.tar"
            file = self._file.enter_context(self._blobs.writing(f"{PACKS}/{name}"))
            self._pack = PackWriter(file, name, suffix="")
        return self._pack

    def commit(self) -> None:
        """Makes the unit visible: its pack, then the file of its rows.

        Raises:
            OutputError: the store cannot be written or is full; no row of the unit is there.
        """
        if self._broken:
            self.abandon()
            raise OutputError(
                f"{self._blobs.where(PACKS)}/{self._origin}.tar: is not whole; run the same "
                "command again"
            )
        if self._pack is not None:
            try:
                self._pack.close()
            except OSError as error:
                self.abandon()
                raise self._blobs.unwritable(f"{PACKS}/{self._origin}.tar", error) from error
        self._file.close()
        if self._rows:
            data = parquet(table_of(self._rows.values()), group_rows=len(self._rows))
            self._blobs.put(f"{ROWS}/{self._origin}.{digest(data)}.parquet", data)
        for sha256, place in self._stored.items():
            self._places.learn(sha256, place, sure=True)

    def abandon(self) -> None:
        """Leaves nothing of the unit behind; raises nothing, since an error is on its way."""
        error = _Abandoned()
        with contextlib.suppress(_Abandoned, OutputError):
            self._file.__exit__(_Abandoned, error, None)
