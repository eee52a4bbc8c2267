"""Documents with pictures for a report: some that were dropped for each reason, and some kept.

They are looked at by the one who makes the report. The page that is published has none: what was
dropped was dropped for a reason.
"""

import base64
import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from openm3w.errors import ShardError
from openm3w.shards import reader
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.decoding import decode
from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Sample
from openm3w.shards.terminal import clean, clean_line, counted

MAX_BYTES: Final = 12_000_000
"""Of all pictures together, as they stand in the page. Ours: a browser opens it at once, and it
holds some 2,000 of them."""
MOST_PICTURES: Final = 3
"""Of one document."""
_SIDE: Final = 192
_QUALITY: Final = 70
_TEXT: Final = 360
"""Characters of a document's text that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A small JPEG as a `data:` URI."""

    uri: str
    alt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One document as the page has it: plain strings, and pictures."""

    title: str
    url: str
    text: str
    about: str
    pictures: tuple[Picture, ...]
    left_out: str
    """What of its pictures is not shown, or ""."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Documents with one fate."""

    title: str
    said: str
    samples: tuple[Shown, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """What a page shows of documents."""

    groups: tuple[Group, ...]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Thumbnails:
    """Makes small pictures until there are enough bytes of them."""

    left: int = MAX_BYTES
    refused: int = 0
    """Pictures that had no room."""
    undecodable: int = 0
    made: dict[str, str] = field(default_factory=dict)

    def of(self, data: bytes) -> str:
        """A `data:` URI; "" where the picture does not decode or has no room."""
        key = hashlib.sha256(data).hexdigest()
        if (known := self.made.get(key)) is not None and len(known) <= self.left:
            self.left -= len(known)
            return known
        uri = _small(data)
        if not uri:
            self.undecodable += 1
        elif len(uri) > self.left:
            self.refused += 1
            return ""
        self.left -= len(uri)
        self.made[key] = uri
        return uri


def dropped(manifest: Manifest, most: int, thumbnails: Thumbnails) -> Iterator[Group]:
    """At most so many documents of each reason, of the sample that a build left in its store.

    Raises:
        ShardError: it is damaged.
    """
    groups: dict[str, list[Sample]] = {}
    for shard in manifest.shards:
        for sample in reader.read_shard(manifest, shard):
            those = groups.setdefault(sample.document.dropped or "dropped", [])
            if len(those) < most:
                those.append(sample)
    for name, samples in groups.items():
        yield Group(
            title=name,
            said=f"{counted(len(samples), 'dropped document')}, by chance",
            samples=tuple(_shown(sample, thumbnails) for sample in samples),
        )


def kept(manifests: Sequence[Manifest], most: int, thumbnails: Thumbnails) -> Iterator[Group]:
    """Some documents of the dataset, the same each time."""
    catalog = Catalog(manifests)
    samples = []
    for number in _chosen(len(catalog), most):
        try:
            if (found := catalog.step(number, 1)) is not None:
                samples.append(found.sample)
        except ShardError:
            continue  # `m3w shards verify` tells of it
    if samples:
        yield Group(
            title="kept",
            said=f"{counted(len(samples), 'document')} of the dataset, by chance",
            samples=tuple(_shown(sample, thumbnails) for sample in samples),
        )


def notes(thumbnails: Thumbnails) -> Iterator[str]:
    """What the page says of its pictures."""
    if thumbnails.refused:
        yield (
            f"{thumbnails.refused:,} pictures are left out: those shown have the "
            f"{MAX_BYTES // 1_000_000} MB that a page may have."
        )
    if thumbnails.undecodable:
        yield f"{counted(thumbnails.undecodable, 'picture')} could not be decoded."


def _chosen(total: int, most: int) -> list[int]:
    """Numbers of samples, spread evenly: shards are shuffled, so that these are by chance."""
    count = min(total, most)
    return [at * total // count for at in range(count)]


def _shown(sample: Sample, thumbnails: Thumbnails) -> Shown:
    document, pictures = sample.document, []
    both = zip(document.images, sample.images, strict=True)
    for image, data in list(both)[:MOST_PICTURES]:
        if uri := thumbnails.of(data):
            pictures.append(Picture(uri=uri, alt=clean_line(image.caption or image.alt)[:_TEXT]))
    text = " ".join(clean("\n\n".join(document.texts)).split())
    missing = len(document.images) - len(pictures)
    return Shown(
        title=clean_line(document.title)[:_TEXT],
        url=clean_line(document.url)[:_TEXT],
        text=text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…",
        about=_about(sample),
        pictures=tuple(pictures),
        left_out=f"and {missing} pictures more" if missing and pictures else "",
    )


def _about(sample: Sample) -> str:
    document = sample.document
    parts = [
        counted(document.num_characters, "character"),
        counted(len(document.images), "image"),
    ]
    parts += [clean_line(document.signals.language)] if document.signals.language else []
    found = [i.scores["similarity"] for i in document.images if "similarity" in i.scores]
    parts += [f"similarity {', '.join(f'{value:.2f}' for value in found[:5])}"] if found else []
    return " · ".join([*parts, sample.key])


def _small(data: bytes) -> str:
    image = decode(data)
    if image is None:
        return ""
    image.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def collected(groups: Iterable[Group], said: Iterable[str], thumbnails: Thumbnails) -> Samples:
    """Everything for the page; the groups are read before the notes are made."""
    found = tuple(groups)
    return Samples(groups=found, notes=(*said, *notes(thumbnails)))
