"""Job 5: select by profile, order, write.

Two parts. `select`: for each archive, which documents and images the profile keeps, with the
outcome of every page and image. `written`: the kept documents' JSON is shuffled once, to the
shard that a hash of its id names; images are read from their packs by range. Membership and
order depend on ids, seed and the number of kept documents alone.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import apache_beam as beam
import pyarrow as pa

from openm3w.filters.assignment import SentenceScores
from openm3w.filters.profiles import Profile
from openm3w.filters.safety import SCORERS, image_score, with_largest
from openm3w.filters.selection import Selection, select
from openm3w.filters.url import registered_domain, url_key
from openm3w.pipeline import runners
from openm3w.pipeline.dedup.attach import read_facts, with_facts
from openm3w.pipeline.images.ledger import filled
from openm3w.pipeline.images.packs import PackReader, Place
from openm3w.pipeline.jobs.measures import commit_measures, text_measures
from openm3w.pipeline.jobs.scores import DOCUMENTS
from openm3w.pipeline.jobs.writing import Row, Writing, split_by, write_shards
from openm3w.pipeline.page import MAX_ERRORS
from openm3w.pipeline.plan import Plan, wanted_documents
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import Folder, dump
from openm3w.pipeline.tally import Tally
from openm3w.shards.document import Document, Image
from openm3w.shards.sample import Sample, document_from_json, document_to_json
from openm3w.shards.writer import ShardEntry

IMAGE_SCORES = ("similarity", *map(image_score, SCORERS))
"""What the scores job says of an image, by the names that it has in the image's scores."""

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


def run(plan: Plan, runner: Runner) -> tuple[ShardEntry, ...]:
    """Selects, writes what is not written yet, and returns all shards in order of their names."""
    measure(plan, runner)
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
    return write_shards(_writing(plan), runner)


def measure(plan: Plan, runner: Runner) -> None:
    """Takes the numbers by which profiles are chosen, where they are not there yet."""
    if pending := plan.measures.pending(plan.units):
        runners.run(
            runner,
            lambda p: (
                p
                | "Archives" >> beam.Create(pending)
                | "Spread" >> beam.Reshuffle()
                | "Measure" >> beam.Map(lambda unit: _commit_measures(plan, unit))
            ),
        )


def _commit_measures(plan: Plan, unit: str) -> None:
    found = ((row, document, fates) for row, document, fates, _ in completed_documents(plan, unit))
    commit_measures(plan, unit, found)


def split_of(url: str, val_share: float, seed: int) -> str:
    """`val` or `train` by a hash of the registered domain: a site is never in both."""
    return split_by(registered_domain(url), val_share, seed)


def commit_selection(plan: Plan, unit: str) -> None:
    """Selects from one archive's documents and commits what is kept and every outcome.

    Raises:
        OutputError: the store cannot be written.
    """
    folder, recipe = plan.folder("shards", "select"), plan.recipe
    profile, pages, images = plan.profile, Tally(), Tally()
    measures = text_measures(plan, unit, profile)
    sentences = sentence_scores(plan, unit, profile)
    splits: dict[str, int] = {}
    languages: Counter[str] = Counter()
    errors: list[dict[str, str]] = []
    with (
        folder.writing(unit, SELECTED) as add_selected,
        folder.writing(unit, OUTCOMES, "outcomes.parquet") as add_outcome,
    ):
        for row, document, fates, places in completed_documents(plan, unit):
            selection = select(
                document,
                fates,
                profile,
                similarity_model=plan.model,
                measures=measures[row],
                sentences=sentences(row, document),
            )
            count(selection, fates, pages, images)
            add_outcome(_outcome_row(row, document, selection))
            if selection.error and len(errors) < MAX_ERRORS:
                errors.append({"url": document.url, "error": selection.error})
            if selection.document is None:
                continue
            split = split_of(document.url, recipe.shards.val_share, recipe.shards.seed)
            splits[split] = splits.get(split, 0) + 1
            languages[document.signals.language] += 1
            add_selected(
                {
                    "doc_id": document.doc_id,
                    "split": split,
                    "document": dump(document_to_json(selection.document)),
                    "places": dump([places[index] for index in selection.kept]),
                }
            )
    stages = [pages.to_json("shards", "pages"), images.to_json("shards", "images")]
    counts = {
        "stages": stages,
        "splits": splits,
        "languages": dict(sorted(languages.items())),
        "errors": errors,
    }
    folder.commit_sidecar(unit, counts=counts, seconds={})


def sentence_scores(
    plan: Plan, unit: str, profile: Profile
) -> Callable[[int, Document], SentenceScores | None]:
    """From row and document to the scores of its images with its sentences, where wanted."""
    if profile.document.assignment == "natural":
        return lambda _, __: None
    found = {
        (score["row"], score["image"]): tuple(score["window_scores"])
        for score in plan.folder("scores").rows(unit, ["row", "image", "window_scores"])
    }
    words = plan.recipe.scores.windows.max_words

    def of(row: int, document: Document) -> SentenceScores:
        images = range(len(document.images))
        return SentenceScores(
            rows=tuple(found.get((row, at), ()) for at in images), max_words=words
        )

    return of


def completed_documents(
    plan: Plan, unit: str, only: int | None = None
) -> Iterator[tuple[int, Document, list[str], dict[int, tuple[str, int, int]]]]:
    """Row, document with contents and scores filled in, fates of its images, their places."""
    placed: dict[int, dict[int, dict[str, Any]]] = {}
    for place in plan.folder("images", "places").rows(unit):
        placed.setdefault(place["row"], {})[place["image"]] = place
    scored = {
        (score["row"], score["image"]): {
            name: score[name] for name in IMAGE_SCORES if score[name] is not None
        }
        for score in plan.folder("scores").rows(unit, ["row", "image", *IMAGE_SCORES])
    }
    facts = read_facts(plan, unit)
    perplexities = {
        score["row"]: {"perplexity": score["perplexity"]}
        for score in plan.folder("scores").rows(unit, suffix=DOCUMENTS)
        if score["perplexity"] is not None
    }
    for row, document in wanted_documents(plan, unit, only):
        about = placed.get(row, {})
        fates: list[str] = []
        places: dict[int, tuple[str, int, int]] = {}
        images: list[Image] = []
        for index, image in enumerate(document.images):
            place = about[index]
            kept = place["outcome"] == "kept"
            fates.append("" if kept else place["reason"])
            images.append(_filled(image, place, scored.get((row, index), {})) if kept else image)
            if kept:
                places[index] = (place["pack"], place["offset"], place["length"])
        filled = with_facts(_with_images(document, images), facts[row])
        scores = {**with_largest(filled), **perplexities.get(row, {})}
        yield row, replace(filled, scores=scores), fates, places


def _filled(image: Image, place: Mapping[str, Any], scored: Mapping[str, float]) -> Image:
    found = filled(image, place)
    scores = {**found.scores, **scored}
    # The page's preferred address need not be the one that the archive had.
    served = (u for u in (image.url, *image.candidates) if url_key(u) == place["url_key"])
    return replace(found, url=next(served, image.url), scores=scores)


def _with_images(document: Document, images: Iterable[Image]) -> Document:
    rest = iter(images)
    spans = tuple(next(rest) if isinstance(span, Image) else span for span in document.spans)
    return replace(document, spans=spans)


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
        samples=Samples(plan.folder("images", "packs")),
        samples_per_shard=settings.samples_per_shard,
        seed=settings.seed,
    )


class Samples:
    """Rows of SELECTED to samples, their images read from the packs."""

    def __init__(self, packs: Folder) -> None:
        self._packs = packs

    def __call__(self, selected: Iterable[Row]) -> Iterator[Sample]:
        with PackReader(self._packs.root) as packs:
            for row in selected:
                document = document_from_json(json.loads(row["document"]))
                images = (packs.read(Place(*place)) for place in json.loads(row["places"]))
                yield Sample(key=row["doc_id"], document=document, images=tuple(images))
