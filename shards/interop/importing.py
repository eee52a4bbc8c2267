"""Rows of another format to a dataset of ours, one at a time.

Every row and every image has one outcome; a document keeps the images that have bytes. Nothing is
fetched: what a row names by address only is looked for in the folders of images that were given.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from openm3w import __version__
from openm3w.errors import InputError, OutputError
from openm3w.shards import card, funnel, manifest, published
from openm3w.shards.document import Document, Image, Provenance, Span, make_doc_id
from openm3w.shards.funnel import Stage
from openm3w.shards.interop.lookup import Lookup
from openm3w.shards.interop.order import Order, digest, recipe_of
from openm3w.shards.interop.output import whole_folder
from openm3w.shards.interop.pictures import Stored, UnusableError, store
from openm3w.shards.interop.rows import MAX_IMAGES, Left, Picture, Row, finite
from openm3w.shards.interop.sources import Source
from openm3w.shards.manifest import Manifest
from openm3w.shards.ordering import shard_url
from openm3w.shards.sample import Sample
from openm3w.shards.writer import ShardEntry, write_shard

_ID_DIGITS = frozenset("0123456789abcdef")
_NOT_HELD = "no_bytes"
"""Reason of an image that a row names and nothing at hand has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What an import ended with."""

    manifest: Manifest
    already_done: bool


@dataclass(slots=True)
class _Tally:
    entered: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)

    def stage(self, unit: funnel.Unit) -> Stage:
        stage = Stage(
            job="import",
            unit=unit,
            entered=self.entered,
            kept=self.kept,
            dropped=self.dropped,
            failed=self.failed,
        )
        stage.check()
        return stage


def import_dataset(order: Order) -> Imported:
    """Writes the dataset, whole or not at all; the same order again finds it done.

    Documents stand in the order of the sources' names and of their rows. Ids are the format's own
    where they tell documents apart and are 32 hex digits, as ours are; else they are made of the
    source's name and the row.

    Raises:
        InputError: a source or a folder of images is missing or damaged, or nothing was kept.
        MissingError: a package that the format needs is not installed.
        OutputError: the output holds something else or cannot be written.
    """
    build = digest(order)
    if (done := _finished(order.output, build)) is not None:
        return Imported(manifest=done, already_done=True)
    with whole_folder(order.output) as root, Lookup(root / ".lookup") as lookup:
        lookup.add(order.images)
        work = _Work(order, lookup)
        shards = tuple(work.shards(root))
        if not shards:
            raise InputError(f"{order.sources[0].path}: nothing was kept: {work.told()}")
        result = Manifest(
            name=order.name,
            kind=order.kind,
            shards=shards,
            root=root,
            recipe=recipe_of(order),
            models=order.format.models,
            versions={"openm3w": __version__},
            build=build,
            counts=work.counts(),
        )
        card.write_extras(result)
        manifest.write(result)
    return Imported(manifest=replace(result, root=order.output), already_done=False)


class _Work:
    """One import: rows to samples, samples to shards, and what became of each."""

    def __init__(self, order: Order, lookup: Lookup) -> None:
        self._order, self._lookup = order, lookup
        self.rows, self.images = _Tally(), _Tally()
        self.languages: Counter[str] = Counter()

    def shards(self, root: Path) -> Iterator[ShardEntry]:
        """Writes the shards of each split, as full as they may be."""
        for split in sorted({source.split for source in self._order.sources}):
            sources = [source for source in self._order.sources if source.split == split]
            samples = itertools.chain.from_iterable(map(self._samples, sources))
            for number in itertools.count():
                chunk = itertools.islice(samples, self._order.samples_per_shard)
                first = next(chunk, None)
                if first is None:
                    break
                yield write_shard(
                    root,
                    shard_url(split, number),
                    itertools.chain([first], chunk),
                    kind=self._order.kind,
                    split=split,
                )

    def counts(self) -> dict[str, Any]:
        """Of the manifest."""
        stages = [self.rows.stage("rows"), self.images.stage("images")]
        return {
            "stages": [funnel.to_json(stage) for stage in stages],
            "languages": dict(sorted(self.languages.items())),
        }

    def told(self) -> str:
        """Why nothing was kept, in words."""
        lost = (self.rows.dropped + self.rows.failed + self.images.dropped).most_common()
        said = ", ".join(f"{reason} {count:,}" for reason, count in lost)
        return f"{self.rows.entered:,} rows ({said})" if said else "the sources have no rows"

    def _samples(self, source: Source) -> Iterator[Sample]:
        for number, found in enumerate(self._order.read(source)):
            self.rows.entered += 1
            if isinstance(found, Left):
                (self.rows.dropped if found.outcome == "dropped" else self.rows.failed)[
                    found.reason
                ] += 1
                continue
            before = self.images.kept
            sample, reason = self._sample(found, _placed(found, source, number))
            if sample is None:
                self.rows.dropped[reason] += 1
                # Each image has one outcome: those that were good go with their document.
                if lost := self.images.kept - before:
                    self.images.dropped["document_dropped"] += lost
                    self.images.kept = before
                continue
            self.rows.kept += 1
            self.languages[sample.document.signals.language] += 1
            yield sample

    def _sample(self, row: Row, document: Document) -> tuple[Sample | None, str]:
        """The sample of a row whose document is this, or the reason for which there is none."""
        order = self._order
        self.images.entered += len(row.pictures)
        too_many = len(row.pictures) > MAX_IMAGES
        given = row.document.doc_id or (row.own_id if row.is_unique else "")
        # The sample's id too: no two samples of a dataset may have one key.
        is_repeated = not all(map(self._lookup.is_new, {document.doc_id, given} - {""}))
        if too_many or is_repeated:
            self.images.dropped["document_dropped"] += len(row.pictures)
            return None, "too_many_images" if too_many else "duplicate_id"
        spans, data = self._spans(row)
        num_images = len(data)
        if not spans or (order.kind == "text" and not document.texts):
            return None, "empty"
        if num_images < order.min_images or (order.kind == "caption" and num_images != 1):
            return None, "too_few_images"
        return (
            Sample(
                key=document.doc_id,
                document=replace(document, spans=spans),
                images=data,
                extra=finite(row.extra),
            ),
            "",
        )

    def _spans(self, row: Row) -> tuple[tuple[Span, ...], tuple[bytes, ...]]:
        """What is kept of a document, in reading order, and the bytes of its images."""
        pictures = iter(row.pictures)
        spans: list[Span] = []
        data: list[bytes] = []
        for span in row.document.spans:
            if not isinstance(span, Image):
                spans.append(span)
                continue
            stored = self._stored(span, next(pictures))
            if stored is not None:
                spans.append(replace(span, content=stored.content))
                data.append(stored.data)
        return tuple(spans), tuple(data)

    def _stored(self, image: Image, picture: Picture) -> Stored | None:
        if self._order.kind == "text":
            self.images.dropped["kind_without_images"] += 1
            return None
        data = picture.data
        if data is None:
            data = self._lookup.find(picture.names)
        if not data:
            self.images.dropped[_NOT_HELD] += 1
            return None
        try:
            stored = store(picture, data, image.content)
        except UnusableError as error:
            self.images.failed[str(error)] += 1
            return None
        self.images.kept += 1
        return stored


def _placed(row: Row, source: Source, number: int) -> Document:
    """The document with an id, and with where it is from as far as it does not say so itself."""
    document = row.document
    own = (document.doc_id, row.own_id) if row.is_unique else (document.doc_id,)
    doc_id = next(filter(_is_id, own), "")
    doc_id = doc_id or make_doc_id("", source.name, number)
    provenance = document.provenance
    if provenance == Provenance(crawl=provenance.crawl, fetched=provenance.fetched):
        provenance = replace(provenance, source=source.name, offset=number, record_id=row.own_id)
    return replace(document, doc_id=doc_id, provenance=provenance)


def _is_id(value: str) -> bool:
    return len(value) == 32 and _ID_DIGITS.issuperset(value)


def _finished(output: Path, build: str) -> Manifest | None:
    """The manifest of this import, where it was done before and its shards are still there."""
    found = published.finished(output)
    if found is not None and found.build != build:
        raise OutputError(f"{output}: holds another dataset; choose another --output")
    return found
