"""Bytes of an image to pixels, by the decoders that we trust and no others."""

import io

from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from openm3w.shards.sample import IMAGE_FORMATS

MAX_PIXELS = 89_478_485
"""Of a picture that is decoded at all: Pillow's own bound, as of a build's originals."""


_FAULTS = (
    UnidentifiedImageError,
    PillowImage.DecompressionBombError,
    OSError,
    ValueError,
    SyntaxError,
)


def decode(data: bytes) -> PillowImage.Image | None:
    """The picture in RGB, or None where it is no picture of ours or does not decode."""
    try:
        image = _open(data)
        return None if image is None else image.convert("RGB")
    except _FAULTS:
        return None


def media_type(data: bytes) -> str | None:
    """`image/jpeg`, ... by the bytes themselves, or None where they are no picture of ours.

    The header is read and no pixel; SVG, which may hold scripts, is none of ours.
    """
    try:
        image = _open(data)
    except _FAULTS:
        return None
    # A JPEG of several pictures has a name of its own with Pillow.
    return None if image is None else f"image/{(image.format or '').lower()}".replace("mpo", "jpeg")


def _open(data: bytes) -> PillowImage.Image | None:
    image = PillowImage.open(io.BytesIO(data), formats=IMAGE_FORMATS)
    return None if image.width * image.height > MAX_PIXELS else image
