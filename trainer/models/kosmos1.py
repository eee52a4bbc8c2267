"""KOSMOS-1: a decoder that reads image features in the slots between `<image>` and `</image>`.

Legend: B rows, T places, N images, P features of width D, R slots, W width, V ids.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openm3w.trainer.batch import Batch
from openm3w.trainer.models.decoder import Decoder, LayerCache, document_mask
from openm3w.trainer.models.resampler import Resampler


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecipe:
    """Sizes of the decoder and of its bridge to the images."""

    layers: int
    width: int
    ffn_width: int
    heads: int
    image_slots: int
    resampler_heads: int
    vision_encoder: str
    """A name that `openm3w.trainer.encoders` knows; it stays frozen."""
    dropout: float = 0.1

    def __post_init__(self) -> None:
        for name in ("layers", "width", "ffn_width", "heads", "image_slots", "resampler_heads"):
            if getattr(self, name) < 1:
                raise ValueError(f"model.{name}: {getattr(self, name)}, expected 1 or more")
        if self.width % self.resampler_heads or self.width % (2 * self.heads):
            raise ValueError(
                f"model.width {self.width}: must divide by resampler_heads {self.resampler_heads} "
                f"and by 2 x heads {self.heads} (xPos turns pairs)"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"model.dropout: {self.dropout} is not in [0, 1)")


class Kosmos1(nn.Module):
    """Embedding, resampler, decoder, and the embedding again as output layer."""

    def __init__(
        self, recipe: ModelRecipe, *, vocab_size: int, feature_width: int, length: int
    ) -> None:
        super().__init__()
        self.slots = recipe.image_slots
        self.scale = math.sqrt(recipe.width)
        self.embedding = nn.Embedding(vocab_size, recipe.width)
        self.resampler = Resampler(
            feature_width=feature_width,
            width=recipe.width,
            slots=recipe.image_slots,
            heads=recipe.resampler_heads,
        )
        self.decoder = Decoder(
            layers=recipe.layers,
            width=recipe.width,
            inner=recipe.ffn_width,
            heads=recipe.heads,
            dropout=recipe.dropout,
            length=length,
        )

    def reset_parameters(self) -> None:
        """Draws every weight anew from torch's generator."""
        nn.init.normal_(self.embedding.weight, std=1 / self.scale)
        self.resampler.reset_parameters()
        self.decoder.reset_parameters()

    def forward(self, batch: Batch) -> Tensor:
        """Hidden states [B, T, W]; `logits` turns those that are wanted into scores."""
        x = self.embed(batch.tokens, batch.features, batch.image_at)
        hidden: Tensor = self.decoder(x, batch.positions, document_mask(batch.documents))
        return hidden

    def embed(self, tokens: Tensor, features: Tensor, image_at: Tensor) -> Tensor:
        """[B, T, W] of tokens int64[B, T], with features[N, P, D] in place of the slots.

        The factor sqrt(W) applies to image slots too, as released.
        """
        x: Tensor = self.embedding(tokens)
        if len(features):
            slots = self.resampler(features).to(x.dtype)  # [N, R, W]
            rows = image_at[:, :1].expand(-1, self.slots)  # [N, R]
            places = image_at[:, 1:] + torch.arange(self.slots, device=tokens.device)
            x = x.index_put((rows, places), slots)
        return x * self.scale

    def logits(self, hidden: Tensor) -> Tensor:
        """[..., V] of hidden states [..., W]."""
        return F.linear(hidden, self.embedding.weight)

    def step(self, x: Tensor, start: int, caches: list[LayerCache]) -> Tensor:
        """[1, T, W] of embeddings x[1, T, W] that follow the `start` places in the caches."""
        length = x.shape[1]
        positions = torch.arange(start, start + length, device=x.device)[None]
        seen = torch.arange(start + length, device=x.device)
        mask = (seen[None, :] <= positions[0][:, None])[None, None]
        hidden: Tensor = self.decoder(x, positions, mask, caches)
        return hidden
