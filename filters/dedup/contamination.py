"""How much of a document stands in evaluation texts: runs of words that both have.

GPT-3 (Brown et al., 2020, arXiv:2005.14165, appendix C) calls a document contaminated that shares
13 words in a row with an evaluation set. Here words are folded as for near duplicates, and the
share is a number that a profile bounds. An evaluation text of fewer words has no such run: it is
looked for as a whole.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from openm3w.filters.dedup.shingles import Folded

DEFAULT_NGRAM = 13
"""Words of a run: GPT-3."""
LEAST_WHOLE = 5
"""Words of the shortest text that is looked for. Ours: shorter ones, as "What is the answer?",
stand in pages that have nothing to do with an evaluation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Evaluation texts as numbers of runs of words."""

    words: int
    """Of a run."""
    runs: Mapping[int, NDArray[np.uint64]] = field(default_factory=dict)
    """Length in quarters of a word -> distinct numbers, ascending: runs of `words` words, and
    whole texts that are shorter."""
    texts: int = 0
    whole: int = 0
    """Texts shorter than a run, which are looked for as a whole."""
    missed: int = 0
    """Texts shorter than that, too, which are not looked for."""

    @property
    def size(self) -> int:
        """Different numbers."""
        return sum(numbers.size for numbers in self.runs.values())

    def joined(self, other: "Known") -> "Known":
        """These texts and others."""
        none = np.empty(0, dtype=np.uint64)
        return Known(
            words=self.words,
            runs={
                length: np.union1d(self.runs.get(length, none), other.runs.get(length, none))
                for length in sorted({*self.runs, *other.runs})
            },
            texts=self.texts + other.texts,
            whole=self.whole + other.whole,
            missed=self.missed + other.missed,
        )


def known_texts(texts: Iterable[str], words: int) -> Known:
    """What is looked for of some texts."""
    found: dict[int, list[NDArray[np.uint64]]] = defaultdict(list)
    count = whole = missed = 0
    for text in texts:
        folded = Folded.of(text)
        count += 1
        if folded.quarters < 4 * min(words, LEAST_WHOLE):
            missed += 1
            continue
        length = min(folded.quarters, 4 * words)
        whole += length < 4 * words
        found[length].append(folded.runs(length)[0])
    return Known(
        words=words,
        runs={length: np.unique(np.concatenate(some)) for length, some in sorted(found.items())},
        texts=count,
        whole=whole,
        missed=missed,
    )


def contamination(text: str, known: Known) -> float:
    """Share of the text's runs that are known or hold a whole shorter evaluation text.

    A text of fewer words than a run has is one run. 0 without any word. Rounded to 1e-4, so that
    the number is the same however it is stored.
    """
    folded = Folded.of(text)
    if not folded.quarters or not known.size:
        return 0.0
    length = 4 * known.words
    numbers, ends = folded.runs(length)
    hit = np.zeros(numbers.size, dtype=np.bool_)
    for quarters, looked_for in known.runs.items():
        if quarters > folded.quarters:
            continue
        if quarters == length:
            hit |= _among(looked_for, numbers)
            continue
        shorter, upto = folded.runs(quarters)
        for start in np.flatnonzero(_among(looked_for, shorter)):
            # The runs that begin no later than the text, from the first that reaches its end.
            hit[int(np.searchsorted(ends, upto[start])) : start + 1] = True
    return round(float(np.mean(hit)), 4)


def _among(known: NDArray[np.uint64], numbers: NDArray[np.uint64]) -> NDArray[np.bool_]:
    places = np.minimum(np.searchsorted(known, numbers), known.size - 1)
    return np.equal(known[places], numbers, dtype=np.bool_)
