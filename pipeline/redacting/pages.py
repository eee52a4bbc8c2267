"""What a store of interleaved builds has of buried pages and images, taken out in place.

Rows of tables are known by number: those of a page and of an image keep theirs, without a word of
what they were of. So nothing has to be read, fetched or scored again, and every job's counts say
`tombstone` where one is missing. Which folder was made from which, the notes of outputs say; what
is chosen from no folder that they know is removed, since it can be made again.
"""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from openm3w import recipe as recipes
from openm3w.errors import OutputError
from openm3w.pipeline.buried import covers_page, is_blank
from openm3w.pipeline.claims import BESIDE, OUTPUTS
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.redacting import ledgers, page_counts, tables
from openm3w.pipeline.redacting.meant import Meant
from openm3w.pipeline.redacting.reach import document_tables
from openm3w.pipeline.redacting.tables import Row
from openm3w.pipeline.store import dump
from openm3w.shards import commit
from openm3w.shards.document import Image
from openm3w.shards.sample import document_from_json, document_to_json

_KEPT_OF_PAGES = ("row", "status", "offset", "length")
"""Columns that say nothing of a page but where it was in which archive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The folders of one build, by the digits that its note has."""

    documents: str
    dedup: str
    facts: str
    images: str
    shards: str
    scores: tuple[str, ...] = ()
    """Below the folder of their job."""


@dataclass(slots=True, kw_only=True)
class Gone:
    """Of one unit of documents: the rows of pages, and places of images by row, taken out."""

    rows: set[int] = field(default_factory=set)
    images: dict[int, set[int]] = field(default_factory=dict)

    def image(self, row: int, at: int) -> bool:
        return row in self.rows or at in self.images.get(row, ())


def chains(store: Path) -> list[Chain]:
    """The folders of every build that the store has a note of.

    Raises:
        OutputError: a note is of a version that did not yet say what scores were made by.
    """
    names = ("documents", "dedup", "facts", "images", "shards")
    found = []
    for note in sorted((store / OUTPUTS).glob("*.json")):
        identity = (commit.read_json(note) or {}).get("identity") or {}
        digits = identity.get("fingerprints")
        if isinstance(digits, dict) and set(names) <= digits.keys():
            made = (identity.get(BESIDE) or {}).get("resolved", {}).get("scores")
            if made is None:
                raise OutputError(
                    f"{note}: made by a version that did not note what scores are made by, so that "
                    "nothing can be purged; build again, or hide with --exclude-only and remove "
                    f"{store}"
                )
            scores = (
                f"{part}/{recipes.fingerprint([digits['images'], of])}" for part, of in made.items()
            )
            chain = {name: str(digits[name]) for name in names}
            found.append(Chain(**chain, scores=tuple(scores)))
    return found


def purge(store: Path, meant: Meant, *, again: bool = False) -> int:
    """Takes what is meant out of all jobs' tables; how many rows were changed.

    `again`: an attempt before may have ended between a table and what is made of it.

    Raises:
        OutputError: a table is damaged, or the store cannot be written.
    """
    changed, known = 0, chains(store)
    gone: dict[tuple[str, str], Gone] = {}
    for table in document_tables(store):
        changed += _purge_documents(table, meant)
        gone[table.parent.name, table.stem] = _gone(table)
    changed += ledgers.purge(store / "images" / "packs", "url_key", meant)
    changed += ledgers.purge_index(store / "images" / "index", meant)
    for chain in {(c.documents, c.images, c.shards): c for c in known}.values():
        for unit, each in _of(gone, chain.documents):
            changed += _purge_unit(store, chain, unit, each, meant, again=again)
    for part in ("select", "written"):
        _remove_unknown(store / "shards" / part, (chain.shards for chain in known))
    _remove_unknown(store / "images" / "places", (chain.images for chain in known))
    return changed


def _purge_unit(
    store: Path, chain: Chain, unit: str, gone: Gone, meant: Meant, *, again: bool
) -> int:
    """All that was made of one unit of documents, in the order of the jobs."""
    if not gone.rows and not gone.images:
        return 0
    documents = store / "documents" / chain.documents / f"{unit}.parquet"
    dedup = store / "dedup" / chain.dedup
    places = store / "images" / "places" / chain.images / f"{unit}.parquet"
    changed = tables.rewrite(dedup / f"{unit}.parquet", lambda r: _unless(r, gone))
    tables.recount(
        dedup / f"{unit}.json", lambda c: page_counts.of_dedup(c, dedup, unit, documents)
    )
    facts = store / "dedup" / "facts" / chain.facts / f"{unit}.parquet"
    changed += tables.rewrite(facts, lambda r: _unless(r, gone))
    changed += tables.rewrite(places, lambda r: _place(r, gone))
    tables.recount(
        places.with_suffix(".json"),
        lambda c: tables.with_stages(c, page_counts.tally(places).to_json("images", "images")),
    )
    for score in chain.scores:
        table = store / "scores" / score / f"{unit}.parquet"
        changed += tables.rewrite(table, lambda r: _unless(r, gone))
    folder = store / "shards" / "select" / chain.shards
    changed += _purge_selection(folder, unit, gone, places, meant)
    if changed or again:
        for table in (store / "measures").glob(f"*/{unit}.*"):
            table.unlink(missing_ok=True)
        # Which shard a sample is in goes by their number.
        for sidecar in (store / "shards" / "written" / chain.shards).glob("*.json"):
            sidecar.unlink(missing_ok=True)
    return changed


def _purge_documents(table: Path, meant: Meant) -> int:
    records = table.with_name(f"{table.stem}.records.parquet")
    changed = tables.rewrite(table, lambda row: _page(row, meant))
    changed += tables.rewrite(records, meant.record)
    sidecar = table.with_suffix(".json")
    tables.recount(sidecar, lambda c: page_counts.of_documents(c, table, meant))
    return changed


def _page(row: Row, meant: Meant) -> Row:
    """A page's row: without anything where it is buried, with blank images where those are."""
    if covers_page(meant.tombstones, row["url"] or "", row["doc_id"] or ""):
        return {
            **dict.fromkeys(row),
            **{name: row[name] for name in _KEPT_OF_PAGES},
            "url": "",
            "url_key": "",
            "fetched": "",
            "elements": 0,
            "left_out": "{}",
            "outcome": "dropped",
            "reason": TOMBSTONE,
        }
    if not row["document"]:
        return row
    document = document_from_json(tables.loads(row["document"]))
    left = meant.blanked(document)
    return row if left == document else {**row, "document": dump(document_to_json(left))}


def _gone(table: Path) -> Gone:
    """What is taken out of a unit, by this redaction and by those before."""
    gone = Gone()
    for row in tables.read(table, ["row", "reason", "document"]):
        if row["reason"] == TOMBSTONE:
            gone.rows.add(row["row"])
        elif row["document"] and '"url":""' in row["document"]:
            images = document_from_json(tables.loads(row["document"])).images
            if blanks := {at for at, image in enumerate(images) if is_blank(image)}:
                gone.images[row["row"]] = blanks
    return gone


def _unless(row: Row, gone: Gone) -> Row | None:
    """A row of a page, or of an image of one, unless that is taken out."""
    if row["row"] in gone.rows or ("image" in row and gone.image(row["row"], row["image"])):
        return None
    return row


def _place(row: Row, gone: Gone) -> Row | None:
    if row["row"] in gone.rows:
        return None
    if not gone.image(row["row"], row["image"]):
        return row
    told = {"row": row["row"], "image": row["image"], "url_key": "", "outcome": "dropped"}
    return {**dict.fromkeys(row), **told, "reason": TOMBSTONE}


def _purge_selection(folder: Path, unit: str, gone: Gone, places: Path, meant: Meant) -> int:
    outcomes = folder / f"{unit}.outcomes.parquet"
    rows = {row["doc_id"]: row["row"] for row in tables.read(outcomes, ["doc_id", "row"])}
    table = folder / f"{unit}.parquet"
    # Outcomes last: ids are found by them.
    changed = tables.rewrite(table, lambda r: _selected(r, rows, gone, meant))
    changed += tables.rewrite(outcomes, lambda r: _outcome(r, gone))
    tables.recount(
        folder / f"{unit}.json", lambda c: page_counts.of_selection(c, table, outcomes, places)
    )
    return changed


def _selected(row: Row, rows: Mapping[str, int], gone: Gone, meant: Meant) -> Row | None:
    """A kept document, as it stands in its shard: without the images that are meant."""
    at = rows.get(row["doc_id"])
    if at is None or at in gone.rows:
        return None
    document = document_from_json(tables.loads(row["document"]))
    stays = [not meant.image(image) for image in document.images]
    if all(stays):
        return row
    left = iter(stays)
    spans = tuple(s for s in document.spans if not isinstance(s, Image) or next(left))
    lists = {
        name: dump(
            [place for place, each in zip(tables.loads(row[name]), stays, strict=True) if each]
        )
        for name in ("places", "originals")
    }
    return {**row, **lists, "document": dump(document_to_json(replace(document, spans=spans)))}


def _outcome(row: Row, gone: Gone) -> Row | None:
    if row["row"] in gone.rows:
        return None
    blanks = gone.images.get(row["row"])
    if not blanks:
        return row
    told = [
        TOMBSTONE if at in blanks else each for at, each in enumerate(tables.loads(row["images"]))
    ]
    kept = sum(not each for each in told) if row["outcome"] == "kept" else row["kept_images"]
    return {**row, "images": dump(told), "kept_images": kept}


def _of(gone: Mapping[tuple[str, str], Gone], digits: str) -> Iterator[tuple[str, Gone]]:
    return ((unit, each) for (made, unit), each in sorted(gone.items()) if made == digits)


def _remove_unknown(folder: Path, used: Iterable[str]) -> None:
    known = set(used)
    for each in folder.glob("*"):
        if each.is_dir() and each.name not in known:
            shutil.rmtree(each, ignore_errors=True)
