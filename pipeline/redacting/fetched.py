"""What is remembered of fetches, without what is buried: rows, bytes, and what nobody names more.

Safe beside readers: files of rows are replaced by others, as a merge does it, and a pack by one of
the same size in which the bytes of others lie where they lay. Not beside fetchers of the same
addresses; those heed the tombstones, which are there before.
"""

import io
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from openm3w.pipeline.fetch.store.blobs import Blobs
from openm3w.pipeline.fetch.store.compacting import parquet, write_part
from openm3w.pipeline.fetch.store.contents import PACKS
from openm3w.pipeline.fetch.store.ledger import MERGED, ROWS, RUNS, Ledger
from openm3w.pipeline.fetch.store.remembered import SCHEMA
from openm3w.pipeline.fetch.store.runs import Part, Run, State, digest, named, run_json
from openm3w.pipeline.redacting import packs
from openm3w.pipeline.redacting.meant import Meant
from openm3w.pipeline.redacting.tables import Row

_ALL = (1 << 64) - 1
_READ = ("url_key", "url", "final_url", "wishes", "sha256", "pack")
_SETTLED = 86_400.0
"""Seconds after which a pack without rows is not one whose unit is still to commit them (ours)."""


def purge(blobs: Blobs, meant: Meant) -> int:
    """Takes what is meant out of a store of fetches; how many rows went.

    Bytes first, since the rows say where they are.

    Raises:
        OutputError: the store cannot be read or written, or a file of rows is damaged.
    """
    ledger = Ledger(blobs)
    state = ledger.state()
    gone: dict[str, set[str]] = defaultdict(set)
    left: dict[str, set[str]] = defaultdict(set)
    for row in _rows(ledger, state):
        if row["sha256"]:
            (gone if _is_meant(row, meant) else left)[row["pack"]].add(row["sha256"])
    for pack, hashes in gone.items():
        _blank(blobs, pack, hashes - left[pack])
    _blank_unnamed(blobs, {**gone, **left})
    number = sum(_replace_loose(blobs, ledger, name, meant) for name in state.loose)
    return number + sum(_replace_run(blobs, ledger, run, meant) for run in state.runs)


def _is_meant(row: Row, meant: Meant) -> bool:
    addresses = (row["url_key"], row["url"], row["final_url"], *row["wishes"])
    if row["url_key"] in meant.keys or meant.content(row["sha256"]):
        return True
    return any("://" in url and meant.tombstones.covers(url) for url in addresses if url)


def _rows(ledger: Ledger, state: State) -> Iterator[Row]:
    """All rows, old ones too."""
    for table in ledger.loose_tables(state.loose, list(_READ)):
        yield from table.to_pylist()
    for part in (part for run in state.runs for part in run.parts if part.rows):
        yield from ledger.between(part, 0, _ALL, ["key", *_READ]).to_pylist()


def _without(table: Any, meant: Meant) -> Any:
    stays = [not _is_meant(row, meant) for row in table.select(list(_READ)).to_pylist()]
    return table if all(stays) else table.filter(stays)


def _replace_loose(blobs: Blobs, ledger: Ledger, name: str, meant: Meant) -> int:
    (table,) = ledger.loose_tables([name])
    left = _without(table, meant)
    if left.num_rows == table.num_rows:
        return 0
    if left.num_rows:
        data = parquet(left, group_rows=left.num_rows)
        origin = name.removesuffix(".parquet").rpartition(".")[0]
        blobs.put(f"{ROWS}/{origin}.{digest(data)}.parquet", data)
    blobs.remove([f"{ROWS}/{name}"])
    return int(table.num_rows - left.num_rows)


def _replace_run(blobs: Blobs, ledger: Ledger, run: Run, meant: Meant) -> int:
    identity, number = uuid.uuid4().hex, 0
    parts: list[Part] = []
    for at, part in enumerate(run.parts):
        if not part.rows:
            parts.append(part)
            continue
        table = ledger.between(part, 0, _ALL, SCHEMA.names)
        left = _without(table, meant)
        if left.num_rows == table.num_rows:
            parts.append(part)
            continue
        number += int(table.num_rows - left.num_rows)
        parts.append(write_part(blobs, f"{identity}-{at:05d}.parquet", left))
    if number:
        new = named(identity, parts, {*run.supersedes, run.name})
        blobs.put(f"{RUNS}/{new.name}", run_json(new))
        kept = {part.name for part in parts}
        old = (f"{MERGED}/{part.name}" for part in run.parts if part.rows)
        blobs.remove(name for name in old if name.rpartition("/")[2] not in kept)
        blobs.remove([f"{RUNS}/{run.name}"])
    return number


def _blank(blobs: Blobs, pack: str, hashes: set[str]) -> None:
    """A pack once more without these; of a store elsewhere it is read and put back whole."""
    if not hashes:
        return
    if (folder := blobs.folder) is not None:
        packs.blank(folder / PACKS / pack, hashes)
        return
    file = io.BytesIO(blobs.read(f"{PACKS}/{pack}"))
    if found := packs.places(file, hashes):
        for offset, size in found:
            packs.overwrite(file, offset, size)
        blobs.put(f"{PACKS}/{pack}", file.getvalue())


def _blank_unnamed(blobs: Blobs, named_in: dict[str, set[str]]) -> None:
    """Bytes of fetches that later ones took the place of: no row says any more whose they are.

    In a store elsewhere only whole packs are looked at: all bytes would have to be read.
    """
    settled = time.time() - _SETTLED
    for pack in blobs.names(PACKS):
        if _begun(pack) > settled:
            continue
        if pack not in named_in:
            blobs.remove([f"{PACKS}/{pack}"])
        elif (folder := blobs.folder) is not None:
            packs.blank_others(folder / PACKS / pack, named_in[pack])


def _begun(pack: str) -> float:
    """When a pack's attempt began, POSIX seconds: its name begins with microseconds in hex."""
    try:
        return int(pack[:14], 16) / 1e6
    except ValueError:
        return float("inf")
