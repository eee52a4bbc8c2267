"""Ledgers of images and the packs that they point into, of interleaved and of caption builds."""

from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from typing import Any, Literal

from openm3w.pipeline.redacting import packs, tables
from openm3w.pipeline.redacting.meant import Meant
from openm3w.pipeline.tally import Tally

Key = Literal["url_key", "image"]
"""The column that names an image: `url_key` of pages', `image` of captions', with its scope."""

_PLACES = (("pack", "sha256"), ("original_pack", "original_sha256"))
_READ = ("sha256", "original_sha256", "pack", "original_pack")


def purge(job: Path, key: Key, meant: Meant) -> int:
    """Takes what is meant out of packs, and then its rows out of ledgers; how many rows went.

    The ledger last: it says what is to be blanked.

    Raises:
        OutputError: a ledger is damaged, or the store cannot be written.
    """
    changed = 0
    for ledger in ledgers(job):
        rows = tables.read(ledger, [key, *_READ])
        gone = [row for row in rows if is_meant(row, key, meant)]
        left = [row for row in rows if not is_meant(row, key, meant)]
        for pack, hashes in _hashes(gone).items():
            packs.blank(ledger.with_name(pack), hashes - _hashes(left).get(pack, set()))
        stays = set().union(*_hashes(left).values())
        goes = set().union(*_hashes(gone).values())
        _blank_orphans(ledger, rows, meant.hashes | (goes - stays))
        changed += tables.rewrite(ledger, lambda r: None if is_meant(r, key, meant) else r)
        _recount(ledger, meant)
    return changed


def _recount(ledger: Path, meant: Meant) -> None:
    tables.recount(ledger.with_suffix(".json"), lambda c: _counts(c, ledger, meant))


def ledgers(job: Path) -> Iterator[Path]:
    """The ledgers of all units of packs of a job."""
    return iter(sorted(job.glob("*/*.parquet")))


def _blank_orphans(ledger: Path, rows: list[tables.Row], hashes: Set[str]) -> None:
    """Of packs of this unit that no ledger names any more, since it was made again."""
    named = {row[pack] for row in rows for pack, _ in _PLACES}
    for pack in ledger.parent.glob(f"{ledger.stem}-*.tar"):
        if pack.name not in named and rows:
            packs.blank(pack, hashes)


def is_meant(row: Mapping[str, Any], key: Key, meant: Meant) -> bool:
    """Whether a ledger's row is of a picture that is meant."""
    name = row[key]
    return meant.ledger(row, name, name.partition("|")[2] if key == "image" else name)


def _hashes(rows: list[tables.Row]) -> dict[str, set[str]]:
    """Pack -> hashes of what these rows have in it."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for pack, digits in _PLACES:
            if row[pack] and row[digits]:
                found.setdefault(row[pack], set()).add(row[digits])
    return found


def _counts(counts: Mapping[str, Any], ledger: Path, meant: Meant) -> dict[str, Any]:
    tally = Tally()
    for row in tables.read(ledger, ["outcome", "reason"]):
        tally.add(row["outcome"], row["reason"])
    (stage,) = counts["stages"]
    told = tally.to_json(stage["job"], stage["unit"])
    return tables.with_stages(tables.without_errors(counts, meant.tombstones), told)


def purge_index(job: Path, meant: Meant) -> int:
    """Takes the records of buried addresses out of the tables of archives; how many rows."""
    return sum(tables.rewrite(table, meant.record) for table in sorted(job.glob("*/*.parquet")))


def pictures(job: Path, key: Key, meant: Meant) -> tuple[set[str], set[str]]:
    """Names and hashes of the pictures that are buried by their content."""
    names: set[str] = set()
    hashes: set[str] = set()
    for ledger in ledgers(job):
        for row in tables.read(ledger, [key, "sha256", "original_sha256"]):
            if meant.content(row["sha256"]) or meant.content(row["original_sha256"]):
                names.add(row[key])
                hashes |= {d for d in (row["sha256"], row["original_sha256"]) if d}
    return names, hashes
