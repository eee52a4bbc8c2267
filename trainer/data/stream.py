"""One source of a mixture: endless shuffled samples, packed into rows, resumed exactly.

The order of an epoch is a function of seed, data fingerprint and epoch, and a sample is read by
its place through the shard's index, so a stream's state is a handful of numbers: where it is, and
which pieces wait in the packing buffer. Resuming reads those again; nothing is replayed.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from openm3w.errors import InputError, ShardError
from openm3w.shards.manifest import Manifest
from openm3w.shards.opened import OpenShard
from openm3w.shards.reader import check_strangers, open_though_cut
from openm3w.shards.sample import Sample
from openm3w.shards.skipping import Skipped
from openm3w.shards.writer import ShardEntry
from openm3w.trainer.data.packing import PackItem, Row, choose, make_row
from openm3w.trainer.data.splits import (
    DEV,
    TRAIN,
    Care,
    dev_samples,
    has_dev_split,
    is_held_out,
    nonempty,
)
from openm3w.trainer.data.tokens import Piece, encode_document


class Place(NamedTuple):
    """Where a piece comes from: shard of the split, sample in it, piece of the document."""

    shard: int
    sample: int
    piece: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFormat:
    """How documents become rows."""

    encode: Callable[[str], Sequence[int]]
    slots: int
    length: int
    max_images: int
    buffer: int
    """Pieces that wait to be packed; more fill rows better and use more memory."""

    def items(self, sample: Sample, shard: str) -> list[PackItem]:
        """The sample's pieces with the bytes of their images."""
        pieces = encode_document(
            sample.document,
            self.encode,
            slots=self.slots,
            length=self.length,
            max_images=self.max_images,
        )
        return [PackItem(piece=p, images=_images(sample, p, shard)) for p in pieces]


@dataclass(slots=True)
class StreamCounts:
    """What became of the documents read so far."""

    documents: int = 0
    split: int = 0
    """Documents longer than a row."""
    empty: int = 0
    """Documents without text."""
    held_out: int = 0
    excluded: int = 0
    """Samples on the manifest's list of exclusions."""


class SourceStream:
    """Endless rows of one manifest's training samples."""

    def __init__(
        self,
        manifest: Manifest,
        rows: RowFormat,
        *,
        seed: int,
        holdout: float,
        care: Care | None = None,
    ) -> None:
        self.manifest = manifest
        self.counts = StreamCounts()
        self.skipped = Skipped()
        """Left out so far; what is bad is counted again in each epoch, as documents are."""
        self._care = care or Care()
        self._rows = rows
        self._seed = seed
        self._holdout = 0.0 if has_dev_split(manifest) else holdout
        self._shards = nonempty(manifest.split(TRAIN))
        if not self._shards:
            raise InputError(
                f"{manifest.root}: no samples in the split {TRAIN!r}; training needs some"
            )
        self._excluded = frozenset(manifest.exclude)
        self._epoch = self._turn = self._index = 0
        self._shard_order = self._shuffled(len(self._shards), "shards")
        self._sample_order = self._samples_of_turn()
        self._waiting: list[tuple[Place, PackItem]] = []
        self._opened: tuple[int, OpenShard] | None = None
        if self._care.verify != "off":
            check_strangers(manifest, self._care.on_bad, self.skipped)

    @property
    def epoch(self) -> int:
        """How often the source was read to its end."""
        return self._epoch

    def next_row(self) -> Row:
        """The next packed row.

        Raises:
            ShardError: a shard is missing or damaged.
            InputError: a whole epoch held nothing to learn from.
        """
        self._fill()
        sizes = [(len(i.piece.ids), len(i.images)) for _, i in self._waiting]
        chosen = choose(sizes, length=self._rows.length, max_images=self._rows.max_images)
        row = make_row([self._waiting[i][1] for i in chosen], length=self._rows.length)
        taken = set(chosen)
        self._waiting = [w for i, w in enumerate(self._waiting) if i not in taken]
        return row

    def state_dict(self) -> dict[str, Any]:
        """Plain numbers, as JSON takes them."""
        return {
            "epoch": self._epoch,
            "turn": self._turn,
            "index": self._index,
            "waiting": [list(place) for place, _ in self._waiting],
            "counts": [
                self.counts.documents,
                self.counts.split,
                self.counts.empty,
                self.counts.held_out,
                self.counts.excluded,
            ],
            "skipped": self.skipped.to_json(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on where `state_dict` was taken, on the same data."""
        self._epoch, self._turn, self._index = state["epoch"], state["turn"], state["index"]
        self._shard_order = self._shuffled(len(self._shards), "shards")
        self._sample_order = self._samples_of_turn()
        self.counts = StreamCounts(*state["counts"])
        self.skipped = Skipped.from_json(state.get("skipped", Skipped().to_json()))
        # A bad sample is an error here: without its piece the run would not go on as it was.
        self._waiting = []
        for row in state["waiting"]:
            place = Place(*row)
            items = self._items(place.shard, self._read(place.shard, place.sample))
            self._waiting.append((place, items[place.piece]))

    def _fill(self) -> None:
        barren = 0
        while len(self._waiting) < self._rows.buffer:
            barren = 0 if self._take_sample() else barren + 1
            if barren > sum(s.nsamples for s in self._shards):
                bad = f" ({self.skipped})" if self.skipped else ""
                raise InputError(
                    f"{self.manifest.root}: no sample of {TRAIN!r} has a token to learn from{bad}"
                )

    def _take_sample(self) -> bool:
        """Reads the next sample into the buffer; False where it gave nothing."""
        shard, index = self._advance()
        if is_held_out(self._shards[shard], index, self._holdout):
            self.counts.held_out += 1
            return False
        sample = self._read_or_skip(shard, index)
        if sample is None:
            return False
        if sample.key in self._excluded:
            self.counts.excluded += 1
            return False
        items = self._items(shard, sample)
        self.counts.documents += 1
        self.counts.split += len(items) > 1
        self.counts.empty += not items
        self._waiting.extend((Place(shard, index, i), item) for i, item in enumerate(items))
        return bool(items)

    def _advance(self) -> tuple[int, int]:
        """Shards in random order, the samples of each in random order, then the next epoch."""
        if self._index == len(self._sample_order):
            self._index, self._turn = 0, self._turn + 1
            if self._turn == len(self._shards):
                self._turn, self._epoch = 0, self._epoch + 1
                self._shard_order = self._shuffled(len(self._shards), "shards")
            self._sample_order = self._samples_of_turn()
        sample = self._sample_order[self._index]
        self._index += 1
        return self._shard_order[self._turn], sample

    def _samples_of_turn(self) -> list[int]:
        shard = self._shard_order[self._turn]
        return self._shuffled(self._shards[shard].nsamples, f"shard {shard}")

    def _shuffled(self, count: int, what: str) -> list[int]:
        order = list(range(count))
        seed = f"{self._seed}/{self.manifest.fingerprint}/{self._epoch}/{what}"
        random.Random(seed).shuffle(order)
        return order

    def _read_or_skip(self, shard: int, sample: int) -> Sample | None:
        """The sample; None where it, or with it the rest of its shard, is left out."""
        try:
            return self._read(shard, sample)
        except ShardError as fault:
            if self._care.on_bad == "raise":
                raise
            # What is not read of a shard that is open is one sample's fault.
            is_open = self._opened is not None and self._opened[0] == shard
            if self._care.on_bad == "skip-sample" and is_open:
                self.skipped.sample(fault)
            else:
                left = len(self._sample_order) - self._index
                self.skipped.shard(fault, samples=left + 1)
                self._index += left
            return None

    def _read(self, shard: int, sample: int) -> Sample:
        if self._opened is None or self._opened[0] != shard:
            # Once a shard, not once a sample: checking takes as long as the shard is.
            self._opened = None
            self._opened = shard, self._open(self._shards[shard])
        opened = self._opened[1]
        return opened.decode(*opened.read(sample))

    def _open(self, shard: ShardEntry) -> OpenShard:
        if self._care.on_bad == "skip-sample":
            opened, cut = open_though_cut(self.manifest, shard, self._care.verify)
        else:
            opened, cut = OpenShard(self.manifest, shard, verify=self._care.verify), None
        opened.offsets  # noqa: B018 - whose number is wrong in a short shard
        if cut is not None:
            self.skipped.shard(cut, samples=0)
        return opened

    def _items(self, shard: int, sample: Sample) -> list[PackItem]:
        return self._rows.items(sample, self._shards[shard].url)


def dev_rows(
    manifest: Manifest,
    rows: RowFormat,
    *,
    holdout: float,
    documents: int,
    care: Care | None = None,
) -> list[Row]:
    """Rows of the first `documents` dev samples: of the split `val`, else of the held-out share."""
    items: list[PackItem] = []
    for number, sample in enumerate(dev_samples(manifest, holdout=holdout, care=care)):
        if number == documents:
            break
        items.extend(rows.items(sample, DEV))
    packed = []
    while items:
        # The same bounded view as in training, so that a long dev set packs in linear time.
        sizes = [(len(i.piece.ids), len(i.images)) for i in items[: rows.buffer]]
        chosen = choose(sizes, length=rows.length, max_images=rows.max_images)
        packed.append(make_row([items[i] for i in chosen], length=rows.length))
        taken = set(chosen)
        items = [item for i, item in enumerate(items) if i not in taken]
    return packed


def _images(sample: Sample, piece: Piece, shard: str) -> tuple[tuple[str, bytes], ...]:
    return tuple(
        (f"{shard}, sample {sample.key}, image {i}", sample.images[i]) for i in piece.images
    )
