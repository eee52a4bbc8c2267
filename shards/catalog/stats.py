"""What a dataset is like, counted over its samples."""

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from openm3w.shards import reader
from openm3w.shards.document import Document
from openm3w.shards.manifest import Manifest
from openm3w.shards.writer import ShardEntry

UNKNOWN = "unknown"
"""In the place of a domain or a language."""

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


# Python 3.11 cannot subscript array at run time.
Doubles: TypeAlias = "array[float]"


def _doubles() -> Doubles:
    return array("d")


@dataclass(slots=True, kw_only=True)
class Stats:
    """Counts and, as eight bytes for each value, what quantiles are made of."""

    samples: int = 0
    images: int = 0
    characters: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    images_per_document: Counter[int] = field(default_factory=Counter)
    languages: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)
    """Of collections; documents that are of none are not counted."""
    domains: Counter[str] = field(default_factory=Counter)
    text_lengths: Doubles = field(default_factory=_doubles)
    image_widths: Doubles = field(default_factory=_doubles)
    image_heights: Doubles = field(default_factory=_doubles)
    image_bytes: Doubles = field(default_factory=_doubles)
    scores: dict[str, Doubles] = field(default_factory=dict)

    def add(self, document: Document) -> None:
        """Counts one document, its images and their scores."""
        images = document.images
        self.samples += 1
        self.images += len(images)
        self.characters += document.num_characters
        self.images_per_document[len(images)] += 1
        self.languages[document.signals.language or UNKNOWN] += 1
        if document.provenance.part:
            self.parts[document.provenance.part] += 1
        self.domains[domain(document.url or (images[0].url if images else ""))] += 1
        self.text_lengths.append(document.num_characters)
        for image in images:
            if image.content is not None:
                self.image_widths.append(image.content.width)
                self.image_heights.append(image.content.height)
                self.image_bytes.append(image.content.num_bytes)
        for scores in (document.scores, *(image.scores for image in images)):
            for name, value in scores.items():
                self.scores.setdefault(name, _doubles()).append(value)


def collect(manifests: Iterable[Manifest], split: str | None = None) -> Stats:
    """Streams the shards of the manifests once.

    Raises:
        ShardError: a shard is damaged or missing.
    """
    stats = Stats()
    for manifest, shard, document in documents(manifests, split):
        stats.kinds[manifest.kind] += 1
        stats.splits[shard.split] += 1
        stats.add(document)
    return stats


def documents(
    manifests: Iterable[Manifest], split: str | None = None
) -> Iterator[tuple[Manifest, ShardEntry, Document]]:
    """Every document that is not excluded, with where it is from.

    Raises:
        ShardError: a shard is damaged or missing.
    """
    for manifest in manifests:
        excluded = frozenset(manifest.exclude)
        for shard in manifest.shards if split is None else manifest.split(split):
            for sample in reader.read_shard(manifest, shard):
                if sample.key not in excluded:
                    yield manifest, shard, sample.document


def to_json(stats: Stats, *, top: int = 20) -> dict[str, Any]:
    """Counts and quantiles; of domains and parts only the `top` most frequent."""
    return {
        "samples": stats.samples,
        "images": stats.images,
        "characters": stats.characters,
        "kinds": dict(sorted(stats.kinds.items())),
        "splits": dict(sorted(stats.splits.items())),
        "images_per_document": {str(k): v for k, v in sorted(stats.images_per_document.items())},
        "text_length": quantiles(stats.text_lengths),
        "image_width": quantiles(stats.image_widths),
        "image_height": quantiles(stats.image_heights),
        "image_bytes": quantiles(stats.image_bytes),
        "scores": {name: quantiles(values) for name, values in sorted(stats.scores.items())},
        "languages": dict(ranked(stats.languages)),
        "parts": dict(ranked(stats.parts)[:top]),
        "num_parts": len(stats.parts),
        "domains": dict(ranked(stats.domains)[:top]),
        "num_domains": len(stats.domains),
    }


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """By name (`min`, `5%`, ... `max`), the nearest value below or at each; {} of nothing."""
    if not values:
        return {}
    ordered = sorted(values)
    names = {0.0: "min", 1.0: "max"}
    return {
        names.get(share, f"{share:.0%}"): ordered[math.floor(share * (len(ordered) - 1))]
        for share in QUANTILES
    }


def ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    """The most frequent first, equals by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def domain(url: str) -> str:
    """The URL's host without `www.`; UNKNOWN where there is none."""
    try:
        host = urlsplit(url).hostname
    except ValueError:
        host = None
    return (host or UNKNOWN).removeprefix("www.")
