"""Pictures as the uint8 tensors that an image tower takes."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def to_pixels(images: Sequence[Image.Image], size: int) -> torch.Tensor:
    """uint8[N, 3, size, size] RGB, squeezed to a square with Pillow's bicubic filter.

    The whole picture is kept: nothing is cropped away, and the aspect ratio is not.
    """
    pixels = np.empty((len(images), size, size, 3), dtype=np.uint8)
    for row, image in zip(pixels, images, strict=True):
        row[:] = np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BICUBIC))
    return torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy())
