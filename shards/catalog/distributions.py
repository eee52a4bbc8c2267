"""What documents are like, as counts that add up: of a shard, of a dataset, of several.

A job counts while it writes and notes the counts beside its shard; a dataset that nobody counted is
read once. Sums need no order, so that the same documents give the same counts, however they were
cut. A value below the first edge is counted in the first bin, one beyond the last edge in the last.
"""

import bisect
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from openm3w.shards.catalog.stats import documents, domain, ranked
from openm3w.shards.document import Document, Image
from openm3w.shards.manifest import Manifest

TOP: Final = 50
"""Domains, crawls, signals and licences that a summary names; the rest is counted."""

EDGES: Final[Mapping[str, tuple[float, ...]]] = {
    "images_per_document": tuple(map(float, (*range(11), 15, 20, 31))),
    # Bounds of the named profiles are among these: sides 64 and 150, aspects 2 and 3.
    "shorter_side": (0, 32, 64, 100, 150, 200, 300, 400, 512, 800, 1200, 2000, 20_000),
    "aspect": (1, 1.1, 1.25, 1.4, 1.6, 1.8, 2, 2.5, 3, 5, 100),
    "image_bytes": (0, *(1024 * 2**step for step in range(14))),
    "characters": (0, *(100 * 2**step for step in range(13))),
}
"""Measure -> edges of its bins. The last of `images_per_document` are OBELICS' bound of 30 images
(arXiv 2306.16527, appendix A) and what is beyond."""

SCORE_EDGES: Final = (
    *(-1.0, -0.5),
    *(round(-0.2 + 0.02 * step, 2) for step in range(61)),
    *(2.0**step for step in range(1, 25)),
)
"""Of any score: similarities and probabilities lie in -0.2 .. 1 and are told apart by 0.02; a
perplexity, bytes or a number of uses by powers of two."""

_NAMES: Final = ("languages", "domains", "crawls", "months", "opt_out", "licences")


@dataclass(slots=True)
class Distributions:
    """Counts over documents; one counter a domain, so some 100 bytes for each."""

    documents: int = 0
    images: int = 0
    measures: dict[str, list[int]] = field(default_factory=dict)
    """Counts by bin of EDGES."""
    scores: dict[str, list[int]] = field(default_factory=dict)
    names: dict[str, Counter[str]] = field(default_factory=dict)
    """`languages`, `domains`, `crawls` and `months` (of the fetch) of documents; `opt_out` and
    `licences`: documents whose page carries the signal."""

    def add(self, document: Document) -> None:
        """Counts one document, its images and their scores."""
        self.documents += 1
        images = document.images
        self.images += len(images)
        self._measure("images_per_document", len(images))
        self._measure("characters", document.num_characters)
        for image in images:
            self._add_size(image)
        for scores in (document.scores, *(image.scores for image in images)):
            for name, value in scores.items():
                self._count(self.scores, name, SCORE_EDGES, value)
        for name, values in _named(document).items():
            self.names.setdefault(name, Counter()).update(values)

    def merge(self, other: "Distributions") -> None:
        """Adds what was counted of other documents."""
        self.documents += other.documents
        self.images += other.images
        for mine, theirs in ((self.measures, other.measures), (self.scores, other.scores)):
            for name, counts in theirs.items():
                before = mine.get(name, [0] * len(counts))
                mine[name] = [a + b for a, b in zip(before, counts, strict=True)]
        for name, found in other.names.items():
            self.names.setdefault(name, Counter()).update(found)

    def as_json(self) -> dict[str, Any]:
        """Everything, to be merged later."""
        return {
            "documents": self.documents,
            "images": self.images,
            "measures": dict(sorted(self.measures.items())),
            "scores": dict(sorted(self.scores.items())),
            "names": {name: dict(sorted(c.items())) for name, c in sorted(self.names.items())},
        }

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Distributions":
        """What `as_json` gave.

        Raises:
            ValueError: it is something else, or was counted in other bins.
        """
        try:
            found = cls(
                documents=int(value["documents"]),
                images=int(value["images"]),
                measures={name: list(map(int, c)) for name, c in value["measures"].items()},
                scores={name: list(map(int, c)) for name, c in value["scores"].items()},
                names={name: Counter(counts) for name, counts in value["names"].items()},
            )
            fit = all(len(EDGES[name]) == len(c) + 1 for name, c in found.measures.items())
            fit &= all(len(SCORE_EDGES) == len(c) + 1 for c in found.scores.values())
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"counts of documents: {error!r}") from error
        if not fit:
            raise ValueError("counts of documents: counted in other bins")
        return found

    def summary(self, top: int = TOP) -> dict[str, Any]:
        """What a manifest holds: histograms, and of names the `top` most frequent.

        `num_NAMES` says how many there are of each.
        """
        found: dict[str, Any] = {
            "documents": self.documents,
            "images": self.images,
            "measures": _all_bins(EDGES, self.measures),
            "scores": _all_bins(dict.fromkeys(self.scores, SCORE_EDGES), self.scores),
        }
        for name in _NAMES:
            counts = self.names.get(name, Counter())
            found[name] = dict(ranked(counts)[:top])
            found[f"num_{name}"] = len(counts)
        return found

    def _add_size(self, image: Image) -> None:
        if (content := image.content) is None:
            return
        self._measure("image_bytes", content.num_bytes)
        width, height = content.original_width, content.original_height
        if min(width, height) > 0:  # others' samples may not say
            self._measure("shorter_side", min(width, height))
            self._measure("aspect", max(width, height) / min(width, height))

    def _measure(self, name: str, value: float) -> None:
        self._count(self.measures, name, EDGES[name], value)

    @staticmethod
    def _count(into: dict[str, list[int]], name: str, edges: Sequence[float], value: float) -> None:
        counts = into.setdefault(name, [0] * (len(edges) - 1))
        counts[min(max(bisect.bisect_right(edges, value) - 1, 0), len(counts) - 1)] += 1


def collect(manifests: Iterable[Manifest]) -> Distributions:
    """Reads every shard once and counts what is not excluded.

    Raises:
        ShardError: a shard is damaged or missing.
    """
    found = Distributions()
    for _, _, document in documents(manifests):
        found.add(document)
    return found


def quantile(bins: Mapping[str, Sequence[float]], share: float) -> float | None:
    """The value below which `share` of a histogram lies, taken as even inside a bin.

    None where nothing was counted.
    """
    counts, edges = bins["counts"], bins["edges"]
    left = share * sum(counts)
    for at, count in enumerate(counts):
        if count and left <= count:
            return edges[at] + (edges[at + 1] - edges[at]) * left / count
        left -= count
    return None


def _all_bins(
    edges: Mapping[str, Sequence[float]], counts: Mapping[str, Sequence[int]]
) -> dict[str, dict[str, list[Any]]]:
    return {name: _bins(edges[name], counts[name]) for name in sorted(counts)}


def _bins(edges: Sequence[float], counts: Sequence[int]) -> dict[str, list[Any]]:
    """The histogram without empty bins at its ends."""
    used = [at for at, count in enumerate(counts) if count]
    if not used:
        return {"edges": [], "counts": []}
    first, last = used[0], used[-1] + 1
    return {"edges": list(edges[first : last + 1]), "counts": list(counts[first:last])}


def _named(document: Document) -> dict[str, list[str]]:
    provenance, signals, images = document.provenance, document.signals, document.images
    return {
        "languages": [signals.language or "unknown"],
        "domains": [domain(document.url or (images[0].url if images else ""))],
        "crawls": [provenance.crawl] if provenance.crawl else [],
        "months": [provenance.fetched[:7]] if provenance.fetched else [],
        "opt_out": sorted(set(signals.opt_out)),
        "licences": sorted(set(signals.licences)),
    }
