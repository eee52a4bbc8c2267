"""Exact search: the dot product of a question with every embedding, block by block from disk.

Numbers of two bytes are half of what has to be read; NumPy widens them one by one, which takes
longer than the product. Their bits, moved to where float32 has them, are the same numbers times
2^-112, which the question makes up for: four to eight times as fast (benchmarks/search.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openm3w.errors import ShardError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_BLOCK = 1 << 18
"""Numbers that are widened at a time: 1 MiB of float32, which stays in the cache of a core."""

# IEEE 754: binary16 has its exponent biased by 15 and 10 bits of fraction, binary32 127 and 23.
_SHIFT = 23 - 10
_SCALE = np.float32(2.0 ** (127 - 15))
# Sign and, below the three bits of the exponent that binary16 lacks, all else.
_MASK = np.int32(-(1 << 31) + (1 << 28) - 1)

FIRST = 64
"""So many of the best are put in order at first; few questions want more."""


class Vectors:
    """Embeddings of several files as one matrix, mapped and not read."""

    def __init__(self, files: Sequence[tuple[Path, int]], dim: int) -> None:
        """`files` with the number of their rows, in order.

        Raises:
            ShardError: a file is missing, or is not what it should be.
        """
        self._parts = [_mapped(path, rows, dim) for path, rows in files]
        self._starts = np.cumsum([0, *(rows for _, rows in files)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def scores(self, query: Floats) -> Floats:
        """float32[N]: the dot product of each row with `query`, float32[D]."""
        out = np.empty(len(self), np.float32)
        for part, start in zip(self._parts, self._starts, strict=False):
            _products(part, query, out[start : start + len(part)])
        return out

    def scores_of(self, rows: NDArray[np.int64], query: Floats) -> Floats:
        """float32[K]: the dot products of some rows."""
        out = np.empty(len(rows), np.float32)
        at = np.searchsorted(self._starts, rows, side="right") - 1
        for place, (part, row) in enumerate(zip(at, rows, strict=True)):
            out[place] = self._parts[part][row - self._starts[part]].astype(np.float32) @ query
        return out


def descending(scores: Floats) -> Iterator[tuple[int, float]]:
    """(row, score) from the best on, equal scores by row; only as many are sorted as are asked."""
    done, wanted = 0, FIRST
    while done < len(scores):
        wanted = min(wanted, len(scores))
        bound = np.partition(scores, len(scores) - wanted)[len(scores) - wanted]
        best = np.flatnonzero(scores >= bound)
        best = best[np.lexsort((best, -scores[best]))]
        for row in best[done:]:
            yield int(row), float(scores[row])
        done, wanted = len(best), wanted * 8


def _products(part: NDArray[Any], query: Floats, out: Floats) -> None:
    rows = max(1, _BLOCK // part.shape[1])
    if part.dtype == np.float32:
        for start in range(0, len(part), rows):
            np.dot(part[start : start + rows], query, out=out[start : start + rows])
        return
    bits, scaled = part.view(np.int16), query * _SCALE
    buffer = np.empty((min(rows, len(part)), part.shape[1]), np.int32)
    for start in range(0, len(part), rows):
        block = buffer[: len(bits[start : start + rows])]
        block[...] = bits[start : start + rows]
        np.left_shift(block, _SHIFT, out=block)
        np.bitwise_and(block, _MASK, out=block)
        np.dot(block.view(np.float32), scaled, out=out[start : start + rows])


def _mapped(path: Path, rows: int, dim: int) -> NDArray[Any]:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ShardError(f"{path}: not readable: {error}; index again") from error
    if found.shape != (rows, dim) or found.dtype not in (np.float16, np.float32):
        raise ShardError(
            f"{path}: {found.dtype}{list(found.shape)}, expected [{rows}, {dim}]: damaged; "
            "index again"
        )
    return np.asarray(found)
