"""Encoded bytes of the web to the bytes that a shard stores, and what is known of them.

Metadata (camera, place) does not survive, whether the picture is encoded anew or its bytes kept.
"""

import functools
import hashlib
import io
from dataclasses import dataclass

from PIL import Image

from openm3w.pipeline.images.measures import (
    Measures,
    Original,
    measure,
    original,
    pdq_hash,
    perceptual_hash,
)
from openm3w.pipeline.images.opening import (
    REASONS,
    Encoding,
    Opened,
    UnusableImageError,
    open_picture,
)
from openm3w.pipeline.images.pixels import Pixels

__all__ = [
    "REASONS",
    "Encoded",
    "Encoding",
    "Opened",
    "UnusableImageError",
    "UnwantedImageError",
    "encode",
    "open_picture",
    "phash_of",
    "seen",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """An image as stored, with what the filters want to know of it."""

    data: bytes
    """JPEG in sRGB, upright, without metadata."""
    sha256: str
    width: int
    height: int
    original_width: int
    original_height: int
    original_format: str
    """`jpeg`, `png` and the like: IMAGE_FORMATS in lower case."""
    original_frames: int = 1
    """Pictures of an animation, of which the first is stored."""
    original: Original
    measures: Measures
    pdq: tuple[str, int] | None = None
    """PDQ hash and its quality, where they were asked for."""
    original_data: bytes = b""
    """The bytes as they were fetched, where they are to be kept."""


class UnwantedImageError(UnusableImageError):
    """An image that could be stored and is not: no profile of the floor wants it."""

    def __init__(self, reason: str, encoded: Encoded) -> None:
        super().__init__(reason)
        self.encoded = encoded


def encode(data: bytes, encoding: Encoding, *, with_pdq: bool = False) -> Encoded:
    """Decodes, turns upright, reduces, measures and encodes one image.

    Transparent pixels become white, of an animation the first frame is taken. PDQ costs more than
    all other measures together, and is made on demand.

    Raises:
        UnusableImageError: with the reason.
    """
    fits = functools.partial(_fits, encoding.side) if encoding.keep_bytes else None
    opened = open_picture(data, encoding, fits)
    stored = opened.kept
    picture, pixels = seen(opened, encoding)
    if stored is None:
        buffer = io.BytesIO()
        picture.save(buffer, format="JPEG", quality=encoding.quality)
        stored = buffer.getvalue()
    source = original(data)
    return Encoded(
        data=stored,
        sha256=source.sha256 if stored is data else hashlib.sha256(stored).hexdigest(),
        width=picture.width,
        height=picture.height,
        original_width=opened.width,
        original_height=opened.height,
        original_format=opened.format,
        original_frames=opened.num_frames,
        original=source,
        measures=measure(picture, pixels=pixels),
        pdq=pdq_hash(picture) if with_pdq else None,
    )


def phash_of(data: bytes, encoding: Encoding) -> str:
    """The perceptual hash that `encode` would find, without encoding.

    Raises:
        UnusableImageError: with the reason.
    """
    return perceptual_hash(reduced(open_picture(data, encoding).picture, encoding))


def seen(opened: Opened, encoding: Encoding) -> "tuple[Image.Image, Pixels | None]":
    """The picture within the side that is stored, and its pixels where they are still its own."""
    pixels = opened.pixels if max(opened.picture.size) <= encoding.side else None
    return reduced(opened.picture, encoding), pixels


def reduced(picture: Image.Image, encoding: Encoding) -> Image.Image:
    """The picture, made smaller in place where it is beyond the side that is stored."""
    if max(picture.size) <= encoding.side:
        return picture
    picture.thumbnail((encoding.side, encoding.side), Image.Resampling.LANCZOS)
    return picture


def _fits(side: int, width: int, height: int) -> bool:
    return max(width, height) <= side
