"""What every encoder offers, so that scoring, search and the trainer know no model by name.

Importing this module loads neither torch nor Pillow: recipes are checked where neither is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from PIL import Image


class Similarity(Protocol):
    """Images and texts as directions of one space; the dot product of two is their similarity.

    A result depends on its own image or text alone, never on what else is in the call.
    """

    model_id: str
    """Names architecture and weights; stored beside each score. Holds no path of a machine."""

    preprocessing: str
    """One line: resize filter, size, mean and standard deviation, tokenizer."""

    dim: int

    def encode_images(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """float32[N, D] on the CPU, unit length, in the order given."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """float32[N, D] on the CPU, unit length, in the order given."""
        ...


class VisionEncoder(Protocol):
    """A frozen image tower: one feature vector for each token, no gradient."""

    name: str
    dim: int
    num_tokens: int
    image_size: int

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """float32[B, num_tokens, dim] on the encoder's device, from uint8[B, 3, S, S].

        Normalisation happens inside. The result is an ordinary tensor without a gradient, so that
        a trainable layer may follow.
        """
        ...
