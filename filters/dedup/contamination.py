"""How much of a document stands in evaluation texts: runs of words that both have.

GPT-3 (Brown et al., 2020, arXiv:2005.14165, appendix C) calls a document contaminated that shares
13 words in a row with an evaluation set. Here words are folded as for near duplicates, and the
share is a number that a profile bounds.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from openm3w.filters.dedup.shingles import ngrams

DEFAULT_NGRAM = 13
"""Words of a run: GPT-3."""


def known_ngrams(texts: Iterable[str], words: int) -> NDArray[np.uint64]:
    """uint64[n] distinct runs of the texts, ascending; texts of fewer words have none."""
    found = [ngrams(text, words) for text in texts]
    return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.uint64)


def contamination(text: str, words: int, known: NDArray[np.uint64]) -> float:
    """Share of the text's runs of `words` words that are known; 0 where it has none.

    `known` is ascending. Rounded to 1e-4, so that the number is the same however it is stored.
    """
    found = ngrams(text, words)
    if not found.size or not known.size:
        return 0.0
    places = np.minimum(np.searchsorted(known, found), known.size - 1)
    return round(float(np.mean(known[places] == found)), 4)
