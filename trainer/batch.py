"""What a task sees of the data.

Legend: B rows, T places of a row, N images of the batch, P features of an image, D their width.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Packed rows as tensors. Token ids never change their type."""

    tokens: Tensor
    """int64[B, T] ids; `<slot>` where image features go, `<pad>` at the end."""
    targets: Tensor
    """int64[B, T] the id to predict at each place, or -100 where no loss is taken."""
    documents: Tensor
    """int64[B, T] number of the document in its row from 1, 0 where padded."""
    positions: Tensor
    """int64[B, T] place inside the document, from 0."""
    features: Tensor
    """float32[N, P, D] of the frozen vision encoder, in the order of `image_at`."""
    image_at: Tensor
    """int64[N, 2] row and place of each image's first slot."""
    source: Tensor
    """int64[B] which source of the mixture a row is from."""

    def to(self, device: torch.device) -> "Batch":
        """The same batch on another device."""
        return Batch(
            tokens=self.tokens.to(device),
            targets=self.targets.to(device),
            documents=self.documents.to(device),
            positions=self.positions.to(device),
            features=self.features.to(device),
            image_at=self.image_at.to(device),
            source=self.source.to(device),
        )
