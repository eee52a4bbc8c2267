"""Encoded bytes of the web to a picture, within bounds.

Magic bytes choose the decoder; size and number of parts are read from the header before any pixel
is decoded. Safe to call from several threads.
"""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from openm3w.pipeline.images import pixels
from openm3w.pipeline.images.colours import is_srgb, to_srgb
from openm3w.pipeline.images.headers import Header, read_header
from openm3w.pipeline.images.keeping import stripped_jpeg
from openm3w.pipeline.images.quiet import quiet

REASONS = frozenset(
    {
        "empty",
        "too_large",
        "unknown_format",
        "too_complex",  # more segments, scans or chunks than a picture needs
        "too_many_pixels",
        "undecodable",
    }
)
PILLOW_PIXELS = 89_478_485
"""Pillow's bound against decompression bombs; above it Pillow warns, which counts as an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How images are stored."""

    side: int = 512
    """Longest side in pixels; larger images are reduced, smaller ones are left as they are."""
    quality: int = 90
    """JPEG quality, as img2dataset stores by default 95 at 256 px; 90 at 512 px is about equal."""
    max_bytes: int = 20_000_000
    """Of the encoded input."""
    max_pixels: int = PILLOW_PIXELS
    """Of the decoded input, at most PILLOW_PIXELS."""
    keep_bytes: bool = False
    """Stores a JPEG in RGB as it came, without its metadata, where nothing would be changed but
    the encoding: it is upright, in sRGB and within `side`."""

    def __post_init__(self) -> None:
        if self.side < 64:
            raise ValueError(f"side: {self.side} is below the 64 px that every profile asks for")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality: {self.quality} is outside 1..100")
        if min(self.max_bytes, self.max_pixels) < 1:
            raise ValueError("max_bytes and max_pixels must be at least 1")
        if self.max_pixels > PILLOW_PIXELS:
            raise ValueError(f"max_pixels: {self.max_pixels} is above Pillow's {PILLOW_PIXELS}")


Keeps = Callable[[int, int], bool]


class UnusableImageError(Exception):
    """An image that cannot be stored; its text is one of REASONS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A decoded picture."""

    picture: Image.Image
    """RGB, upright, in sRGB; of mode RGBX where that saves a copy. Where the bytes are kept, L: its
    luma. Large JPEGs come reduced to no less than twice the side that is stored."""
    width: int
    """Pixels of the original, upright."""
    height: int
    format: str
    """`jpeg`, `png` and the like."""
    num_frames: int
    kept: bytes | None = None
    """The bytes to store, where they are kept as they came, less metadata."""
    pixels: "np.ndarray[Any, Any] | None" = None
    """The picture as `uint8[H, W, 4]` whose fourth value says nothing, or of mode L as
    `uint8[H, W, 1]`, where that is at hand."""


def open_picture(data: bytes, encoding: Encoding, keeps: Keeps | None = None) -> Opened:
    """Decodes an image within bounds, completely: one that is cut off is refused.

    Args:
        data: The file.
        encoding: Its bounds, and the side that a JPEG need not exceed.
        keeps: Whether the bytes of a JPEG of this width and height are kept, if it is in RGB,
            upright and in sRGB.

    Raises:
        UnusableImageError: with the reason.
    """
    header = _checked(data, encoding)
    pixels.keep_freed_memory()
    if header.is_plain and (opened := _opened_plain(data, header, encoding, keeps)):
        return opened
    try:
        with quiet, Image.open(io.BytesIO(data), formats=[header.format]) as image:
            size = image.size
            if size[0] * size[1] > encoding.max_pixels:
                raise UnusableImageError("too_many_pixels")
            is_jpeg = header.format == "JPEG"
            # A JPEG's further pictures are previews and depth maps, no animation.
            frames = 1 if is_jpeg else header.num_frames or int(getattr(image, "n_frames", 1))
            if keeps and is_jpeg and keeps(*size) and (kept := _plain_bytes(image, data)):
                luma, array = pixels.load_luma(image, data)
                return Opened(
                    picture=luma, width=size[0], height=size[1], format="jpeg", num_frames=1,
                    kept=kept, pixels=array,
                )  # fmt: skip
            picture, array = pixels.load(image, data, encoding.side)
            orientation = _turn_upright(picture, header)
            shown = to_srgb(picture)
            shown.info = {}  # Pillow would write the comment of the original into the copy
            return Opened(
                picture=shown,
                width=size[orientation in _TURNED],
                height=size[orientation not in _TURNED],
                format=header.format.lower(),
                num_frames=frames,
                pixels=array if shown is picture and orientation == 1 else None,
            )
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UnusableImageError("too_many_pixels") from None
    except _DECODER_ERRORS:
        raise UnusableImageError("undecodable") from None


def _opened_plain(
    data: bytes, header: Header, encoding: Encoding, keeps: Keeps | None
) -> Opened | None:
    """A plain JPEG, for which Pillow would find out nothing more; None: Pillow is asked."""
    size = header.width, header.height
    if keeps and keeps(*size):
        kept = stripped_jpeg(data)
        found = pixels.plain_luma(data, *size) if kept else None
    else:
        kept = None
        found = pixels.plain(data, *size, encoding.side)
    if found is None:
        return None
    picture, array = found
    return Opened(
        picture=picture, width=size[0], height=size[1], format="jpeg", num_frames=1, kept=kept,
        pixels=array,
    )  # fmt: skip


def _checked(data: bytes, encoding: Encoding) -> Header:
    """The header of bytes that a decoder may see."""
    if not data:
        raise UnusableImageError("empty")
    if len(data) > encoding.max_bytes:
        raise UnusableImageError("too_large")
    header = read_header(data)
    if not header.format:
        raise UnusableImageError("unknown_format")
    if header.is_damaged:
        raise UnusableImageError("undecodable")
    if header.width * header.height > encoding.max_pixels:
        raise UnusableImageError("too_many_pixels")
    if header.is_overloaded:
        raise UnusableImageError("too_complex")
    return header


def _plain_bytes(image: Image.Image, data: bytes) -> bytes | None:
    """The bytes without metadata of a JPEG that means the same without them."""
    if image.mode != "RGB" or not is_srgb(image.info.get("icc_profile")):
        return None
    is_upright = not _has_exif(image) or _orientation(image) == 1
    return stripped_jpeg(data) if is_upright else None


def _turn_upright(picture: Image.Image, header: Header) -> int:
    """Turns as the camera was held; the orientation of EXIF, 1 to 8, that it had."""
    orientation = _orientation(picture) if header.format != "JPEG" or _has_exif(picture) else 1
    if orientation != 1:
        ImageOps.exif_transpose(picture, in_place=True)
    return orientation


def _has_exif(picture: Image.Image) -> bool:
    return bool(picture.info.keys() & {"exif", "xmp"})


def _orientation(picture: Image.Image) -> int:
    try:
        orientation = int(picture.getexif().get(_ORIENTATION, 1))
    except _DECODER_ERRORS:  # of metadata; the pixels are there
        return 1
    return orientation if 1 <= orientation <= 8 else 1


_ORIENTATION = 0x0112
_TURNED = (5, 6, 7, 8)

# What Pillow's decoders raise on damaged files.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    EOFError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    MemoryError,
    RuntimeError,  # of AVIF
    struct.error,
    zlib.error,
)
