"""Pieces of documents into rows of a fixed length, each document blind to its neighbours.

A row carries a document number and a position for each place, so that attention stays inside a
document and positions restart with it. Restarting positions alone does not stop leaks between
packed documents (nanoVLM #204); the mask does, and a test on the model proves it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from openm3w.trainer.data.mixture import Counts
from openm3w.trainer.data.tokenizer import NUM_SPECIALS, PAD, SLOT
from openm3w.trainer.data.tokens import IGNORE, Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedImage:
    """An image of a row, as stored in its shard."""

    at: int
    """Place of its first slot in the row."""
    data: bytes
    name: str
    """Shard, key and index, for error messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackItem:
    """A piece waiting to be packed, with the bytes of its images."""

    piece: Piece
    images: tuple[tuple[str, bytes], ...] = ()
    """Name and bytes, parallel to `piece.image_at`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One packed row; every list has the row's length."""

    tokens: list[int]
    targets: list[int]
    documents: list[int]
    """1, 2, ... for the row's documents in order; 0 where padded."""
    positions: list[int]
    """0, 1, ... inside each document."""
    images: tuple[EncodedImage, ...]

    @property
    def counts(self) -> Counts:
        """What the row's positions hold."""
        pad = self.documents.count(0)
        slots = self.tokens.count(SLOT)
        text = sum(token >= NUM_SPECIALS for token in self.tokens)
        return Counts(
            text=text,
            image_slot=slots,
            special=len(self.tokens) - pad - slots - text,
            pad=pad,
            loss=sum(target != IGNORE for target in self.targets),
            pieces=max(self.documents, default=0),
            images=len(self.images),
            rows=1,
        )


def choose(waiting: Sequence[tuple[int, int]], *, length: int, max_images: int) -> list[int]:
    """Which of the waiting pieces, given as (tokens, images), go into the next row.

    The oldest always goes in, so that none waits for ever; then best fit: each time the longest
    that still fits, of equals the oldest.
    """
    chosen = [0]
    space, images = length - waiting[0][0], max_images - waiting[0][1]
    longest_first = sorted(range(1, len(waiting)), key=lambda i: (-waiting[i][0], i))
    for index in longest_first:
        tokens, count = waiting[index]
        if tokens <= space and count <= images:
            chosen.append(index)
            space -= tokens
            images -= count
    return chosen


def make_row(items: Sequence[PackItem], *, length: int) -> Row:
    """The items one after another, then padding."""
    tokens: list[int] = []
    targets: list[int] = []
    documents: list[int] = []
    positions: list[int] = []
    images: list[EncodedImage] = []
    for number, item in enumerate(items, start=1):
        start, size = len(tokens), len(item.piece.ids)
        tokens.extend(item.piece.ids)
        targets.extend(item.piece.targets)
        documents.extend([number] * size)
        positions.extend(range(size))
        for at, (name, data) in zip(item.piece.image_at, item.images, strict=True):
            images.append(EncodedImage(at=start + at, data=data, name=name))
    space = length - len(tokens)
    if space < 0:
        raise ValueError(f"{len(tokens)} tokens do not fit a row of {length}")
    return Row(
        tokens=tokens + [PAD] * space,
        targets=targets + [IGNORE] * space,
        documents=documents + [0] * space,
        positions=positions + [0] * space,
        images=tuple(images),
    )
