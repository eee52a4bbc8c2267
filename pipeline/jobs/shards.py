"""Job 5: select by profile, order, write.

Two parts. `select`: for each archive, which documents and images the profile keeps, with the
outcome of every page and image. `written`: the kept documents' JSON is shuffled once, to the
shard that a hash of its id names; images are read from their packs by range. Membership and
order depend on ids, seed and the number of kept documents alone.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from functools import partial
from typing import Any

import pyarrow as pa

from openm3w.filters.selection import Selection
from openm3w.filters.url import registered_domain
from openm3w.pipeline import runners
from openm3w.pipeline.completed import Completed, completed_documents
from openm3w.pipeline.failures import Failures
from openm3w.pipeline.images.packs import Place
from openm3w.pipeline.jobs.measured import text_measures
from openm3w.pipeline.jobs.measures import commit_measures
from openm3w.pipeline.jobs.samples import Samples
from openm3w.pipeline.jobs.writing import Row, Writing, write_shards
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.scoring.matched import with_matches
from openm3w.pipeline.store import dump
from openm3w.pipeline.tally import Tally
from openm3w.shards.document import Document
from openm3w.shards.ordering import split_by
from openm3w.shards.sample import document_to_json
from openm3w.shards.writer import ShardEntry

SELECTED = pa.schema(
    [
        ("doc_id", pa.string()),
        ("split", pa.string()),
        ("document", pa.string()),
        ("places", pa.string()),
        ("originals", pa.string()),
    ]
)
"""One row for each kept document; `places` is a JSON list of the fields of
`Place`: pack, offset, length, hash.

`originals` is the same of the bytes as they were fetched, null where they were not kept."""

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


def run(plan: Plan, runner: Runner) -> tuple[ShardEntry, ...]:
    """Selects, writes what is not written yet, and returns all shards in order of their names."""
    measure(plan, runner)
    pending = plan.folder("shards", "select").pending(plan.units)
    runners.run_each(runner, "Select", partial(commit_selection, plan), pending)
    return write_shards(_writing(plan), runner)


def measure(plan: Plan, runner: Runner) -> None:
    """Takes the numbers by which profiles are chosen, where they are not there yet."""
    pending = plan.measures.pending(plan.units)
    runners.run_each(runner, "Measure", partial(_commit_measures, plan), pending)


def _commit_measures(plan: Plan, unit: str) -> None:
    commit_measures(plan, unit, completed_documents(plan, unit))


def split_of(url: str, val_share: float, seed: int) -> str:
    """`val` or `train` by a hash of the registered domain: a site is never in both."""
    return split_by(registered_domain(url), val_share, seed)


def commit_selection(plan: Plan, unit: str) -> None:
    """Selects from one archive's documents and commits what is kept and every outcome.

    Raises:
        OutputError: the store cannot be written.
    """
    folder, recipe = plan.folder("shards", "select"), plan.recipe
    pages, images = Tally(), Tally()
    measures = text_measures(plan, unit, plan.profile)
    splits: dict[str, int] = {}
    languages: Counter[str] = Counter()
    failures = Failures()
    with (
        folder.writing(unit, SELECTED) as add_selected,
        folder.writing(unit, OUTCOMES, "outcomes.parquet") as add_outcome,
    ):
        for found in completed_documents(plan, unit):
            document = found.document
            selection = found.select(plan, measures[found.row])
            count(selection, found.fates, pages, images)
            add_outcome(_outcome_row(found.row, document, selection))
            failures.add(document.url, selection.error)
            if selection.document is None:
                continue
            split = split_of(document.url, recipe.shards.val_share, recipe.shards.seed)
            splits[split] = splits.get(split, 0) + 1
            languages[document.signals.language] += 1
            matched = with_matches(
                selection.document,
                selection.kept,
                document,
                found.window_scores,
                recipe.scores.windows,
            )
            add_selected(
                {
                    "doc_id": document.doc_id,
                    "split": split,
                    "document": dump(document_to_json(matched)),
                    "places": dump([astuple(found.places[at]) for at in selection.kept]),
                    "originals": dump([_original(found, at) for at in selection.kept]),
                }
            )
    stages = [pages.to_json("shards", "pages"), images.to_json("shards", "images")]
    counts = {
        "stages": stages,
        "splits": splits,
        "languages": dict(sorted(languages.items())),
        "errors": failures.errors,
    }
    folder.commit_sidecar(unit, counts=counts, seconds={})


def _original(found: Completed, at: int) -> tuple[str, int, int, str] | None:
    place = found.originals.get(at)
    return astuple(place) if place else None


def count(selection: Selection, fates: Sequence[str], pages: Tally, images: Tally) -> None:
    """Adds a document's outcome and those of its images to the stage's tallies."""
    pages.add(_outcome(selection), selection.verdict.reason or "")
    for fate, outcome in zip(fates, selection.images, strict=True):
        # What the images job dropped was counted there and does not enter this stage.
        if not fate:
            images.add("dropped" if outcome else "kept", outcome)


def _outcome(selection: Selection) -> str:
    if selection.error:
        return "failed"
    return "kept" if selection.verdict else "dropped"


def _outcome_row(row: int, document: Document, selection: Selection) -> dict[str, Any]:
    return {
        "row": row,
        "doc_id": document.doc_id,
        "url": document.url,
        "outcome": _outcome(selection),
        "reason": selection.verdict.reason or "",
        "kept_images": len(selection.kept),
        "images": dump(selection.images),
    }


def _writing(plan: Plan) -> Writing:
    settings = plan.recipe.shards
    return Writing(
        output=plan.output,
        kind="interleaved",
        selected=plan.folder("shards", "select"),
        units=plan.units,
        written=plan.folder("shards", "written"),
        samples=Samples(plan.folder("images", "packs"), _places),
        samples_per_shard=settings.samples_per_shard,
        seed=settings.seed,
    )


def _places(row: Row) -> Iterator[Place]:
    """Where the images of a row of SELECTED are."""
    return (Place(*place) for place in json.loads(row["places"]))
