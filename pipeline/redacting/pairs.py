"""What a store of caption and text builds has of buried pairs and texts, taken out in place."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openm3w.pipeline.buried import covers_page
from openm3w.pipeline.fetch.store.remembered import TOMBSTONE
from openm3w.pipeline.redacting import ledgers, tables
from openm3w.pipeline.redacting.meant import Meant
from openm3w.pipeline.redacting.reach import PAIR, is_meant_pair
from openm3w.pipeline.redacting.tables import Row
from openm3w.pipeline.tally import Tally
from openm3w.shards.sample import document_from_json


def purge(store: Path, meant: Meant, *, again: bool = False) -> int:
    """Takes what is meant out of the jobs of caption and text builds; how many rows went.

    `again`: an attempt before may have ended between a table and what is made of it.

    Raises:
        OutputError: a table is damaged, or the store cannot be written.
    """
    changed = ledgers.purge_index(store / "index", meant)
    blocks, texts = (sorted((store / job).glob("*/*.parquet")) for job in ("rows", "texts"))
    ids = {r["doc_id"] for b in blocks for r in tables.read(b, PAIR) if is_meant_pair(r, meant)}
    ids |= {r["doc_id"] for t in texts for r in tables.read(t, _TEXT) if _is_text(r, meant)}
    # What says which pairs go comes after what was made of them.
    for table in sorted((store / "select").glob("*/*.parquet")):
        changed += tables.rewrite(table, lambda r: None if _is_selected(r, meant, ids) else r)
    for sidecar in sorted((store / "select").glob("*/*.json")):
        tables.recount(sidecar, lambda c, at=sidecar: _select_counts(c, at))  # type: ignore[misc]
    for table in blocks:
        changed += tables.rewrite(table, lambda r: None if is_meant_pair(r, meant) else r)
    for sidecar in sorted((store / "rows").glob("*/*.json")):
        tables.recount(sidecar, lambda c, at=sidecar: _rows_counts(c, at))  # type: ignore[misc]
    for table in texts:
        changed += tables.rewrite(table, lambda r: _scrubbed(r) if _is_text(r, meant) else r)
        tables.recount(
            table.with_suffix(".json"),
            lambda c, at=table: _texts_counts(c, at),  # type: ignore[misc]
        )
    changed += ledgers.purge(store / "images", "image", meant)
    if changed or again:  # which shard a sample is in goes by their number
        for sidecar in sorted((store / "shards").glob("*/*.json")):
            sidecar.unlink(missing_ok=True)
    return changed


_TEXT = ("doc_id", "url")


def _is_selected(row: Row, meant: Meant, ids: set[str]) -> bool:
    """Whether a row goes of what was selected, of outcomes or of marks."""
    if row["doc_id"] in ids or meant.tombstones.covers_document(row["doc_id"]):
        return True
    if row.get("image") and row["image"] in meant.keys:
        return True
    if not row.get("document"):
        return False
    document = document_from_json(tables.loads(row["document"]))
    page = bool(document.url) and meant.tombstones.covers(document.url)
    return page or any(map(meant.image, document.images))


def _select_counts(counts: Mapping[str, Any], sidecar: Path) -> dict[str, Any]:
    tally = Tally()
    (stage,) = counts["stages"]
    table = sidecar.with_suffix(".parquet")
    outcomes = sidecar.with_name(f"{sidecar.stem}.outcomes.parquet")
    marks = sidecar.with_name(f"{sidecar.stem}.marks.parquet")
    selected = tables.read(table, ["split"])
    if outcomes.is_file():
        for row in tables.read(outcomes, ["outcome", "reason"]):
            tally.add(row["outcome"], row["reason"])
    else:
        tally.add("kept", count=len(selected))
        for row in tables.read(marks, ["reason"]):
            tally.add("dropped", row["reason"])
    splits = Counter(row["split"] for row in selected)
    told = tables.with_stages(counts, tally.to_json(stage["job"], stage["unit"]))
    return {**told, "splits": dict(splits)}


def _rows_counts(counts: Mapping[str, Any], sidecar: Path) -> dict[str, Any]:
    blocks = (sidecar.with_name(f"{name}.parquet") for name in counts["blocks"])
    return tables.kept_now(counts, "pairs", sum(len(tables.read(b, ["row"])) for b in blocks))


def _is_text(row: Row, meant: Meant) -> bool:
    return covers_page(meant.tombstones, row["url"] or "", row["doc_id"] or "")


def _scrubbed(row: Row) -> Row:
    told = {"row": row["row"], "url": "", "outcome": "dropped", "reason": TOMBSTONE}
    return {**dict.fromkeys(row), **told}


def _texts_counts(counts: Mapping[str, Any], table: Path) -> dict[str, Any]:
    tally = Tally()
    languages: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    for row in tables.read(table, ["outcome", "reason", "document"]):
        tally.add(row["outcome"], row["reason"])
        if row["document"]:
            document = document_from_json(tables.loads(row["document"]))
            languages[document.signals.language or "unknown"] += 1
            if document.provenance.part:
                parts[document.provenance.part] += 1
    told = tables.with_stages(counts, tally.to_json("texts", "texts"))
    return {
        **told,
        "languages": dict(sorted(languages.items())),
        "parts": dict(sorted(parts.items())),
    }
