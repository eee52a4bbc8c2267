"""Job 5: select by profile, order, write.

Two parts. `select`: for each archive, which documents and images the profile keeps, with the
outcome of every page and image. `written`: the kept documents' JSON is shuffled once, to the
shard that a hash of its id names; images are read from their packs by range. Membership and
order depend on ids, seed and the number of kept documents alone.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import apache_beam as beam
import pyarrow as pa

from openm3w.filters.selection import select
from openm3w.filters.url import registered_domain
from openm3w.pipeline import runners
from openm3w.pipeline.images.packs import PackReader, Place
from openm3w.pipeline.plan import Plan, wanted_documents
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import dump
from openm3w.pipeline.tally import Tally
from openm3w.shards.document import Document, Image, ImageContent
from openm3w.shards.sample import Sample, document_from_json, document_to_json
from openm3w.shards.writer import ShardEntry, write_shard

SELECTED = pa.schema(
    [
        ("doc_id", pa.string()),
        ("split", pa.string()),
        ("document", pa.string()),
        ("places", pa.string()),
    ]
)
"""One row for each kept document; `places` is a JSON list of [pack, offset, length]."""

OUTCOMES = pa.schema(
    [
        ("row", pa.int64()),
        ("doc_id", pa.string()),
        ("url", pa.string()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("kept_images", pa.int32()),
        ("images", pa.string()),
    ]
)
"""One row for each document that reached this job; `images` is a JSON list, "" where kept."""

_HASH_RANGE = 1 << 64


@dataclass(frozen=True, slots=True, order=True)
class ShardName:
    """A shard of a split."""

    split: str
    index: int

    @property
    def unit(self) -> str:
        return f"{self.split}-{self.index:06d}"

    @property
    def url(self) -> str:
        return f"data/{self.unit}.tar"


def run(plan: Plan, runner: Runner) -> tuple[ShardEntry, ...]:
    """Selects, writes what is not written yet, and returns all shards in order of their names."""
    pending = plan.folder("shards", "select").pending(plan.units)
    if pending:
        runners.run(
            runner,
            lambda p: (
                p
                | "Archives" >> beam.Create(pending)
                | "Spread" >> beam.Reshuffle()
                | "Select" >> beam.Map(lambda unit: commit_selection(plan, unit))
            ),
        )
    counts = kept_counts(plan)
    names = shard_names(counts, plan.recipe.shards.samples_per_shard)
    if any(_entry(plan, name) is None for name in _used_names(plan, names)):
        runners.run(runner, lambda p: _write_graph(p, plan, counts))
    entries = (_entry(plan, name) for name in names)
    return tuple(entry for entry in entries if entry is not None)


def kept_counts(plan: Plan) -> dict[str, int]:
    """Kept documents by split."""
    counts: dict[str, int] = {}
    for unit in plan.units:
        sidecar = plan.folder("shards", "select").sidecar(unit) or {"counts": {"splits": {}}}
        for split, count in sidecar["counts"]["splits"].items():
            counts[split] = counts.get(split, 0) + count
    return counts


def shard_names(counts: Mapping[str, int], samples_per_shard: int) -> list[ShardName]:
    """The shards of each split: as many as hold the kept documents at the size asked for."""
    return [
        ShardName(split, index)
        for split, count in sorted(counts.items())
        for index in range(_num_shards(count, samples_per_shard))
    ]


def shard_of(doc_id: str, seed: int, num_shards: int) -> int:
    """floor(hash * N / 2^64): a document more or less changes one shard."""
    return order_hash(doc_id, seed) * num_shards // _HASH_RANGE


def order_hash(doc_id: str, seed: int) -> int:
    """The place of a document in the corpus' order: 0 <= hash < 2^64."""
    return int.from_bytes(hashlib.blake2b(f"{seed} {doc_id}".encode(), digest_size=8).digest())


def split_of(url: str, val_share: float, seed: int) -> str:
    """`val` or `train` by a hash of the registered domain: a site is never in both."""
    domain = registered_domain(url)
    return "val" if order_hash(domain, seed) < val_share * _HASH_RANGE else "train"


def commit_selection(plan: Plan, unit: str) -> None:
    """Selects from one archive's documents and commits what is kept and every outcome.

    Raises:
        OutputError: the store cannot be written.
    """
    folder, recipe = plan.folder("shards", "select"), plan.recipe
    profile, pages, images = recipe.load_profile(), Tally(), Tally()
    splits: dict[str, int] = {}
    with (
        folder.writing(unit, SELECTED) as add_selected,
        folder.writing(unit, OUTCOMES, "outcomes.parquet") as add_outcome,
    ):
        for row, document, fates, places in completed_documents(plan, unit):
            selection = select(document, fates, profile, similarity_model=plan.model)
            _count(selection.verdict.reason, fates, selection.images, pages, images)
            add_outcome(_outcome_row(row, document, selection.verdict.reason, selection.images))
            if selection.document is None:
                continue
            split = split_of(document.url, recipe.shards.val_share, recipe.shards.seed)
            splits[split] = splits.get(split, 0) + 1
            add_selected(
                {
                    "doc_id": document.doc_id,
                    "split": split,
                    "document": dump(document_to_json(selection.document)),
                    "places": dump([places[index] for index in selection.kept]),
                }
            )
    stages = [pages.to_json("shards", "pages"), images.to_json("shards", "images")]
    folder.commit_sidecar(unit, counts={"stages": stages, "splits": splits}, seconds={})


def completed_documents(
    plan: Plan, unit: str
) -> Iterator[tuple[int, Document, list[str], dict[int, tuple[str, int, int]]]]:
    """Row, document with contents and scores filled in, fates of its images, their places."""
    placed: dict[int, dict[int, dict[str, Any]]] = {}
    for place in plan.folder("images", "places").rows(unit):
        placed.setdefault(place["row"], {})[place["image"]] = place
    similarity = {
        (score["row"], score["image"]): score["similarity"]
        for score in plan.folder("scores").rows(unit)
    }
    for row, document in wanted_documents(plan, unit):
        about = placed.get(row, {})
        fates: list[str] = []
        places: dict[int, tuple[str, int, int]] = {}
        images: list[Image] = []
        for index, image in enumerate(document.images):
            place = about[index]
            kept = place["outcome"] == "kept"
            fates.append("" if kept else place["reason"])
            images.append(_filled(image, place, similarity.get((row, index))) if kept else image)
            if kept:
                places[index] = (place["pack"], place["offset"], place["length"])
        yield row, _with_images(document, images), fates, places


def _filled(image: Image, place: Mapping[str, Any], similarity: float | None) -> Image:
    scores = {"grey_deviation": place["grey_deviation"]}
    if similarity is not None:
        scores["similarity"] = similarity
    content = ImageContent(
        sha256=place["sha256"],
        width=place["width"],
        height=place["height"],
        original_width=place["original_width"],
        original_height=place["original_height"],
        num_bytes=place["length"],
    )
    return replace(image, content=content, scores=scores)


def _with_images(document: Document, images: Iterable[Image]) -> Document:
    rest = iter(images)
    spans = tuple(next(rest) if isinstance(span, Image) else span for span in document.spans)
    return replace(document, spans=spans)


def _count(
    reason: str | None, fates: list[str], outcomes: tuple[str, ...], pages: Tally, images: Tally
) -> None:
    pages.add("dropped" if reason else "kept", reason or "")
    for fate, outcome in zip(fates, outcomes, strict=True):
        # What the images job dropped was counted there and does not enter this stage.
        if not fate:
            images.add("dropped" if outcome else "kept", outcome)


def _outcome_row(
    row: int, document: Document, reason: str | None, images: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "row": row,
        "doc_id": document.doc_id,
        "url": document.url,
        "outcome": "dropped" if reason else "kept",
        "reason": reason or "",
        "kept_images": images.count("") if not reason else 0,
        "images": dump(images),
    }


def _write_graph(pipeline: beam.Pipeline, plan: Plan, counts: Mapping[str, int]) -> None:
    _ = (
        pipeline
        | "Archives" >> beam.Create(list(plan.units))
        | "Selected" >> beam.FlatMap(lambda unit: _selected(plan, unit, counts))
        | "Group by shard" >> beam.GroupByKey()
        | "Shards" >> beam.MapTuple(lambda name, rows: _write(plan, name, rows))
    )


def _selected(
    plan: Plan, unit: str, counts: Mapping[str, int]
) -> Iterator[tuple[tuple[str, int], dict[str, str]]]:
    settings = plan.recipe.shards
    for row in plan.folder("shards", "select").rows(unit):
        num_shards = _num_shards(counts[row["split"]], settings.samples_per_shard)
        yield (row["split"], shard_of(row["doc_id"], settings.seed, num_shards)), row


def _write(plan: Plan, name: tuple[str, int], rows: Iterable[dict[str, str]]) -> None:
    shard, seed = ShardName(*name), plan.recipe.shards.seed
    if _entry(plan, shard) is not None:
        return
    ordered = sorted(rows, key=lambda row: (order_hash(row["doc_id"], seed), row["doc_id"]))
    with PackReader(plan.folder("images", "packs").root) as packs:
        samples = (_sample(row, packs) for row in ordered)
        entry = write_shard(plan.output, shard.url, samples, kind="interleaved", split=shard.split)
    plan.folder("shards", "written").commit_sidecar(
        shard.unit, counts={"entry": asdict(entry)}, seconds={}
    )


def _sample(row: Mapping[str, str], packs: PackReader) -> Sample:
    document = document_from_json(json.loads(row["document"]))
    images = tuple(packs.read(Place(*place)) for place in json.loads(row["places"]))
    return Sample(key=row["doc_id"], document=document, images=images)


def _entry(plan: Plan, name: ShardName) -> ShardEntry | None:
    """The row of a shard that is written, and still there in full size; else None."""
    sidecar = plan.folder("shards", "written").sidecar(name.unit)
    if sidecar is None:
        return None
    entry = ShardEntry(**sidecar["counts"]["entry"])
    path = plan.output / entry.url
    return entry if path.is_file() and path.stat().st_size == entry.filesize else None


def _used_names(plan: Plan, names: Iterable[ShardName]) -> set[ShardName]:
    """Shards that get a document at all: with few documents a hash may leave one empty."""
    counts, settings = kept_counts(plan), plan.recipe.shards
    used = set()
    for unit in plan.units:
        for row in plan.folder("shards", "select").rows(unit, ["doc_id", "split"]):
            num_shards = _num_shards(counts[row["split"]], settings.samples_per_shard)
            used.add(ShardName(row["split"], shard_of(row["doc_id"], settings.seed, num_shards)))
    return used.intersection(names)


def _num_shards(count: int, samples_per_shard: int) -> int:
    return -(-count // samples_per_shard)
