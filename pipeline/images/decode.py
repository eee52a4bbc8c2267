"""Encoded bytes of the web to the bytes that a shard stores, within bounds.

Formats outside the allowlist are never given to a decoder, the pixel count is read from the
header before any pixel is decoded, and metadata (camera, place) does not survive the encoding.
"""

import hashlib
import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from openm3w.pipeline.images.measures import (
    Measures,
    Original,
    measure,
    original,
    pdq_hash,
    perceptual_hash,
)

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
"""What Pillow may decode; its other plugins (EPS, PSD, FITS, ...) have a record of holes."""

REASONS = frozenset({"empty", "too_large", "unknown_format", "too_many_pixels", "undecodable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How images are stored."""

    side: int = 512
    """Longest side in pixels; larger images are reduced, smaller ones are left as they are."""
    quality: int = 90
    """JPEG quality, as img2dataset stores by default 95 at 256 px; 90 at 512 px is about equal."""
    max_bytes: int = 20_000_000
    """Of the encoded input."""
    max_pixels: int = 89_478_485
    """Of the decoded input: Pillow's own limit against decompression bombs."""

    def __post_init__(self) -> None:
        if self.side < 64:
            raise ValueError(f"side: {self.side} is below the 64 px that every profile asks for")
        if not 1 <= self.quality <= 100:
            raise ValueError(f"quality: {self.quality} is outside 1..100")
        if min(self.max_bytes, self.max_pixels) < 1:
            raise ValueError("max_bytes and max_pixels must be at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """An image as stored, with what the filters want to know of it."""

    data: bytes
    """JPEG in RGB, upright; a colour profile of the original is not applied."""
    sha256: str
    width: int
    height: int
    original_width: int
    original_height: int
    original_format: str
    """`jpeg`, `png` and the like: FORMATS in lower case."""
    original: Original
    measures: Measures
    pdq: tuple[str, int] | None = None
    """PDQ hash and its quality, where they were asked for."""


class UnusableImageError(Exception):
    """An image that cannot be stored; its text is one of REASONS."""


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
    picture, (width, height), original_format = open_picture(data, encoding)
    reduce(picture, encoding)
    picture.info.clear()  # Pillow would write the comment of the original into the copy
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=encoding.quality)
    stored = buffer.getvalue()
    return Encoded(
        data=stored,
        sha256=hashlib.sha256(stored).hexdigest(),
        width=picture.width,
        height=picture.height,
        original_width=width,
        original_height=height,
        original_format=original_format.lower(),
        original=original(data),
        measures=measure(picture),
        pdq=pdq_hash(picture) if with_pdq else None,
    )


def phash_of(data: bytes, encoding: Encoding) -> str:
    """The perceptual hash that `encode` would find, without encoding.

    Raises:
        UnusableImageError: with the reason.
    """
    picture, _, _ = open_picture(data, encoding)
    reduce(picture, encoding)
    return perceptual_hash(picture)


def reduce(picture: Image.Image, encoding: Encoding) -> None:
    """Makes a larger picture fit the side that is stored, in place."""
    if max(picture.size) > encoding.side:
        picture.thumbnail((encoding.side, encoding.side), Image.Resampling.LANCZOS)


def open_picture(data: bytes, encoding: Encoding) -> tuple[Image.Image, tuple[int, int], str]:
    """An upright RGB picture, its size before any reduction, and the name of its format.

    Raises:
        UnusableImageError: with the reason.
    """
    if not data:
        raise UnusableImageError("empty")
    if len(data) > encoding.max_bytes:
        raise UnusableImageError("too_large")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of EXIF and palette oddities
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > encoding.max_pixels:
                    raise UnusableImageError("too_many_pixels")
                original_format, size = image.format or "", image.size
                # A JPEG decodes at 1/2, 1/4 or 1/8 for a fraction of the cost; twice the side
                # that is stored leaves the reduction something to average.
                image.draft("RGB", (2 * encoding.side, 2 * encoding.side))
                image.load()
                upright = ImageOps.exif_transpose(image)
                turned = image.width != image.height and upright.width == image.height
                return _rgb(upright), size[::-1] if turned else size, original_format
    except UnidentifiedImageError:
        raise UnusableImageError("unknown_format") from None
    except Image.DecompressionBombError:
        raise UnusableImageError("too_many_pixels") from None
    except _DECODER_ERRORS:
        raise UnusableImageError("undecodable") from None


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
)


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # Pillow clips 16-bit grey to 255 on conversion; scale it instead.
        grey = np.asarray(image, dtype=np.uint32) >> 8
        return Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layered).convert("RGB")
    return _in_srgb(image).convert("RGB")


def _in_srgb(image: Image.Image) -> Image.Image:
    """The picture with the colours that its embedded profile means, where it has a usable one."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "CMYK", "L"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(
            image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a broken or alien profile
        return image
    return converted or image
