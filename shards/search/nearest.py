"""Search by the index that clip-retrieval (autofaiss) made: fast at any size, and approximate."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from openm3w.errors import ShardError
from openm3w.shards.search.vectors import Vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MORE = 4
"""So many times as many candidates as before, where those were too few."""


def is_installed() -> bool:
    """Whether faiss is here."""
    return importlib.util.find_spec("faiss") is not None


class Nearest:
    """Candidates of the index, put in order by their exact scores.

    An index that compresses its vectors knows their scores roughly; a few rows of the embeddings
    are read at no cost worth naming, and leave it only the choice of candidates.
    """

    def __init__(self, path: Path, vectors: Vectors) -> None:
        """Opens `path` without reading it whole.

        Raises:
            ShardError: it is no index, or of other embeddings.
        """
        import faiss

        try:
            self._index: Any = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
        except RuntimeError as error:
            raise ShardError(f"{path}: not an index that faiss reads; index again") from error
        if self._index.ntotal != len(vectors):
            raise ShardError(
                f"{path}: {self._index.ntotal} rows, the embeddings have {len(vectors)}; "
                "index again"
            )
        self._vectors = vectors

    def descending(self, query: NDArray[np.float32], wanted: int) -> Iterator[tuple[int, float]]:
        """(row, score) from the best on, as far as the index knows any; `wanted` is a guess."""
        done: set[int] = set()
        asked = max(_MORE * wanted, 64)
        while True:
            asked = min(asked, len(self._vectors))
            _, found = self._index.search(query[None].astype(np.float32), asked)
            new = np.array(sorted(set(found[0].tolist()) - done - {-1}), dtype=np.int64)
            if not len(new):
                return
            scores = self._vectors.scores_of(new, query)
            for place in np.lexsort((new, -scores)):
                yield int(new[place]), float(scores[place])
            if asked == len(self._vectors):
                return
            done.update(new.tolist())
            asked *= _MORE
