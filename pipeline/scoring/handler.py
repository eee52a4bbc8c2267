"""Beam's RunInference around a similarity model.

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
from openm3w.trainer.encoders import load_similarity

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
class Scored:
    """The scores of one image against its windows, in their order."""

    unit: str
    row: int
    image: int
    scores: tuple[float, ...]
    model: str
    """Id of the model and its preprocessing, as `id; preprocessing`."""


class SimilarityHandler(ModelHandler[Batch, list[Scored], Any]):
    """Loads the model once a process and scores batches."""

    def __init__(self, spec: str, threads: int) -> None:
        super().__init__()
        self._spec = spec
        self._threads = threads

    def load_model(self) -> Any:
        import torch

        torch.set_num_threads(self._threads)
        return load_similarity(self._spec)

    def run_inference(
        self, batch: Sequence[Batch], model: Any, inference_args: dict[str, Any] | None = None
    ) -> Iterable[list[Scored]]:
        del inference_args
        return [score_batch(item, model) for item in batch]

    def batch_elements_kwargs(self) -> dict[str, Any]:
        return {"min_batch_size": 1, "max_batch_size": 1}

    def get_metrics_namespace(self) -> str:
        return "openm3w.scores"


def score_batch(batch: Batch, model: Any) -> list[Scored]:
    """Cosine similarity of each pair's image with each of its texts, rounded to DECIMALS."""
    pictures = [_open(pair.data) for pair in batch.pairs]
    about = f"{model.model_id}; {model.preprocessing}"
    # Each distinct text once, in an order that does not depend on where it was found.
    texts = sorted({text for pair in batch.pairs for text in pair.texts})
    if not texts:
        return [Scored(batch.unit, pair.row, pair.image, (), about) for pair in batch.pairs]
    image_vectors = np.asarray(model.encode_images(pictures).cpu(), dtype=np.float64)
    text_vectors = np.asarray(model.encode_texts(texts).cpu(), dtype=np.float64)
    at = {text: i for i, text in enumerate(texts)}
    return [
        Scored(
            batch.unit,
            pair.row,
            pair.image,
            _cosines(vector, text_vectors[[at[text] for text in pair.texts]]),
            about,
        )
        for vector, pair in zip(image_vectors, batch.pairs, strict=True)
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
