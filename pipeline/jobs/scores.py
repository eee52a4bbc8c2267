"""Job 4: similarity of images with text, safety scores of images, perplexity of texts.

One unit is one archive; each score has a folder of its own in the store.

Batches are shuffled as places in packs and windows of text; image bytes go from the pack into the
model inside one worker. Scores are shuffled once more, to be committed with their unit. They
are stored before any threshold is applied.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import RunInference

from openm3w.filters.perplexity import PERPLEXITY
from openm3w.filters.safety import image_score
from openm3w.filters.similarity import SIMILARITY, TEXT_SIMILARITY
from openm3w.pipeline import runners
from openm3w.pipeline.images.ledger import stored_place
from openm3w.pipeline.plan import Plan
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.scoring import safety
from openm3w.pipeline.scoring.handler import (
    Batch,
    ImageHandler,
    Pair,
    Scored,
    in_batches,
    with_data,
)
from openm3w.pipeline.scoring.tables import SCHEMAS
from openm3w.pipeline.scoring.texts import PerplexityHandler, TextScored, text_batches
from openm3w.pipeline.scoring.windows import image_windows
from openm3w.pipeline.wanted import wanted_documents


def run(plan: Plan, runner: Runner) -> None:
    """Scores the units that are not committed yet, each by the models that it lacks."""
    pending = {part: plan.folder("scores", part).pending(plan.units) for part in plan.score_parts}
    if any(pending.values()):
        runners.run(runner, lambda p: _graph(p, plan, pending))


def unit_batches(plan: Plan, unit: str) -> Iterator[Batch]:
    """Batches of the unit's available images, in the order of documents."""
    return in_batches(unit, _pairs(plan, unit), plan.recipe.scores.batch_images)


def commit_images(plan: Plan, unit: str, parts: Iterable[str], found: Iterable[Scored]) -> None:
    """Commits the scores of one unit's images, a table for each of `parts`.

    Raises:
        OutputError: the store cannot be written.
    """
    scored = sorted(found, key=lambda s: (s.row, s.image))
    for part in parts:
        rows = [
            ({"row": item.row, "image": item.image, **numbers}, model)
            for item in scored
            for numbers, model in [_numbers(item, part)]
        ]
        _commit(plan, unit, part, rows, counted="images")


def commit_texts(plan: Plan, unit: str, found: Iterable[TextScored]) -> None:
    """Commits the perplexity of one unit's documents.

    Raises:
        OutputError: the store cannot be written.
    """
    scored = sorted(found, key=lambda s: s.row)
    rows = [({"row": text.row, PERPLEXITY: text.perplexity}, text.model) for text in scored]
    _commit(plan, unit, PERPLEXITY, rows, counted="documents")


def _commit(
    plan: Plan, unit: str, part: str, rows: Sequence[tuple[dict[str, Any], str]], *, counted: str
) -> None:
    folder = plan.folder("scores", part)
    with folder.writing(unit, SCHEMAS[part]) as add:
        for row, _ in rows:
            add(row)
    models = sorted({model for _, model in rows})
    made_by = {part: models} if models else {}
    folder.commit_sidecar(unit, counts={counted: len(rows), "models": made_by}, seconds={})


def _numbers(item: Scored, part: str) -> tuple[dict[str, Any], str]:
    """An image's scores of one part, and the model that made them."""
    if part == SIMILARITY:
        numbers = {
            SIMILARITY: max(item.scores, default=None),
            TEXT_SIMILARITY: max(item.scores[: item.sentences], default=None),
            "window_scores": list(item.scores),
        }
        return numbers, item.model
    (score,) = (each for each in item.safety if image_score(each.name) == part)
    return {part: score.value}, score.model


def _pairs(plan: Plan, unit: str) -> Iterator[Pair]:
    places = {
        (row["row"], row["image"]): stored_place(row)
        for row in plan.folder("images", "places").rows(unit)
        if row["outcome"] == "kept"
    }
    for row, document in wanted_documents(plan, unit):
        for index, found in enumerate(image_windows(document, plan.recipe.scores.windows)):
            place = places.get((row, index))
            if place is not None:
                texts = tuple(window.text for window in found)
                sentences = sum(window.origin in ("before", "after") for window in found)
                yield Pair(row, index, place, texts, sentences=sentences)


def _graph(pipeline: beam.Pipeline, plan: Plan, pending: Mapping[str, list[str]]) -> None:
    # Units that lack the same scores of images go together: a picture is decoded once for all.
    lacking: dict[tuple[str, ...], list[str]] = {}
    for unit in plan.units:
        parts = tuple(p for p in plan.score_parts if p != PERPLEXITY and unit in pending[p])
        if parts:
            lacking.setdefault(parts, []).append(unit)
    for parts, units in lacking.items():
        _image_graph(pipeline, plan, parts, units)
    if pending.get(PERPLEXITY):
        _text_graph(pipeline, plan, pending[PERPLEXITY])


def _image_graph(
    pipeline: beam.Pipeline, plan: Plan, parts: tuple[str, ...], pending: list[str]
) -> None:
    settings, name = plan.recipe.scores, ", ".join(parts)
    entries = zip(settings.safety, safety.parse(settings.safety), strict=True)
    scorers = [entry for entry, spec in entries if image_score(spec.name) in parts]
    model = plan.model if SIMILARITY in parts else "none"
    units = pipeline | f"Archives: {name}" >> beam.Create(pending)
    scored = (
        units
        | f"Spread: {name}" >> beam.Reshuffle()
        | f"Batches: {name}" >> beam.FlatMap(lambda unit: unit_batches(plan, unit))
        | f"Spread batches: {name}" >> beam.Reshuffle()
        | f"Read images: {name}" >> beam.Map(with_data, plan.folder("images", "packs").root)
        | f"Images: {name}" >> RunInference(ImageHandler(model, scorers, settings.threads))
    )
    _by_archive(units, scored, name, lambda unit, found: commit_images(plan, unit, parts, found))


def _text_graph(pipeline: beam.Pipeline, plan: Plan, pending: list[str]) -> None:
    settings = plan.recipe.scores
    tokens = settings.perplexity_tokens
    reader = PerplexityHandler(settings.perplexity, tokens, settings.threads)
    units = pipeline | "Archives" >> beam.Create(pending)
    read = (
        units
        | "Spread" >> beam.Reshuffle()
        | "Texts" >> beam.FlatMap(lambda u: text_batches(u, wanted_documents(plan, u), tokens))
        | "Spread texts" >> beam.Reshuffle()
        | "Perplexity" >> RunInference(reader)
    )
    _by_archive(units, read, PERPLEXITY, lambda unit, found: commit_texts(plan, unit, found))


def _by_archive(
    units: Any,
    scored: Any,
    name: str,
    commit: Callable[[str, list[Any]], None],
) -> None:
    """Commits each unit's scores together; a unit without any has its empty table too."""
    empty = units | f"Every unit: {name}" >> beam.Map(lambda unit: (unit, []))
    found = scored | f"By archive: {name}" >> beam.Map(lambda each: (each[0].unit, each))
    _ = (
        (empty, found)
        | f"Flatten: {name}" >> beam.Flatten()
        | f"Group by archive: {name}" >> beam.GroupByKey()
        | f"Scores: {name}"
        >> beam.Map(lambda kv: commit(kv[0], [score for part in kv[1] for score in part]))
    )
