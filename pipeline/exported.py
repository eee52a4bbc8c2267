"""What of a build's store is read again when its shards are written once more, and what is not."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openm3w.pipeline.fetch.store.opening import FETCHED
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.store import Folder
from openm3w.shards.sample import document_from_json
from openm3w.shards.uris import shown

STORED = "stored"
"""Key, beside a build's identity, of where its store has what `m3w shards export` reads."""


def stored(store: Path, **folders: Folder) -> dict[str, str]:
    """Where a build's store has the folders of jobs that `m3w shards export` reads, by name."""
    return {name: folder.root.relative_to(store).as_posix() for name, folder in folders.items()}


def folder_at(store: Path, place: str) -> Folder:
    """A folder that `stored` noted."""
    root = store / place
    return Folder.of(root.parent, root.name)


def fetched_elsewhere(fetched: str, store: Path, origin: Path) -> str:
    """Where fetches are remembered outside of a build's store, without a password; else "".

    `origin`: where relative paths begin.
    """
    if fetched == str(store / FETCHED):
        return ""
    return shown(fetched) if "://" in fetched else str(origin / fetched)


def fetched_of(store: Path, beside: Mapping[str, Any]) -> str:
    """The URI of what a build remembers of fetches, by what is noted beside its identity."""
    return str(beside.get("fetched") or store / FETCHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Without(Folder):
    """A job's folder, some samples left out of its tables; its sidecars still count them."""

    left_out: frozenset[str]
    """Ids."""

    def rows(
        self, unit: str, columns: Sequence[str] | None = None, suffix: str = "parquet"
    ) -> Iterator[dict[str, Any]]:
        for row in Folder.rows(self, unit, columns, suffix):
            if row["doc_id"] not in self.left_out:
                yield row


def buried(
    selected: Folder,
    units: Sequence[str],
    packs: Folder,
    pack_units: Sequence[str],
    tombstones: Tombstones,
) -> frozenset[str]:
    """Ids of kept samples with an image that is buried now.

    By the image's address, or by the hash of its bytes as they are stored or as they were fetched.

    Raises:
        OutputError: a table of the store is missing or damaged.
    """
    if not len(tombstones):
        return frozenset()
    places = {place for unit in pack_units for place in _buried_places(packs, unit, tombstones)}
    return frozenset(
        row["doc_id"]
        for unit in units
        for row in selected.rows(unit, ["doc_id", "document", "originals"])
        if _is_buried(row, places, tombstones)
    )


def _buried_places(
    packs: Folder, unit: str, tombstones: Tombstones
) -> Iterator[tuple[str | None, int | None]]:
    if not tombstones.sha256:
        return
    hashes, place = ("sha256", "original_sha256"), ("original_pack", "original_offset")
    for row in packs.rows(unit, [*hashes, *place]):
        if any(row[name] and tombstones.covers_content(row[name]) for name in hashes):
            yield row[place[0]], row[place[1]]


def _is_buried(
    row: Mapping[str, Any],
    places: set[tuple[str | None, int | None]],
    tombstones: Tombstones,
) -> bool:
    images = document_from_json(json.loads(row["document"])).images
    if any(tombstones.covers(image.url) for image in images):
        return True
    return any(place and tuple(place[:2]) in places for place in json.loads(row["originals"]))
