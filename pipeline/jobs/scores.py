"""Job 4: similarity of images with text, safety scores of images, perplexity of texts.

One unit is one archive.

Batches are shuffled as places in packs and windows of text; image bytes go from the pack into the
model inside one worker. Scores are shuffled once more, to be committed with their unit. They
are stored before any threshold is applied.
"""

from collections.abc import Iterable, Iterator

import apache_beam as beam
import pyarrow as pa
from apache_beam.ml.inference.base import RunInference

from openm3w.filters.safety import SCORERS, image_score
from openm3w.pipeline import runners
from openm3w.pipeline.images.packs import Place
from openm3w.pipeline.plan import Plan, wanted_documents
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.scoring.handler import (
    Batch,
    ImageHandler,
    Pair,
    Scored,
    in_batches,
    with_data,
)
from openm3w.pipeline.scoring.texts import PerplexityHandler, TextScored, text_batches
from openm3w.pipeline.scoring.windows import image_windows

SCORES = pa.schema(
    [
        ("row", pa.int64()),
        ("image", pa.int32()),
        ("similarity", pa.float64()),
        ("text_similarity", pa.float64()),
        ("window_scores", pa.list_(pa.float64())),
        *((image_score(scorer), pa.float64()) for scorer in SCORERS),
    ]
)
"""One row for each image that was available; `similarity` is the best window's, null without one;
`text_similarity` is that of the windows that are sentences of the text.

`window_scores` follow `openm3w.pipeline.scoring.windows.image_windows` of the document. A safety
score is null where the recipe does not name its scorer."""


DOCUMENT_SCORES = pa.schema([("row", pa.int64()), ("perplexity", pa.float64())])
"""One row for each document that reached this job, where the recipe names a language model."""
DOCUMENTS = "documents.parquet"


def run(plan: Plan, runner: Runner) -> None:
    """Scores the units that are not committed yet."""
    pending = plan.folder("scores").pending(plan.units)
    if pending:
        runners.run(runner, lambda p: _graph(p, plan, pending))


def unit_batches(plan: Plan, unit: str) -> Iterator[Batch]:
    """Batches of the unit's available images, in the order of documents."""
    if not scores_images(plan):
        return iter(())
    return in_batches(unit, _pairs(plan, unit), plan.recipe.scores.batch_images)


def scores_images(plan: Plan) -> bool:
    """Whether any model looks at images."""
    return plan.model != "none" or bool(plan.recipe.scores.safety)


def commit_scores(plan: Plan, unit: str, found: Iterable[Scored | TextScored]) -> None:
    """Commits the scores of one unit's images and documents.

    Raises:
        OutputError: the store cannot be written.
    """
    folder, count = plan.folder("scores"), 0
    models: dict[str, set[str]] = {}
    everything = list(found)
    texts = [item for item in everything if isinstance(item, TextScored)]
    images = [item for item in everything if isinstance(item, Scored)]
    with folder.writing(unit, DOCUMENT_SCORES, DOCUMENTS) as add:
        for text in sorted(texts, key=lambda s: s.row):
            models.setdefault("perplexity", set()).add(text.model)
            add({"row": text.row, "perplexity": text.perplexity})
    with folder.writing(unit, SCORES) as add:
        for item in sorted(images, key=lambda s: (s.row, s.image)):
            count += 1
            if item.model:
                models.setdefault("similarity", set()).add(item.model)
            for score in item.safety:
                models.setdefault(image_score(score.name), set()).add(score.model)
            add(
                {
                    "row": item.row,
                    "image": item.image,
                    "similarity": max(item.scores, default=None),
                    "text_similarity": max(item.scores[: item.sentences], default=None),
                    "window_scores": list(item.scores),
                    **{image_score(score.name): score.value for score in item.safety},
                }
            )
    made_by = {name: sorted(ids) for name, ids in sorted(models.items())}
    folder.commit_sidecar(
        unit, counts={"images": count, "documents": len(texts), "models": made_by}, seconds={}
    )


def _pairs(plan: Plan, unit: str) -> Iterator[Pair]:
    places = {
        (row["row"], row["image"]): Place(row["pack"], row["offset"], row["length"])
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


def _graph(pipeline: beam.Pipeline, plan: Plan, pending: list[str]) -> None:
    settings = plan.recipe.scores
    units = pipeline | "Archives" >> beam.Create(pending) | "Spread" >> beam.Reshuffle()
    empty = units | "Every unit" >> beam.Map(lambda unit: (unit, []))
    parts = [empty]
    if scores_images(plan):
        handler = ImageHandler(plan.model, settings.safety, settings.threads)
        scored = (
            units
            | "Batches" >> beam.FlatMap(lambda unit: unit_batches(plan, unit))
            | "Spread batches" >> beam.Reshuffle()
            | "Read images" >> beam.Map(with_data, plan.folder("images", "packs").root)
            | "Images" >> RunInference(handler)
            | "By archive" >> beam.Map(lambda scores: (scores[0].unit, scores))
        )
        parts.append(scored)
    if settings.perplexity != "none":
        tokens = settings.perplexity_tokens
        readers = PerplexityHandler(settings.perplexity, tokens, settings.threads)
        read = (
            units
            | "Texts" >> beam.FlatMap(lambda u: text_batches(u, wanted_documents(plan, u), tokens))
            | "Spread texts" >> beam.Reshuffle()
            | "Perplexity" >> RunInference(readers)
            | "Texts by archive" >> beam.Map(lambda scores: (scores[0].unit, scores))
        )
        parts.append(read)
    _ = (
        parts
        | beam.Flatten()
        | "Group by archive" >> beam.GroupByKey()
        | "Scores"
        >> beam.Map(lambda kv: commit_scores(plan, kv[0], [s for part in kv[1] for s in part]))
    )
