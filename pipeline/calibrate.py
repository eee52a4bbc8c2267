"""The similarity bound of a model: from images with captions of their own and of others.

A bound of one model says nothing about another's cosines. What can be carried over is what it does:
which share of the images with their own text it keeps, and which share with text of others it lets
through. Both are measured here on the same pairs.
"""

import io
import json
import random
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from openm3w.errors import InputError, RecipeError
from openm3w.pipeline.scoring.handler import DECIMALS
from openm3w.shards import manifest as manifests
from openm3w.shards.reader import read_samples
from openm3w.trainer.encoders import Similarity

Floats = NDArray[np.float64]

CHUNK = 64
"""Images in memory at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioned:
    """An image's bytes and its captions."""

    data: bytes
    captions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Cosines of one model, rounded as they are in a build."""

    matched: Floats
    """float64[P]: each image with each of its captions."""
    mismatched: Floats
    """float64[P]: each image with as many captions of other images."""
    model_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A bound and what it does; a pair is kept from it on upwards."""

    bound: float
    kept: float
    """Share of the matched pairs that are kept."""
    passed: float
    """Share of the mismatched pairs that are let through."""


def read_pairs(source: Path, limit: int = 0) -> list[Captioned]:
    """Images with captions: caption shards, or a `.jsonl` file with its `.tar` beside it.

    Each line of a `.jsonl` is an object with `image`, a name in the `.tar` of the same name, and
    `captions`, a list of strings. `limit` reads so many images; 0 reads all.

    Raises:
        InputError: the file is not of this form, or there are fewer than two images.
        ShardError: a shard is damaged.
    """
    found: list[Captioned] = []
    for item in _read_table(source) if source.suffix == ".jsonl" else _read_shards(source):
        found.append(item)
        if len(found) == limit:
            break
    if len(found) < 2:
        raise InputError(f"{source}: {len(found)} images with captions, expected two at least")
    return found


def score(pairs: Sequence[Captioned], model: Similarity, seed: int) -> Scores:
    """The cosines of `model`; which captions of others an image gets depends on `seed` alone.

    Raises:
        InputError: an image does not decode.
        RecipeError: no image has a caption of another to be scored with.
    """
    own, others = _partners(pairs, seed)
    texts = sorted({caption for item in pairs for caption in item.captions})
    images = np.concatenate(
        [
            np.asarray(model.encode_images([_open(item.data) for item in pairs[at : at + CHUNK]]))
            for at in range(0, len(pairs), CHUNK)
        ]
    )
    vectors = np.asarray(model.encode_texts(texts))
    at = {text: place for place, text in enumerate(texts)}
    return Scores(
        matched=_cosines(images, vectors, [(image, at[text]) for image, text in own]),
        mismatched=_cosines(images, vectors, [(image, at[text]) for image, text in others]),
        model_id=model.model_id,
    )


def auc(scores: Scores) -> float:
    """Area under the ROC curve: how often a matched pair is above a mismatched one; ties half."""
    values = np.concatenate([scores.matched, scores.mismatched])
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives, negatives = len(scores.matched), len(scores.mismatched)
    above = ranks[:positives].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def effect(scores: Scores, bound: float) -> Bound:
    """What `bound` does."""
    return Bound(
        bound=bound,
        kept=float((scores.matched >= bound).mean()),
        passed=float((scores.mismatched >= bound).mean()),
    )


def for_recall(scores: Scores, recall: float) -> Bound:
    """The highest bound that keeps at least the share `recall` of the matched pairs."""
    if not 0 < recall <= 1:
        raise RecipeError(f"--recall {recall}: not above 0 and at most 1")
    ordered = np.sort(scores.matched)[::-1]
    needed = max(1, int(np.ceil(recall * len(ordered) - 1e-9)))
    return effect(scores, float(ordered[needed - 1]))


def for_passed(scores: Scores, passed: float) -> Bound:
    """The lowest bound among the scores that lets through no more than `passed`."""
    candidates = np.unique(np.concatenate([scores.matched, scores.mismatched]))
    ordered = np.sort(scores.mismatched)
    shares = 1 - np.searchsorted(ordered, candidates, side="left") / len(ordered)
    fitting = candidates[shares <= passed + 1e-9]
    # Where even the highest score lets more through, the step above it lets nothing through.
    step = 10.0**-DECIMALS
    lowest = fitting[0] if len(fitting) else candidates[-1] + step
    return effect(scores, round(float(lowest), DECIMALS))


def best(scores: Scores) -> Bound:
    """The bound of the largest Youden's J, kept less passed; the lowest where several have it."""
    candidates = np.unique(np.concatenate([scores.matched, scores.mismatched]))
    kept = 1 - np.searchsorted(np.sort(scores.matched), candidates) / len(scores.matched)
    passed = 1 - np.searchsorted(np.sort(scores.mismatched), candidates) / len(scores.mismatched)
    return effect(scores, float(candidates[np.argmax(np.round(kept - passed, 12))]))


def equivalent(scores: Scores, reference: Scores, bound: float) -> tuple[Bound, Bound, Bound]:
    """What `bound` does for the reference; ours that keeps as much; ours that passes as much.

    The second is the one to set: a profile's bound decides how much of the data there will be, and
    a model that tells less well should not silently halve it. The third says what it would take to
    let no more mismatched pairs through.
    """
    known = effect(reference, bound)
    return known, for_recall(scores, known.kept), for_passed(scores, known.passed)


def _read_table(source: Path) -> Iterator[Captioned]:
    archive = source.with_suffix(".tar")
    try:
        with source.open(encoding="utf-8") as lines, tarfile.open(archive) as tar:
            for number, line in enumerate(lines, 1):
                yield _captioned(tar, json.loads(line), f"{source}, line {number}")
    except (OSError, tarfile.TarError, ValueError, RecursionError) as error:
        raise InputError(f"{source} with {archive.name}: not readable: {error}") from error


def _captioned(tar: tarfile.TarFile, row: Any, where: str) -> Captioned:
    captions = row.get("captions") if isinstance(row, dict) else None
    if not isinstance(captions, list) or not captions or not isinstance(row.get("image"), str):
        raise InputError(f'{where}: expected {{"image": NAME, "captions": [TEXT, ...]}}')
    try:
        member = tar.extractfile(row["image"])
    except KeyError:
        member = None
    if member is None:
        raise InputError(f"{where}: no image {row['image']!r} in the .tar beside it")
    return Captioned(data=member.read(), captions=tuple(str(caption) for caption in captions))


def _read_shards(source: Path) -> Iterator[Captioned]:
    for found in manifests.load(source):
        if found.kind != "caption":
            raise InputError(f"{source}: {found.kind} shards, expected caption shards")
        for sample in read_samples(found):
            yield Captioned(data=sample.images[0], captions=sample.document.texts)


def _partners(
    pairs: Sequence[Captioned], seed: int
) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """(image, caption) of the matched and of the mismatched pairs; as many of one as of the other.

    A caption that an image has itself is never taken for another's, whoever else has it too.
    """
    draw = random.Random(seed)
    own = [(at, caption) for at, item in enumerate(pairs) for caption in item.captions]
    everything = sorted({caption for _, caption in own})
    others: list[tuple[int, str]] = []
    for at, item in enumerate(pairs):
        if len(everything) == len(set(item.captions)):
            raise RecipeError("all images have the same captions: nothing is mismatched")
        for _ in item.captions:
            while (caption := draw.choice(everything)) in item.captions:
                pass
            others.append((at, caption))
    return own, others


def _cosines(images: Floats, texts: Floats, pairs: Sequence[tuple[int, int]]) -> Floats:
    left, right = np.asarray(pairs).T
    cosines = np.einsum("pd,pd->p", images[left].astype(np.float64), texts[right])
    return np.round(cosines, DECIMALS)


def _open(data: bytes) -> PillowImage.Image:
    try:
        with PillowImage.open(io.BytesIO(data)) as image:
            return image.convert("RGB")
    except (OSError, ValueError, UnidentifiedImageError) as error:
        raise InputError(f"an image does not decode: {error}") from error
