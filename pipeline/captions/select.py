"""Job 4: pairs and their images together, with the outcome of every pair. One unit is one block."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple
from typing import Any

import apache_beam as beam
import pyarrow as pa

from openm3w.filters.captions import CaptionPair
from openm3w.filters.images.copies import EvaluationImages
from openm3w.filters.registry import PairFilter
from openm3w.filters.url import registered_domain
from openm3w.pipeline import runners
from openm3w.pipeline.captions import copies, images, rows
from openm3w.pipeline.captions.plan import CaptionPlan
from openm3w.pipeline.images.ledger import filled, original_place, stored_place
from openm3w.pipeline.images.packs import Place
from openm3w.pipeline.jobs.writing import Row
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import dump
from openm3w.pipeline.tally import Tally
from openm3w.shards.document import Document, Image, Provenance, Signals
from openm3w.shards.ordering import split_by
from openm3w.shards.sample import caption_document, document_to_json
from openm3w.shards.typed import make

SELECTED = pa.schema(
    [
        ("doc_id", pa.string()),
        ("split", pa.string()),
        ("document", pa.string()),
        ("place", pa.string()),
        ("extra", pa.string()),
        ("originals", pa.string()),
    ]
)
"""One row for each kept pair; `place` is JSON, the fields of `Place`; so is `extra`, of `Sample`.

`originals` is a JSON list of one such place, of the bytes as they were fetched, or of null."""

OUTCOMES = pa.schema(
    [
        ("row", pa.int64()),
        ("doc_id", pa.string()),
        ("image", pa.string()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
    ]
)
"""One row for each pair that reached this job."""

DISTANCE = "distance"
"""What is put into an image's row: its score of evaluation pictures, where there are some."""

Joined = tuple[dict[str, Any], dict[str, Any]]
"""A pair's row and its image's ledger row."""


def run(plan: CaptionPlan, runner: Runner) -> None:
    """Joins pairs and images, unless every block is committed."""
    if plan.folder("select").pending(rows.blocks(plan)):
        runners.run(runner, lambda p: _graph(p, plan))


def commit_selection(plan: CaptionPlan, block: str, joined: Iterable[Joined]) -> None:
    """Commits the kept pairs of one block, and every pair's outcome.

    Raises:
        OutputError: the store cannot be written.
    """
    folder, settings, tally = plan.folder("select"), plan.recipe.shards, Tally()
    filters, evaluation = plan.profile.corpus_filters(), plan.profile.images.evaluation()
    names = {table.source.unit: table.source.name for table in plan.tables}
    source = names[block.rpartition("-")[0]]
    splits: dict[str, int] = {}
    with (
        folder.writing(block, SELECTED) as add_selected,
        folder.writing(block, OUTCOMES, "outcomes.parquet") as add_outcome,
    ):
        for pair, stored in sorted(joined, key=lambda both: (both[0]["row"], both[0]["doc_id"])):
            image = _with_distance(plan, stored)
            outcome, reason = _outcome(pair, image, filters, evaluation)
            tally.add(outcome, reason)
            add_outcome({**pair, "outcome": outcome, "reason": reason})
            if outcome != "kept":
                continue
            split = split_by(split_group(pair), settings.val_share, settings.seed)
            splits[split] = splits.get(split, 0) + 1
            add_selected(_selected_row(pair, image, source, split))
    counts = {"stages": [tally.to_json("select", "pairs")], "splits": splits}
    folder.commit_sidecar(block, counts=counts, seconds={})


def _outcome(
    pair: Mapping[str, Any],
    image: Mapping[str, Any],
    filters: Iterable[PairFilter],
    evaluation: Iterable[EvaluationImages],
) -> tuple[str, str]:
    """What became of a pair: that of its image, unless it is for evaluation or one of too many."""
    if image["outcome"] == "kept":
        picture, nothing = Image(url="", scores=image[DISTANCE]), Document(doc_id="")
        for image_filter in evaluation:
            if reason := image_filter.keep(picture, nothing).reason:
                return "dropped", reason
        facts = CaptionPair(
            caption=pair["caption"],
            scores=json.loads(pair["scores"]),
            occurrences=pair.get(copies.OCCURRENCES, 1),
            is_first=pair.get(copies.IS_FIRST, True),
        )
        for pair_filter in filters:
            if reason := pair_filter.keep(facts).reason:
                return "dropped", reason
    return image["outcome"], image["reason"]


def _with_distance(plan: CaptionPlan, image: dict[str, Any]) -> dict[str, Any]:
    return {**image, DISTANCE: plan.lists.distance(image["phash"])}


def split_group(pair: Mapping[str, Any]) -> str:
    """What stays in one split: the URL's registered domain, or the image's name."""
    return registered_domain(pair["url"]) or pair["image"].partition("|")[2]


def places(row: Row) -> tuple[Place]:
    """Where the image of a row of SELECTED is."""
    return (Place(*json.loads(row["place"])),)


def _selected_row(
    pair: Mapping[str, Any], image: Mapping[str, Any], source: str, split: str
) -> dict[str, str]:
    original = original_place(image)
    return {
        "doc_id": pair["doc_id"],
        "split": split,
        "document": dump(document_to_json(_document(pair, image, source))),
        "place": dump(astuple(stored_place(image))),
        "extra": dump(json.loads(pair["own"]) | {"sha256": image["original_sha256"]}),
        "originals": dump([astuple(original) if original else None]),
    }


def _document(pair: Mapping[str, Any], image: Mapping[str, Any], source: str) -> Document:
    return caption_document(
        pair["doc_id"],
        filled(Image(url=pair["url"], scores=json.loads(pair["scores"]) | image[DISTANCE]), image),
        pair["caption"],
        url=pair["page"],
        **_about_page(pair, source),
    )


def _about_page(pair: Mapping[str, Any], source: str) -> dict[str, Any]:
    if not pair["about"]:
        return {"provenance": Provenance(source=source, offset=pair["row"])}
    about = json.loads(pair["about"])
    return {
        "provenance": make(Provenance, about["provenance"]),
        "signals": make(Signals, about["signals"]),
    }


def _graph(pipeline: beam.Pipeline, plan: CaptionPlan) -> None:
    blocks = pipeline | "Blocks" >> beam.Create(rows.blocks(plan))
    packs = pipeline | "Pack units" >> beam.Create(images.pack_units(plan))
    pairs = blocks | "Pairs" >> beam.FlatMap(lambda block: _pairs(plan, block))
    ledger = packs | "Ledger" >> beam.FlatMap(
        lambda name: ((row["image"], row) for row in plan.folder("images").rows(name))
    )
    if plan.profile.captions.repeated():
        pairs = copies.count_captions(pairs)
    joined = (
        {"pairs": pairs, "ledger": ledger}
        | "Join" >> beam.CoGroupByKey()
        | "Joined" >> beam.FlatMap(_join)
    )
    if plan.profile.captions.duplicates():
        joined = copies.mark_first(joined)
    _ = (
        joined
        | "Group by block" >> beam.GroupByKey()
        | "Select" >> beam.MapTuple(lambda block, both: commit_selection(plan, block, both))
    )


def _pairs(plan: CaptionPlan, block: str) -> Iterator[tuple[str, tuple[str, dict[str, Any]]]]:
    for row in plan.folder("rows").rows(block):
        yield row["image"], (block, row)


def _join(joined: tuple[str, dict[str, Any]]) -> Iterator[tuple[str, Joined]]:
    _, sides = joined
    (image,) = sides["ledger"]
    for block, pair in sides["pairs"]:
        yield block, (pair, image)
