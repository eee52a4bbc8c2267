"""What it costs to look for evaluation texts in documents."""

import re
import time
from collections.abc import Iterator, Sequence

import numpy as np

from openm3w.filters.dedup.contamination import (
    DEFAULT_NGRAM,
    LEAST_WHOLE,
    Known,
    contamination,
    known_texts,
)

TEXTS = 10_000
"""Made for each kind: of the order of MMLU's test set, which has 14,042 questions."""
LONG = 30
"""Words of a text that has runs."""


def ways(texts: Sequence[str]) -> dict[str, Known]:
    """Evaluation texts with runs alone, and with as many texts of each shorter length besides.

    Their words are drawn from those of `texts`, so that they are of a kind and hardly ever met;
    from those of Latin letters, since each length that there is costs a look of its own.
    """
    runs = known_texts(_drawn(texts, [LONG], 0), DEFAULT_NGRAM)
    shorter = known_texts(_drawn(texts, range(LEAST_WHOLE, DEFAULT_NGRAM), 1), DEFAULT_NGRAM)
    return {
        f"runs of {DEFAULT_NGRAM} words": runs,
        f"and whole texts of {LEAST_WHOLE} to {DEFAULT_NGRAM - 1} words": runs.joined(shorter),
    }


def seconds(texts: Sequence[str], known: Known) -> float:
    """CPU seconds of this process for all texts, each looked through once."""
    start = time.process_time()
    for text in texts:
        contamination(text, known)
    return time.process_time() - start


def _drawn(texts: Sequence[str], lengths: Sequence[int], seed: int) -> Iterator[str]:
    words = re.findall("[A-Za-z]+", " ".join(texts))
    rng = np.random.default_rng(seed)
    for length in lengths:
        for places in rng.integers(0, len(words), (TEXTS, length)).tolist():
            yield " ".join(words[place] for place in places)
