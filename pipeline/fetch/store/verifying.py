"""How much a store of fetches holds, whether it is whole, and mending it where it is not."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from openm3w.errors import OutputError
from openm3w.pipeline.fetch.hosts import HostStats
from openm3w.pipeline.fetch.store.blobs import Blobs
from openm3w.pipeline.fetch.store.compacting import GROUP_ROWS, parquet, slices
from openm3w.pipeline.fetch.store.contents import PACKS, read_each
from openm3w.pipeline.fetch.store.ledger import MERGED, ROWS, RUNS, Ledger
from openm3w.pipeline.fetch.store.remembered import (
    SCHEMA,
    Remembered,
    key_of,
    moment,
    seconds_of,
    table_of,
    values_of,
)
from openm3w.pipeline.fetch.store.runs import Part, Run, State, digest, named, run_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What a store holds."""

    urls: int
    outcomes: Mapping[tuple[str, str], int]
    """(outcome, reason) -> URLs."""
    content_bytes: int
    """Of all URLs that have bytes, as if none were the same."""
    packs: int
    pack_bytes: int
    loose_files: int
    """Files of rows that are in no run yet."""
    runs: int
    row_bytes: int
    hosts: HostStats
    """What was asked of each domain when its URLs were last asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What reading everything showed."""

    urls: int
    """Whose rows can be read."""
    contents: int
    """URLs whose bytes are there and right."""
    damaged: tuple[str, ...]
    """One line for each file of rows and for each content that is damaged or missing."""
    orphans: Mapping[str, int]
    """Pack -> bytes, of packs that no URL's latest row names: of attempts that died between bytes
    and rows, or before a later fetch."""

    def __bool__(self) -> bool:
        return not self.damaged


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """What was forgotten."""

    files: tuple[str, ...]
    """Damaged files of rows; what they alone knew is fetched again as if never fetched."""
    contents: int
    """URLs that are now failed for `lost`: `--refetch failed` fetches them."""


def stats(blobs: Blobs, ledger: Ledger) -> Stats:
    """Counts; see `Memory.stats`."""

    def count(state: State) -> Stats:
        outcomes: Counter[tuple[str, str]] = Counter()
        hosts, size = HostStats(), 0
        for rows in slices(ledger, state, SCHEMA.names):
            for one in values_of(rows):
                outcomes[one.outcome, one.reason] += 1
                size += one.length
                hosts.add_result(one, one.length)
        packs = blobs.names(PACKS)
        parts = [part.num_bytes for run in state.runs for part in run.parts]
        return Stats(
            urls=outcomes.total(),
            outcomes=dict(sorted(outcomes.items())),
            content_bytes=size,
            packs=len(packs),
            pack_bytes=sum(packs.values()),
            loose_files=len(state.loose),
            runs=len(state.runs),
            row_bytes=sum(state.loose.values()) + sum(parts),
            hosts=hosts,
        )

    return ledger.steadily(count)


def verify(blobs: Blobs, ledger: Ledger) -> Verified:
    """Reads everything; see `Memory.verify`."""

    def look(state: State) -> Verified:
        packs = blobs.names(PACKS)
        whole, damage = _whole(blobs, ledger, state)
        lines = [*map(str, state.unreadable.values()), *damage.values()]
        named: set[str] = set()
        urls = right = 0
        for rows in slices(ledger, whole, SCHEMA.names):
            urls += rows.num_rows
            for one, data in read_each(blobs, _with_bytes(rows)):
                named.add(one.pack)
                if isinstance(data, OutputError):
                    lines.append(str(data))
                else:
                    right += 1
        orphans = {name: size for name, size in sorted(packs.items()) if name not in named}
        return Verified(urls=urls, contents=right, damaged=tuple(lines), orphans=orphans)

    return ledger.steadily(look, tolerant=True)


def mend(blobs: Blobs, ledger: Ledger, now: float) -> Mended:
    """Forgets what is damaged; see `Memory.mend`."""

    def work(state: State) -> Mended:
        for name in state.unreadable:
            _save_parts(blobs, ledger, name)
        whole, damage = _whole(blobs, ledger, state)
        for old, new in zip(state.runs, whole.runs, strict=True):
            if new.parts != old.parts:
                replaced = named(uuid.uuid4().hex, new.parts, {*old.supersedes, old.name})
                blobs.put(f"{RUNS}/{replaced.name}", run_json(replaced))
                blobs.remove([f"{RUNS}/{old.name}"])
        blobs.remove(damage)
        files = (*(f"{RUNS}/{name}" for name in state.unreadable), *damage)
        return Mended(files=tuple(sorted(files)), contents=0)

    forgotten = ledger.steadily(work, tolerant=True)
    lost = ledger.steadily(lambda state: list(_lost(blobs, ledger, state, now)))
    if lost:
        data = parquet(table_of(lost), group_rows=GROUP_ROWS)
        blobs.put(f"{ROWS}/{lost[0]['origin']}.{digest(data)}.parquet", data)
    return replace(forgotten, contents=len(lost))


def _whole(blobs: Blobs, ledger: Ledger, state: State) -> tuple[State, dict[str, str]]:
    """The state without its damaged files, and those: name in the store -> the line on it."""
    damage: dict[str, str] = {}
    for name in state.loose:
        try:
            list(ledger.loose_tables([name]))
        except OutputError as error:
            damage[f"{ROWS}/{name}"] = str(error)
    for part in (part for run in state.runs for part in run.parts if part.rows):
        if line := _damage(blobs, ledger, part):
            damage[f"{MERGED}/{part.name}"] = line
    loose = {n: size for n, size in state.loose.items() if f"{ROWS}/{n}" not in damage}
    runs = tuple(_without(run, damage) for run in state.runs)
    return replace(state, loose=loose, runs=runs), damage


def _without(run: Run, damage: Mapping[str, str]) -> Run:
    parts = tuple(Part() if f"{MERGED}/{part.name}" in damage else part for part in run.parts)
    return replace(run, parts=parts)


def _damage(blobs: Blobs, ledger: Ledger, part: Part) -> str:
    """The line on a part that is damaged or missing, or ""."""
    name = f"{MERGED}/{part.name}"
    try:
        data = blobs.read(name)
    except FileNotFoundError:
        now = ledger.state(tolerant=True)
        if not any(part in run.parts for run in now.runs):
            raise  # a merge took it away
        return str(ledger.damaged(name, "missing"))
    if hashlib.sha256(data).hexdigest() != part.sha256:
        return str(ledger.damaged(name, "its bytes are not those that were written"))
    return ""


def _save_parts(blobs: Blobs, ledger: Ledger, run: str) -> None:
    """Makes loose files of the parts of a run whose list cannot be read."""
    stem = run.partition(".")[0]
    parts = [f"{MERGED}/{name}" for name in blobs.names(MERGED) if name.startswith(f"{stem}-")]
    for name in parts:
        data = blobs.read(name)
        if ledger.is_rows(data):
            blobs.put(f"{ROWS}/saved.{uuid.uuid4().hex[:16]}.{digest(data)}.parquet", data)
    blobs.remove([*parts, f"{RUNS}/{run}"])


def _lost(blobs: Blobs, ledger: Ledger, state: State, now: float) -> Iterator[dict[str, Any]]:
    """Rows that say of each URL whose bytes are damaged or missing that it is to be had again."""
    origin = f"mend.{uuid.uuid4().hex[:16]}"
    for rows in slices(ledger, state, SCHEMA.names):
        for one, data in read_each(blobs, _with_bytes(rows)):
            if isinstance(data, OutputError):
                # Later than the row that it corrects, whatever clock wrote that.
                at = moment(max(now, seconds_of(one.at, now) + 1))
                said = replace(one, outcome="failed", reason="lost", at=at, origin=origin,
                               sha256="", pack="", offset=0, length=0)  # fmt: skip
                yield {"key": key_of(one.url_key), **asdict(said)}


def _with_bytes(rows: Any) -> Iterator[Remembered]:
    return (one for one in values_of(rows) if one.sha256)
