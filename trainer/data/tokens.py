"""A Document as token ids with image slots, and the targets that carry loss.

KOSMOS-1's form (arXiv:2302.14045, table 21): `<s> <image> slots </image> text </s>`, with more
images and texts in reading order. The input is every id but the last, the target at each place is
the next id where that is text or `</s>`, and nothing elsewhere: no loss on `<image>`, on slots or
on `</image>`, but the first word after `</image>` is predicted from it, as in the released code.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from openm3w.shards.document import Document, Text
from openm3w.trainer.data.tokenizer import BOS, EOS, IMAGE, IMAGE_END, NUM_SPECIALS, SLOT

IGNORE: Final = -100
"""Target of a place without loss; what torch's cross-entropy leaves out by default."""

PARAGRAPH: Final = "\n\n"
"""Between two texts with no image between them, as inside a text (see `Text`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A document, or as much of it as fits a row; what is packed."""

    ids: tuple[int, ...]
    targets: tuple[int, ...]
    """Parallel to `ids`: the next id, or `IGNORE`."""
    image_at: tuple[int, ...] = ()
    """Place of each image's first slot, in order."""
    images: tuple[int, ...] = ()
    """Parallel to `image_at`: which of the document's images."""

    @property
    def loss_tokens(self) -> int:
        return sum(target != IGNORE for target in self.targets)


def encode_document(
    document: Document,
    encode: Callable[[str], Sequence[int]],
    *,
    slots: int,
    length: int,
    max_images: int,
) -> list[Piece]:
    """The document's pieces of at most `length` inputs and `max_images` images.

    A document that is too long is split, never truncated: the pieces' inputs partition its ids,
    each transition is predicted once, and an image's tags and slots stay together. Pieces without
    loss (images, and the next piece begins with an image) are left out, and so is a document
    without text: it would teach that nothing follows an image.
    """
    ids = document_ids(document, encode, slots=slots)
    targets = next_targets(ids)
    if all(target < NUM_SPECIALS for target in targets):
        return []
    pieces = []
    first_image = 0
    for start, end in cut(ids[:-1], length=length, max_images=max_images):
        piece = _piece(ids[start:end], targets[start:end], first_image)
        first_image += len(piece.images)
        if piece.loss_tokens:
            pieces.append(piece)
    return pieces


def document_ids(
    document: Document, encode: Callable[[str], Sequence[int]], *, slots: int
) -> list[int]:
    """All ids of a document, `<s>` and `</s>` among them."""
    ids = [BOS]
    after_text = False
    for span in document.spans:
        if isinstance(span, Text):
            ids.extend(encode(PARAGRAPH + span.text if after_text else span.text))
        else:
            ids.extend((IMAGE, *[SLOT] * slots, IMAGE_END))
        after_text = isinstance(span, Text)
    return [*ids, EOS]


def next_targets(ids: Sequence[int]) -> list[int]:
    """For each id but the last, the id after it where that bears loss, else `IGNORE`."""
    return [after if bears_loss(after) else IGNORE for after in ids[1:]]


def bears_loss(target: int) -> bool:
    """Whether a model learns to predict this id: text, and the end of a document."""
    return target >= NUM_SPECIALS or target == EOS


def cut(ids: Sequence[int], *, length: int, max_images: int) -> list[tuple[int, int]]:
    """Bounds of consecutive stretches of at most `length` ids and `max_images` images.

    A stretch ends only before a text token or before `<image>`.

    Raises:
        ValueError: one image with its tags is longer than `length`.
    """
    bounds: list[tuple[int, int]] = []
    start = at = images = 0
    while at < len(ids):
        is_image = ids[at] == IMAGE
        size = ids.index(IMAGE_END, at) + 1 - at if is_image else 1
        if size > length:
            raise ValueError(f"an image takes {size} positions, a row has {length}")
        if at + size - start > length or images + is_image > max_images:
            bounds.append((start, at))
            start, images = at, 0
        images += is_image
        at += size
    return [*bounds, (start, at)] if at > start else bounds


def _piece(ids: Sequence[int], targets: Sequence[int], first_image: int) -> Piece:
    image_at = tuple(i + 1 for i, token in enumerate(ids) if token == IMAGE)
    return Piece(
        ids=tuple(ids),
        targets=tuple(targets),
        image_at=image_at,
        images=tuple(range(first_image, first_image + len(image_at))),
    )
