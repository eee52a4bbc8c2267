"""One shard to embeddings: every picture has one outcome, and only `indexed` ones have a row.

Shapes: N rows, D dimensions.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from openm3w.pipeline.searching.rows import Row, rows_of
from openm3w.shards import decoding
from openm3w.shards.manifest import Manifest
from openm3w.shards.reader import read_shard
from openm3w.shards.sample import Sample
from openm3w.shards.search.folder import SIDES_OF, Part, Side, What
from openm3w.shards.writer import ShardEntry
from openm3w.trainer.encoders import Similarity

INDEXED, UNDECODABLE, EXCLUDED = "indexed", "undecodable", "excluded"
NO_PICTURE, NO_WORDS = "no_picture", "no_words"
OUTCOMES = (INDEXED, UNDECODABLE, EXCLUDED, NO_PICTURE, NO_WORDS)

_CHUNK = 64
"""Rows that a model sees at a time; the models cut them smaller."""
_CHUNK_PIXELS = 1 << 26
"""Or fewer, where their pictures are large: 192 MiB of RGB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """A row with where it is from."""

    in_shard: int
    key: str
    page_url: str
    row: Row
    image: PillowImage.Image | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A part, ready to be written."""

    part: Part
    vectors: dict[Side, NDArray[np.float16]]
    """float16[N, D] by side, as clip-retrieval 2.45 stores them (clip_inference/mapper.py)."""
    rows: NDArray[np.int32]
    """int32[N, 2]: number in the shard from 0, picture from 1 (0: none)."""
    columns: dict[str, list[Any]]
    """The metadata by column; clip-retrieval's and ours."""


def embed_shard(
    manifest: Manifest, shard: ShardEntry, *, number: int, model: Similarity, what: What
) -> Embedded:
    """Embeds one shard; the same shard gives the same bytes.

    Raises:
        ShardError: the shard is missing or damaged.
    """
    excluded = frozenset(manifest.exclude)
    counts: Counter[str] = Counter()
    left_out: list[str] = []
    entries: list[_Entry] = []
    vectors: dict[Side, list[NDArray[np.float16]]] = {side: [] for side in SIDES_OF[what]}
    samples = _kept(read_shard(manifest, shard), excluded, counts, left_out)
    for chunk in _chunks(_entries(samples, manifest, what, counts)):
        for side, found in vectors.items():
            found.append(_encode(side, chunk, model))
        # The pictures themselves are no longer needed.
        entries += [_without_image(entry) for entry in chunk]
    part = Part(
        number=number,
        sha256=shard.sha256,
        rows=len(entries),
        counts={name: counts[name] for name in OUTCOMES if counts[name]},
        excluded=tuple(left_out),
    )
    empty = np.empty((0, model.dim), np.float16)
    return Embedded(
        part=part,
        vectors={side: np.concatenate([empty, *found]) for side, found in vectors.items()},
        rows=np.array([(e.in_shard, e.row.picture) for e in entries], np.int32).reshape(-1, 2),
        columns=_columns(entries),
    )


def _kept(
    samples: Iterable[Sample], excluded: frozenset[str], counts: Counter[str], left_out: list[str]
) -> Iterator[tuple[int, Sample]]:
    """(number in the shard, sample) of those that are not excluded."""
    for in_shard, sample in enumerate(samples):
        if sample.key in excluded:
            counts[EXCLUDED] += max(1, len(sample.images))
            left_out.append(sample.key)
        else:
            yield in_shard, sample


def _entries(
    samples: Iterable[tuple[int, Sample]], manifest: Manifest, what: What, counts: Counter[str]
) -> Iterator[_Entry]:
    for in_shard, sample in samples:
        for row in rows_of(sample, manifest.kind):
            image = decoding.decode(row.data) if row.picture and what != "texts" else None
            outcome = _outcome(row, image, what)
            counts[outcome] += 1
            if outcome == INDEXED:
                yield _Entry(
                    in_shard=in_shard,
                    key=sample.key,
                    page_url=sample.document.url,
                    row=row,
                    image=image,
                )


def _outcome(row: Row, image: PillowImage.Image | None, what: What) -> str:
    if what == "texts":
        return INDEXED if row.words else NO_WORDS
    if not row.picture:
        return NO_PICTURE
    return UNDECODABLE if image is None else INDEXED


def _chunks(entries: Iterable[_Entry]) -> Iterator[list[_Entry]]:
    chunk: list[_Entry] = []
    pixels = 0
    for entry in entries:
        size = entry.image.width * entry.image.height if entry.image else 0
        if chunk and (len(chunk) == _CHUNK or pixels + size > _CHUNK_PIXELS):
            yield chunk
            chunk, pixels = [], 0
        chunk.append(entry)
        pixels += size
    if chunk:
        yield chunk


def _encode(side: Side, chunk: Sequence[_Entry], model: Similarity) -> NDArray[np.float16]:
    """float16[N, D]; of what nothing is said zeros, which are similar to nothing."""
    if side == "image":
        images = [entry.image for entry in chunk if entry.image is not None]
        return np.asarray(model.encode_images(images)).astype(np.float16)
    out = np.zeros((len(chunk), model.dim), np.float16)
    at = [place for place, entry in enumerate(chunk) if entry.row.words]
    if at:
        out[at] = np.asarray(model.encode_texts([chunk[place].row.words for place in at]))
    return out


def _without_image(entry: _Entry) -> _Entry:
    row = Row(
        picture=entry.row.picture,
        data=b"",
        words=entry.row.words,
        image_path=entry.row.image_path,
        url=entry.row.url,
    )
    return _Entry(
        in_shard=entry.in_shard, key=entry.key, page_url=entry.page_url, row=row, image=None
    )


def _columns(entries: Sequence[_Entry]) -> dict[str, list[Any]]:
    return {
        "image_path": [entry.row.image_path for entry in entries],
        "caption": [entry.row.words for entry in entries],
        "url": [entry.row.url for entry in entries],
        "key": [entry.key for entry in entries],
        "picture": [entry.row.picture for entry in entries],
        "page_url": [entry.page_url for entry in entries],
    }
