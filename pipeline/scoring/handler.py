"""Beam's RunInference around the models that score images.

An element is a whole batch of fixed membership: RunInference would else group elements as
bundles happen to fall, and a score's last bits depend on what shares its batch.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from apache_beam.ml.inference.base import ModelHandler
from PIL import Image as PillowImage

from openm3w.pipeline.images.packs import PackReader, Place
from openm3w.pipeline.scoring import safety
from openm3w.pipeline.scoring.safety import Pictures, SafetyScorer
from openm3w.trainer.encoders import Similarity, load_similarity

Floats = np.ndarray[Any, np.dtype[np.float64]]

DECIMALS = 4
"""Scores are rounded to 1e-4 before they are stored or compared: float32 noise ends below it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One image, and the windows that it is scored against."""

    row: int
    image: int
    place: Place
    texts: tuple[str, ...]
    data: bytes = b""
    """Filled in by `with_data`, inside the worker that scores: bytes are never shuffled."""
    sentences: int = 0
    """How many of `texts`, from the first, are sentences of the page's text."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Pairs that go through the model together."""

    unit: str
    pairs: tuple[Pair, ...]


def with_data(batch: Batch, folder: Path) -> Batch:
    """The batch with its images' bytes, read from the packs of `folder`.

    Raises:
        OutputError: a pack is missing or short.
    """
    with PackReader(folder) as packs:
        pairs = tuple(replace(pair, data=packs.read(pair.place)) for pair in batch.pairs)
    return replace(batch, pairs=pairs)


@dataclass(frozen=True, slots=True)
class SafetyScore:
    """What one safety scorer says of an image."""

    name: str
    """Of the scorer, as `opennsfw`."""
    value: float
    """0 to 1, rounded to DECIMALS."""
    model: str


@dataclass(frozen=True, slots=True)
class Scored:
    """The scores of one image: against its windows, in their order, and its safety scores."""

    unit: str
    row: int
    image: int
    scores: tuple[float, ...]
    model: str
    """Id of the similarity model and its preprocessing, as `id; preprocessing`; "" without one."""
    safety: tuple[SafetyScore, ...] = ()
    sentences: int = 0
    """How many of `scores`, from the first, are of sentences of the page's text."""


@dataclass(frozen=True, kw_only=True)  # no slots: RunInference refers to it weakly
class ImageModels:
    """The loaded models that score images."""

    similarity: Similarity | None = None
    safety: tuple[SafetyScorer, ...] = ()


class ImageHandler(ModelHandler[Batch, list[Scored], ImageModels]):
    """Loads the models once a process and scores batches."""

    def __init__(self, similarity: str, safety: Sequence[str], threads: int) -> None:
        """`similarity` is a resolved model or `none`, `safety` the recipe's entries."""
        super().__init__()
        self._similarity = similarity
        self._safety = tuple(safety)
        self._threads = threads

    def load_model(self) -> ImageModels:
        specs = safety.parse(self._safety)
        wanted = dict.fromkeys([self._similarity, *(s.mlp.model for s in specs if s.mlp)])
        if encoders := [name for name in wanted if name != "none"]:
            import torch

            torch.set_num_threads(self._threads)
        loaded = {name: load_similarity(name) for name in encoders}
        scorers = [
            safety.load(spec, loaded[spec.mlp.model] if spec.mlp else None, self._threads)
            for spec in specs
        ]
        return ImageModels(similarity=loaded.get(self._similarity), safety=tuple(scorers))

    def run_inference(
        self,
        batch: Sequence[Batch],
        model: ImageModels,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[list[Scored]]:
        del inference_args
        return [score_batch(item, model) for item in batch]

    def batch_elements_kwargs(self) -> dict[str, Any]:
        return {"min_batch_size": 1, "max_batch_size": 1}

    def get_metrics_namespace(self) -> str:
        return "openm3w.scores"


def score_batch(batch: Batch, models: ImageModels) -> list[Scored]:
    """Every model's scores of each picture, rounded to DECIMALS."""
    pictures = Pictures([_open(pair.data) for pair in batch.pairs])
    cosines, about = _similarities(batch, pictures, models.similarity)
    safety_scores = [_safety_scores(scorer, pictures) for scorer in models.safety]
    return [
        Scored(batch.unit, pair.row, pair.image, scores, about, tuple(safety_of), pair.sentences)
        for pair, scores, *safety_of in zip(batch.pairs, cosines, *safety_scores, strict=True)
    ]


def _similarities(
    batch: Batch, pictures: Pictures, model: Similarity | None
) -> tuple[list[tuple[float, ...]], str]:
    """Cosines of each pair's image with each of its texts, and what made them."""
    none: list[tuple[float, ...]] = [() for _ in batch.pairs]
    if model is None:
        return none, ""
    about = f"{model.model_id}; {model.preprocessing}"
    # Each distinct text once, in an order that does not depend on where it was found.
    texts = sorted({text for pair in batch.pairs for text in pair.texts})
    if not texts:
        return none, about
    image_vectors = np.asarray(pictures.vectors(model).cpu(), dtype=np.float64)
    text_vectors = np.asarray(model.encode_texts(texts).cpu(), dtype=np.float64)
    at = {text: i for i, text in enumerate(texts)}
    return [
        _cosines(vector, text_vectors[[at[text] for text in pair.texts]])
        for vector, pair in zip(image_vectors, batch.pairs, strict=True)
    ], about


def _safety_scores(scorer: SafetyScorer, pictures: Pictures) -> list[SafetyScore]:
    return [
        SafetyScore(scorer.name, round(value, DECIMALS), scorer.model_id)
        for value in scorer.score(pictures)
    ]


def _cosines(image: Floats, texts: Floats) -> tuple[float, ...]:
    """float64[D] and float64[N, D], all of unit length, to N rounded cosines."""
    return tuple(round(float(value), DECIMALS) for value in texts @ image)


def _open(data: bytes) -> PillowImage.Image:
    with PillowImage.open(io.BytesIO(data), formats=("JPEG",)) as image:
        return image.convert("RGB")


def in_batches(unit: str, pairs: Iterable[Pair], size: int) -> Iterator[Batch]:
    """Batches of `size` pairs in the order given; the last may be smaller."""
    waiting: list[Pair] = []
    for pair in pairs:
        waiting.append(pair)
        if len(waiting) == size:
            yield Batch(unit, tuple(waiting))
            waiting = []
    if waiting:
        yield Batch(unit, tuple(waiting))
