"""A `Searcher` over an index folder and the manifests that it was made from."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from openm3w.errors import InputError, ShardError
from openm3w.shards.catalog.numbered import Shown
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.manifest import Manifest
from openm3w.shards.search import folder as layout
from openm3w.shards.search.folder import Index, Part, Side
from openm3w.shards.search.nearest import Nearest
from openm3w.shards.search.questions import Encoder, Hit
from openm3w.shards.search.vectors import Vectors, descending

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


class IndexSearcher:
    """Finds pictures and documents by the index of a folder.

    What is on the exclude list of a manifest is no answer, and nothing of a shard that has changed
    since: it may hold what had to go. `num_stale` says how many shards that are.
    """

    def __init__(
        self,
        folder: Path,
        index: Index,
        manifests: Sequence[Manifest],
        encoder: Encoder,
        *,
        side: Side,
        exact: bool = False,
    ) -> None:
        """`exact` looks at every embedding, whether or not there is an index of neighbours.

        Raises:
            InputError: the index has no embeddings of that side.
            ShardError: a file of the folder is missing or damaged.
        """
        if side not in index.sides:
            raise InputError(f"{folder}: holds {index.what} alone; index with --what both")
        self.model_id = index.model_id
        self._folder, self._encoder, self._side = folder, encoder, side
        self.catalog = Catalog(manifests)
        self._parts = [part for part in index.parts if part.rows]
        self._starts = [0, *itertools.accumulate(part.rows for part in self._parts)]
        self._first = _first_numbers(manifests)
        self._vectors = Vectors(
            [
                (layout.embeddings_path(folder, side, part.number), part.rows)
                for part in self._parts
            ],
            index.dim,
        )
        path = layout.nearest_path(folder, side)
        self.exact = exact or not len(self._vectors)
        self._nearest = None if self.exact else Nearest(path, self._vectors)
        known = {part.sha256 for part in index.parts}
        self.num_stale = max(len(known - self._first.keys()), len(self._first.keys() - known))

    def search_text(self, text: str, limit: int) -> list[Hit]:
        """See `Searcher`."""
        return self.search(self._encoder.encode_text(text), limit)

    def search_image(self, data: bytes, limit: int) -> list[Hit]:
        """See `Searcher`."""
        return self.search(self._encoder.encode_image(data), limit)

    def search(self, query: Floats, limit: int) -> list[Hit]:
        """At most `limit` hits for a direction, float32[D]."""
        hits: list[Hit] = []
        if self._nearest is not None:
            hits = self._hits(self._nearest.descending(query, limit), limit)
        if len(hits) < limit:  # the index sees but a part of the space, which may all be excluded
            hits = self._hits(descending(self._vectors.scores(query)), limit)
        return hits

    def _hits(self, ranked: Iterator[tuple[int, float]], limit: int) -> list[Hit]:
        found = (self._hit(row, score) for row, score in ranked)
        return list(itertools.islice((hit for hit in found if hit is not None), limit))

    def _hit(self, row: int, score: float) -> Hit | None:
        at = bisect.bisect_right(self._starts, row) - 1
        part = self._parts[at]
        first = self._first.get(part.sha256)
        # A picture of which nothing is said is a vector of zeros among the texts.
        if first is None or (self._side == "text" and score == 0):
            return None
        in_shard, picture = self._place(part, row - self._starts[at])
        shown = self.catalog.read(first + in_shard)
        if self.catalog.is_hidden(first + in_shard, shown.sample.key):
            return None
        if picture > len(shown.sample.images):
            raise ShardError(f"{self._folder}: leads to pictures that are not there; index again")
        return _hit(shown, picture, score)

    def _place(self, part: Part, row: int) -> tuple[int, int]:
        path = layout.rows_path(self._folder, part.number)
        try:
            rows = np.load(path, mmap_mode="r", allow_pickle=False)
            in_shard, picture = rows[row].tolist()
        except (OSError, ValueError, IndexError, EOFError) as error:
            raise ShardError(f"{path}: not readable: {error}; index again") from error
        return in_shard, picture


def _hit(shown: Shown, picture: int, score: float) -> Hit:
    document = shown.sample.document
    image = document.images[picture - 1] if picture else None
    return Hit(
        score=score,
        number=shown.number - 1,
        key=shown.sample.key,
        picture=picture,
        url=image.url if image else document.url,
        caption=_caption(shown, picture),
        alt=image.alt if image else "",
        title=document.title,
        page_url=document.url,
    )


def _caption(shown: Shown, picture: int) -> str:
    document = shown.sample.document
    if shown.kind == "caption":
        return "\n\n".join(document.texts)
    return document.images[picture - 1].caption if picture else ""


def _first_numbers(manifests: Sequence[Manifest]) -> dict[str, int]:
    """A shard's digest -> the number of its first sample in the catalog."""
    found: dict[str, int] = {}
    number = 0
    for manifest in manifests:
        for shard in manifest.shards:
            found.setdefault(shard.sha256, number)
            number += shard.nsamples
    return found
