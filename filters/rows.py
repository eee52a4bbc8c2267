"""Stored numbers of many documents at once, as columns, and what became of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coded:
    """Strings of which many are equal: each distinct one once, and which of them stands where."""

    names: tuple[Any, ...]
    codes: Integers

    def where(self, holds: Callable[[Any], bool]) -> Mask:
        """bool[N]: whether `holds` is true of the value there; it is asked once for each."""
        return np.array([holds(name) for name in self.names], dtype=np.bool_)[self.codes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """The sentences of N documents, S in all, and how well their M images fit them."""

    starts: Integers
    """int64[N + 1]: where each document's sentences begin, and the end of the last."""
    columns: Integers
    """int64[S]: the place of a sentence's cosine in the rows of its document's images."""
    words_before: Integers
    """int64[S + N]: words before each sentence; after a document's last one those of its text."""
    before: Integers
    """int64[M]: sentences that stand before each image."""
    score_starts: Integers
    """int64[M]: where an image's row begins in `scores`."""
    scores: Floats
    """float64[...]: the rows of cosines, of all images that are available."""

    @property
    def numbers(self) -> Integers:
        """int64[N]: how many sentences each document has."""
        numbers: Integers = np.diff(self.starts)
        return numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What is stored of N documents with P paragraphs and M images."""

    doc_ids: Sequence[str]
    urls: Coded
    """Empty where the profile does not ask for them."""
    languages: Coded
    language_scores: Floats
    """float64[N]."""
    opt_out: Coded
    """Tuples of signals."""
    pages: Mapping[str, Floats]
    """Name -> float64[N]: `measuring.measure_page`."""
    texts: Mapping[str, Floats]
    """Name -> float64[N]: `measuring.measure_text` of the profile's view."""
    paragraphs: Integers
    """int64[N + 1]: where each document's paragraphs begin, and the end of the last."""
    words: Integers
    """int64[P]."""
    tokens: Integers
    """int64[P]."""
    owners: Integers
    """int64[M]: the document of each image, ascending; a document's images in their order."""
    fates: Coded
    """[M]: "" or why an image's bytes are not there."""
    before: Integers
    """int64[M]: how many paragraphs of its document stand before an image."""
    images: Mapping[str, Floats]
    """Name -> float64[M]: `measuring.measure_image`."""
    phashes: NDArray[np.uint64]
    """uint64[M]: perceptual hashes; empty where the profile does not ask."""
    is_hashed: Mask
    """bool[M]: where there is one."""
    sentences: Sentences | None = None
    """None where the profile does not ask for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What became of documents and images."""

    pages: Coded
    """[N]: "" where kept, else the reason."""
    images: Coded
    """[M]: likewise, also for those that had a fate before."""
