"""Features of the frozen vision encoder, each image encoded once.

A frozen encoder is part of the data path: what it answers depends on nothing that trains. On a
CPU it costs far more than a small decoder, so its features are kept in memory by image hash.
"""

import hashlib
import time
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from openm3w.trainer.data.images import decode_image
from openm3w.trainer.data.packing import EncodedImage
from openm3w.trainer.encoders.protocol import VisionEncoder

_GPU_CHUNK: Final = 64


class FeatureCache:
    """Images to features, through fp16, remembered until the memory allowed is used up.

    A full cache keeps what it has: with epochs that visit every image once, throwing out the
    oldest would lose each image just before it comes again.
    """

    def __init__(self, encoder: VisionEncoder, device: torch.device, *, max_gb: float) -> None:
        self.encoder = encoder
        self.seconds = 0.0
        """Time spent on decoding and encoding so far."""
        self._device = device
        self._known: dict[bytes, Tensor] = {}
        image_bytes = 2 * encoder.num_tokens * encoder.dim
        self._capacity = int(max_gb * 1e9 / image_bytes)

    def features(self, images: Sequence[EncodedImage]) -> Tensor:
        """float32[N, P, D] on the CPU.

        Rounded to fp16 whether remembered or new, so that a resumed run, whose cache is empty,
        computes with the very numbers of an uninterrupted one.

        Raises:
            InputError: an image does not decode.
        """
        start = time.perf_counter()
        keys = [hashlib.sha256(image.data).digest() for image in images]
        new = {k: i for k, i in zip(keys, images, strict=True) if k not in self._known}
        fresh = self._encode(list(new.values()))
        found = dict(zip(new, fresh, strict=True))
        result = [found[k] if k in found else self._known[k] for k in keys]
        for key, features in found.items():
            if len(self._known) < self._capacity:
                self._known[key] = features
        self.seconds += time.perf_counter() - start
        if not result:
            return torch.zeros(0, self.encoder.num_tokens, self.encoder.dim)
        return torch.stack(result).float()

    def _encode(self, images: Sequence[EncodedImage]) -> list[Tensor]:
        # One by one on a CPU: the sums inside a matrix product depend on the batch's size, and a
        # resumed run meets new images in other groups. On a GPU that would waste the device.
        chunk = 1 if self._device.type == "cpu" else _GPU_CHUNK
        size = self.encoder.image_size
        result: list[Tensor] = []
        for start in range(0, len(images), chunk):
            part = images[start : start + chunk]
            pixels = torch.stack([decode_image(i.data, size, i.name) for i in part])
            with torch.inference_mode():
                features = self.encoder.features(pixels.to(self._device))
            # Cloned: a slice would keep the whole chunk alive, an inference tensor no autograd.
            result.extend(row.half().cpu().clone() for row in features)
        return result
