"""Encoded images to the pixels that a vision encoder takes."""

import io
import warnings
from typing import Final

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from openm3w.errors import InputError
from openm3w.shards.sample import IMAGE_FORMATS

MAX_PIXELS: Final = 50_000_000
"""Larger images are refused before they are decoded; shards hold some 0.3 M pixels each."""


def decode_image(data: bytes, size: int, name: str) -> Tensor:
    """uint8[3, size, size], the whole picture squeezed to a square; `name` is for the error.

    Turned upright and put on white where it is transparent, as builds do before they store one.

    Raises:
        InputError: the bytes are no image of an allowed format, are damaged, or are too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=IMAGE_FORMATS)
            if image.width * image.height > MAX_PIXELS:
                raise InputError(
                    f"{name}: {image.width} x {image.height} pixels, limit {MAX_PIXELS}"
                )
            upright = _on_white(ImageOps.exif_transpose(image))
            pixels = upright.resize((size, size), Image.Resampling.BICUBIC)
    except UnidentifiedImageError as error:
        raise InputError(f"{name}: not an image in {', '.join(IMAGE_FORMATS)}") from error
    except (
        OSError,
        SyntaxError,
        ValueError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise InputError(f"{name}: the image does not decode: {error}") from error
    return torch.from_numpy(np.array(pixels)).permute(2, 0, 1).contiguous()


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, layered).convert("RGB")
    return image.convert("RGB")
