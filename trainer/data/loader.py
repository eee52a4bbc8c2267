"""Sources to batches at the mixture's ratio, and the certificate that the ratio was kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Kind
from openm3w.shards.skipping import Skipped
from openm3w.trainer.batch import Batch
from openm3w.trainer.data.mixture import Counts, DeficitScheduler, target_shares
from openm3w.trainer.data.packing import Row
from openm3w.trainer.data.splits import Care
from openm3w.trainer.data.stream import RowFormat, SourceStream
from openm3w.trainer.features import FeatureCache

KOSMOS1_MIXTURE: Mapping[str, float] = {"text": 0.5, "caption": 0.5, "interleaved": 0.2}
"""Million tokens of each kind in a step of 1.2 M; KOSMOS-1, training set-up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRecipe:
    """Rows, their mixture, and what is held out."""

    sequence_length: int = 2048  # KOSMOS-1 and KOSMOS-2 train on rows of 2,048
    rows_per_step: int = 586
    rows_per_batch: int = 8
    """Rows that go through the model at once; a step adds up as many batches as it needs."""
    max_images_per_row: int = 32
    """Bound of the memory that a batch takes, whatever is packed together."""
    pack_buffer: int = 64
    """Pieces of each source that wait to be packed."""
    mixture: Mapping[str, float] = field(default_factory=lambda: dict(KOSMOS1_MIXTURE))
    holdout_share: float = 0.005
    """Share of the samples kept for dev loss where the data has no split `val`."""
    feature_cache_gb: float = 2.0
    """Memory for features of the frozen encoder."""

    def __post_init__(self) -> None:
        for name in ("sequence_length", "rows_per_step", "rows_per_batch", "pack_buffer"):
            if getattr(self, name) < 1:
                raise ValueError(f"data.{name}: {getattr(self, name)}, expected 1 or more")
        if self.max_images_per_row < 1:
            raise ValueError("data.max_images_per_row: expected 1 or more")
        if not 0 <= self.holdout_share < 1:
            raise ValueError(f"data.holdout_share: {self.holdout_share} is not in [0, 1)")
        unknown = sorted(set(self.mixture) - set(KOSMOS1_MIXTURE))
        if unknown:
            kinds = ", ".join(KOSMOS1_MIXTURE)
            raise ValueError(f"data.mixture: unknown kind {unknown[0]!r}, there are {kinds}")
        if min(self.mixture.values(), default=0) < 0:
            raise ValueError("data.mixture: a ratio is below 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A manifest's part in the mixture."""

    name: str
    kind: Kind
    manifest: Manifest
    share: float
    """Of all tokens, 0 to 1."""


def plan_sources(
    manifests: Sequence[Manifest], recipe: DataRecipe, *, slots: int
) -> tuple[Source, ...]:
    """The sources with their shares; manifests whose kind has no ratio are left out.

    Raises:
        ValueError: no manifest is of a kind that the mixture names.
    """
    kinds = [m.kind for m in manifests]
    shares = target_shares(recipe.mixture, kinds, [expected_tokens(m, slots) for m in manifests])
    names = _unique([m.name or m.kind for m in manifests])
    return tuple(
        Source(name=name, kind=m.kind, manifest=m, share=share)
        for name, m, share in zip(names, manifests, shares, strict=True)
        if share > 0
    )


def expected_tokens(manifest: Manifest, slots: int) -> float:
    """About how many positions one epoch of a manifest takes.

    Four characters a token is what byte-level BPEs of some 10,000 ids reach on English.
    """
    return manifest.characters / 4 + manifest.images * (slots + 2) + manifest.nsamples


class MixtureLoader:
    """Draws batches, keeps count, and resumes exactly."""

    def __init__(
        self,
        sources: Sequence[Source],
        recipe: DataRecipe,
        rows: RowFormat,
        cache: FeatureCache,
        *,
        seed: int,
        care: Care | None = None,
    ) -> None:
        self.sources = tuple(sources)
        self.total = [Counts() for _ in sources]
        """What each source gave since the run began."""
        self._cache = cache
        self._scheduler = DeficitScheduler([s.share for s in sources])
        self._streams = [
            SourceStream(s.manifest, rows, seed=seed, holdout=recipe.holdout_share, care=care)
            for s in sources
        ]

    def next_batch(self, num_rows: int) -> tuple[Batch, list[Counts]]:
        """The next rows as a batch, and what each source gave to it."""
        rows: list[Row] = []
        origin: list[int] = []
        given = [Counts() for _ in self.sources]
        for _ in range(num_rows):
            index = self._scheduler.next()
            row = self._streams[index].next_row()
            counts = row.counts
            self._scheduler.add(index, counts.tokens)
            given[index] += counts
            rows.append(row)
            origin.append(index)
        self.total = [a + b for a, b in zip(self.total, given, strict=True)]
        return collate(rows, origin, self._cache), given

    def epochs(self) -> list[int]:
        """How often each source was read to its end."""
        return [stream.epoch for stream in self._streams]

    def document_counts(self) -> list[dict[str, int]]:
        """For each source: documents read, split, empty, held out and excluded."""
        return [
            {
                "documents": c.documents,
                "split": c.split,
                "empty": c.empty,
                "held_out": c.held_out,
                "excluded": c.excluded,
            }
            for c in (stream.counts for stream in self._streams)
        ]

    def skipped(self) -> list[Skipped]:
        """For each source: what was left out because it is damaged."""
        return [stream.skipped for stream in self._streams]

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers, as JSON takes them."""
        return {
            "streams": [stream.state_dict() for stream in self._streams],
            "total": [counts_to_json(c) for c in self.total],
            "given": list(self._scheduler.given),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on where `state_dict` was taken; the caller checked that the data is equal."""
        for stream, saved in zip(self._streams, state["streams"], strict=True):
            stream.load_state_dict(saved)
        self.total = [Counts(**saved) for saved in state["total"]]
        self._scheduler.given = list(state["given"])


def collate(rows: Sequence[Row], origin: Sequence[int], cache: FeatureCache) -> Batch:
    """Rows to tensors, with the features of their images."""
    places = [(number, image.at) for number, row in enumerate(rows) for image in row.images]
    return Batch(
        tokens=torch.tensor([row.tokens for row in rows]),
        targets=torch.tensor([row.targets for row in rows]),
        documents=torch.tensor([row.documents for row in rows]),
        positions=torch.tensor([row.positions for row in rows]),
        features=cache.features([image for row in rows for image in row.images]),
        image_at=torch.tensor(places, dtype=torch.int64).reshape(-1, 2),
        source=torch.tensor(origin),
    )


def counts_to_json(counts: Counts) -> dict[str, int]:
    """The counters by name."""
    return {name: getattr(counts, name) for name in Counts.__dataclass_fields__}


def _unique(names: Sequence[str]) -> list[str]:
    return [
        name if names.count(name) == 1 else f"{name}-{names[:i].count(name) + 1}"
        for i, name in enumerate(names)
    ]
