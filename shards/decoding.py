"""Bytes of an image to pixels, by the decoders that we trust and no others."""

import io

from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from openm3w.shards.sample import IMAGE_FORMATS

MAX_PIXELS = 89_478_485
"""Of a picture that is decoded at all: Pillow's own bound, as of a build's originals."""


def decode(data: bytes) -> PillowImage.Image | None:
    """The picture in RGB, or None where it is no picture of ours or does not decode."""
    try:
        image = PillowImage.open(io.BytesIO(data), formats=IMAGE_FORMATS)
        if image.width * image.height > MAX_PIXELS:
            return None
        return image.convert("RGB")
    except (
        UnidentifiedImageError,
        PillowImage.DecompressionBombError,
        OSError,
        ValueError,
        SyntaxError,
    ):
        return None
