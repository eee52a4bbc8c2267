"""Which samples of a dataset a request means, and what of them."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from openm3w.shards import reader
from openm3w.shards.document import Image
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample
from openm3w.shards.writer import ShardEntry


class Covers(Protocol):
    """What was asked to be forgotten."""

    def covers(self, url: str) -> bool:
        """Whether an address is meant."""

    def covers_content(self, sha256: str) -> bool:
        """Whether bytes of this hash are meant."""

    def covers_document(self, doc_id: str) -> bool:
        """Whether a document is meant by its id."""

    @property
    def of_contents(self) -> bool:
        """Whether any content is meant, so that hashes are worth taking."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What is taken out of one sample."""

    key: str
    images: tuple[int, ...] = ()
    """Which of its images, from 0; empty where the whole sample goes."""
    num_images: int
    """That go, with the sample or alone."""
    characters: int = 0
    """That go with the sample."""
    language: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing of the sample stays."""
        return not self.images


Edits = Mapping[str, tuple[Edit, ...]]
"""By the URL of the shard, of those shards alone that change."""


def find_edits(dataset: Manifest, covers: Covers, *, whole: bool = False) -> Edits:
    """What goes; reads every sample, the excluded ones too. `whole`: documents with their images.

    Raises:
        ShardError: a shard is missing or damaged.
    """
    found = {
        shard.url: tuple(_of_shard(dataset, shard, covers, whole=whole)) for shard in dataset.shards
    }
    return {url: edits for url, edits in found.items() if edits}


def _of_shard(
    dataset: Manifest, shard: ShardEntry, covers: Covers, *, whole: bool
) -> Iterator[Edit]:
    for sample in reader.read_shard(dataset, shard):
        edit = edit_of(sample, covers)
        if edit is None:
            continue
        # A pair without its picture is none.
        yield _all_of(sample) if whole or dataset.kind == "caption" else edit


def edit_of(sample: Sample, covers: Covers) -> Edit | None:
    """What goes of a sample: all of it by its page or id, else the images that are meant."""
    document = sample.document
    page = document.url and covers.covers(document.url)
    if page or any(covers.covers_document(known) for known in {document.doc_id, sample.key}):
        return _all_of(sample)
    fetched = sample.extra.get("sha256")
    images = tuple(
        at
        for at, image in enumerate(document.images)
        if _is_meant(image, sample.images[at], covers)
        or (isinstance(fetched, str) and covers.covers_content(fetched))
    )
    if not images:
        return None
    return replace(_all_of(sample), images=images, num_images=len(images), characters=0)


def _all_of(sample: Sample) -> Edit:
    document = sample.document
    return Edit(
        key=sample.key,
        num_images=len(sample.images),
        characters=document.num_characters,
        language=document.signals.language,
    )


def _is_meant(image: Image, data: bytes, covers: Covers) -> bool:
    if any(covers.covers(url) for url in {image.url, *image.candidates} if url):
        return True
    if not covers.of_contents:
        return False
    # What others noted may be of other bytes.
    noted = image.content.sha256 if image.content else ""
    digits = {noted, hashlib.sha256(data).hexdigest()} - {""}
    return any(map(covers.covers_content, digits))
