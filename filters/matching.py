"""Which sentence each image goes to, by the whole of the cosines: of one document, and of many.

The sum of the cosines is the largest there is with one image for a sentence; where images outnumber
sentences, those left over go to their best one. Of equal sums the one is taken in which images move
over the fewest sentences.

Source: MMC4 (Zhu et al., 2023, arXiv:2304.06939), section 3.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from openm3w.filters.rows import Floats, Integers, Sentences

_STEPS = 10_000
"""Scores come rounded to 1e-4: in these steps they are whole numbers, and sums of them exact."""
_PAIRS = 1 << 20  # of an image and a sentence, in memory at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """Where images go."""

    images: Integers
    """int64[K]: which images, ascending."""
    sentences: Integers
    """int64[K]: the number of each one's sentence in its document."""
    cosines: Floats
    """float64[K]: of each with its sentence."""


def match(rows: Sequence[Sequence[float]], before: Sequence[int]) -> list[int]:
    """For each image of a document the number of its sentence.

    `rows` are the cosines of each image with every sentence, of which there is one at least;
    `before` says how many sentences stand before each image.
    """
    cosines = np.asarray(rows, dtype=np.float64)
    distance = np.abs(np.arange(cosines.shape[1]) - np.asarray(before)[:, None])
    weights = _weights(cosines, distance, cosines.size + len(cosines))
    best = weights.argmax(axis=1)
    chosen = best if np.unique(best).size == best.size else _assigned(weights)
    return [int(sentence) for sentence in chosen]


def match_rows(sentences: Sentences, owners: Integers, images: Integers) -> Matches:
    """The same for the given images of many documents; `owners` are the documents of all images.

    Images of documents without sentences are not among the matches.
    """
    images = images[sentences.numbers[owners[images]] > 0]
    sizes = sentences.numbers[owners[images]]
    parts = [_matched(sentences, owners, images[part]) for part in _parts(owners[images], sizes)]
    found, chosen, cosines = zip(*parts, strict=True) if parts else ((), (), ())
    return Matches(
        images=np.concatenate([*found, np.zeros(0, np.int64)]),
        sentences=np.concatenate([*chosen, np.zeros(0, np.int64)]),
        cosines=np.concatenate([*cosines, np.zeros(0)]),
    )


def _parts(groups: Integers, sizes: Integers) -> Iterator[slice]:
    """Whole groups, together not much more than `_PAIRS`."""
    ends = np.append(np.flatnonzero(np.diff(groups)) + 1, len(groups))
    done = np.cumsum(sizes)
    start = 0
    while start < len(groups):
        most = _PAIRS + (done[start - 1] if start else 0)
        inside = ends[(ends > start) & (done[ends - 1] <= most)]
        end = int(inside[-1] if inside.size else ends[ends > start][0])
        yield slice(start, end)
        start = end


def _matched(
    sentences: Sentences, owners: Integers, images: Integers
) -> tuple[Integers, Integers, Floats]:
    documents = owners[images]
    sizes = sentences.numbers[documents]
    firsts = np.cumsum(sizes) - sizes
    # Of each pair of an image and a sentence: which image, and which sentence of the document.
    image = np.repeat(np.arange(len(images)), sizes)
    sentence = np.arange(len(image)) - firsts[image]
    column = sentences.columns[sentences.starts[documents][image] + sentence]
    cosines = sentences.scores[sentences.score_starts[images][image] + column]
    distance = np.abs(sentence - sentences.before[images][image])
    together = np.bincount(documents)[documents]
    weights = _weights(cosines, distance, (together * (sizes + 1))[image])
    best = np.maximum.reduceat(weights, firsts)
    hits = np.flatnonzero(weights == best[image])
    chosen = sentence[hits[np.diff(image[hits], prepend=-1) > 0]]
    for start, end in _rivals(documents, chosen):
        block = weights[firsts[start] : firsts[end - 1] + sizes[end - 1]]
        chosen[start:end] = _assigned(block.reshape(end - start, -1))
    return images, chosen, cosines[firsts + chosen]


def _rivals(documents: Integers, chosen: Integers) -> Iterator[tuple[int, int]]:
    """Begin and end of the documents in which two images have the same best sentence."""
    order = np.lexsort((chosen, documents))
    same = (np.diff(documents[order]) == 0) & (np.diff(chosen[order]) == 0)
    for document in np.unique(documents[order][1:][same]):
        start, end = np.searchsorted(documents, [document, document + 1])
        yield int(start), int(end)


def _weights(cosines: Floats, distance: Integers, unit: Any) -> Floats:
    """Whole numbers: cosines first, then how near a sentence is.

    A step of a cosine weighs `unit`, which is more than all distances of a document together.
    """
    weights: Floats = np.rint(cosines * _STEPS) * unit - distance
    return weights


def _assigned(weights: Floats) -> NDArray[np.int64]:
    """The assignment of the largest sum in float64[images, sentences]."""
    from scipy.optimize import linear_sum_assignment

    chosen: NDArray[np.int64] = weights.argmax(axis=1)
    images, sentences = linear_sum_assignment(weights, maximize=True)
    chosen[images] = sentences
    return chosen
