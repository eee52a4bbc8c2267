"""MinHash signatures and their bands: similar texts found without comparing all pairs.

A permutation of the shingles' 32-bit numbers is x -> (a x + b) mod 2^32 with `a` odd, in uint32
arithmetic, which wraps at just that modulus; a signature holds the least value under each. Two
sets agree in one value with the chance of their Jaccard similarity (Broder 1997, "On the
resemblance and containment of documents"). The shingles' numbers are mixed beforehand, so that
these simple permutations are enough: see the measured points in docs/deduplication.md.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from openm3w.errors import RecipeError
from openm3w.filters.dedup.shingles import DEFAULT_WORDS, mixed, shingles

_SHINGLES_AT_A_TIME = 1024  # times 112 permutations: half a megabyte, which caches hold


MAX_VALUES = 10_000
"""Of a signature: the most of any published recipe are RefinedWeb's 9,000, 20 bands of 450."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MinHash:
    """How signatures are made and compared. FineWeb's numbers (arXiv:2406.17557), and any other."""

    bands: int = 14
    rows: int = 8
    """Values of a band; two texts are candidates when all values of one band agree."""
    words: int = DEFAULT_WORDS
    """Words of a shingle."""
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("bands", "rows", "words"):
            if getattr(self, name) < 1:
                raise RecipeError(f"minhash.{name}: is {getattr(self, name)}; use 1 or more")
        if self.values > MAX_VALUES:
            raise RecipeError(
                f"minhash: {self.bands} bands of {self.rows} rows are {self.values} values; use "
                f"{MAX_VALUES} or fewer"
            )
        if self.seed < 0:
            raise RecipeError(f"minhash.seed: is {self.seed}; use 0 or more")

    @property
    def values(self) -> int:
        """Numbers in a signature."""
        return self.bands * self.rows

    def signature(self, text: str) -> NDArray[np.uint32] | None:
        """uint32[bands*rows], or None for a text without a word."""
        found = shingles(text, self.words)
        return self.of_shingles(found) if found.size else None

    def of_shingles(self, numbers: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """uint32[bands*rows] least values over uint32[n] shingles, of which there is one or more.

        Raises:
            ValueError: there are none.
        """
        if not numbers.size:
            raise ValueError("a signature needs at least one shingle")
        factors, offsets = _permutations(self.values, self.seed)
        least = np.full(self.values, 0xFFFFFFFF, dtype=np.uint32)
        for at in range(0, numbers.size, _SHINGLES_AT_A_TIME):
            permuted = factors * numbers[at : at + _SHINGLES_AT_A_TIME]  # uint32[values, some]
            permuted += offsets
            np.minimum(least, permuted.min(axis=1), out=least)
        return least

    def band_keys(self, signature: NDArray[np.uint32]) -> list[bytes]:
        """One key of 8 bytes for each band; texts are candidates where they share a key.

        A value's place in the signature, and so the band, is part of it. Two different bands have
        one key with a chance of 2^-64: among 10^9 documents of 14 bands some 5 pairs are expected.
        """
        place = np.arange(self.values, dtype=np.uint64) << np.uint64(32)
        numbers = mixed(place | signature).reshape(self.bands, self.rows).sum(axis=1)
        return [number.tobytes() for number in mixed(numbers).astype("<u8")]


def estimated_jaccard(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> float:
    """Share of equal values: the similarity s with a standard error of sqrt(s (1 - s) / values)."""
    return float(np.mean(one == other))


def candidate_probability(similarity: float, bands: int = 14, rows: int = 8) -> float:
    """Chance that two texts of this Jaccard similarity share a band: 1 - (1 - s^rows)^bands.

    Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", section 3.4.2.
    """
    return float(1 - (1 - similarity**rows) ** bands)


def verified_probability(similarity: float, least: float, bands: int = 14, rows: int = 8) -> float:
    """Chance that two texts share a band and that `least` of their values or more are equal.

    Values agree independently of each other with the chance of the similarity; added up over the
    number of equal values, band by band, with and without a band that agrees throughout.
    """
    agree = np.array(
        [math.comb(rows, n) * similarity**n * (1 - similarity) ** (rows - n)
         for n in range(rows + 1)]
    )  # fmt: skip
    partly = np.append(agree[:-1], 0.0)
    every, none_whole = np.ones(1), np.ones(1)
    for _ in range(bands):
        every, none_whole = np.convolve(every, agree), np.convolve(none_whole, partly)
    enough = np.arange(bands * rows + 1) / (bands * rows) >= least
    return float((every - none_whole)[enough].sum())


@functools.cache
def _permutations(values: int, seed: int) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """uint32[values, 1] odd factors, and offsets."""
    # PCG64's stream is the same in every version of numpy; that of a Generator's methods is not.
    drawn = np.random.PCG64(seed).random_raw(2 * values).astype(np.uint64) >> np.uint64(32)
    numbers = drawn.astype(np.uint32).reshape(2, values, 1)
    return numbers[0] | np.uint32(1), numbers[1]
