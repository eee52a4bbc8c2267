"""A causal decoder with sub-LN, xPos and Magneto's initialisation (arXiv:2210.06423).

Legend: B rows, T new places, S places seen so far (T without a cache), W width, H heads, K = W / H.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openm3w.trainer.models.positions import rotate, xpos_tables


@dataclass(slots=True)
class LayerCache:
    """Keys and values of the places seen so far, each [B, H, S, K]; empty before the first."""

    keys: Tensor | None = None
    values: Tensor | None = None

    def extend(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Adds new places and returns all. Keys come with xPos applied: its centre is fixed."""
        if self.keys is not None and self.values is not None:
            keys = torch.cat((self.keys, keys), dim=2)
            values = torch.cat((self.values, values), dim=2)
        self.keys, self.values = keys, values
        return keys, values


class Attention(nn.Module):
    """Self-attention with a norm before the output projection (sub-LN)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.inner_norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, width)

    def forward(
        self,
        x: Tensor,
        tables: tuple[Tensor, Tensor, Tensor],
        mask: Tensor,
        cache: LayerCache | None,
    ) -> Tensor:
        """[B, T, W]; `mask` bool[B, 1, T, S] is true where a place may look."""
        cos, sin, scale = tables
        query = rotate(self._split(self.query(x)), cos, sin, scale)
        key = rotate(self._split(self.key(x)), cos, sin, 1 / scale)
        value = self._split(self.value(x))
        if cache is not None:
            key, value = cache.extend(key, value)
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        merged: Tensor = self.out(self.inner_norm(attended.transpose(1, 2).flatten(2)))
        return merged

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, H, T, K]


class FeedForward(nn.Module):
    """Two layers with GELU in fp32 and a norm before the second (sub-LN)."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.first = nn.Linear(width, inner)
        self.inner_norm = nn.LayerNorm(inner)
        self.second = nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        """[B, T, W] to [B, T, W]."""
        hidden = self.first(x)
        # fp32, as released: GELU's tails matter to the norm behind it.
        hidden = F.gelu(hidden.float()).type_as(hidden)
        result: Tensor = self.second(self.inner_norm(hidden))
        return result


class Block(nn.Module):
    """Attention, then feed-forward, each normed before and added to its input."""

    def __init__(self, width: int, inner: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = FeedForward(width, inner)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        tables: tuple[Tensor, Tensor, Tensor],
        mask: Tensor,
        cache: LayerCache | None,
    ) -> Tensor:
        """[B, T, W] to [B, T, W]."""
        x = x + self.dropout(self.attention(self.attention_norm(x), tables, mask, cache))
        return x + self.dropout(self.feed_forward(self.feed_forward_norm(x)))


class Decoder(nn.Module):
    """Blocks and a final norm; embeddings in, hidden states out."""

    def __init__(
        self, *, layers: int, width: int, inner: int, heads: int, dropout: float, length: int
    ) -> None:
        super().__init__()
        self.head_width = width // heads
        self.centre = length // 2
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, inner, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def reset_parameters(self) -> None:
        """Magneto's as the paper says it: Xavier, then V, O and both FFN weights times gamma.

        gamma = sqrt(ln 2M) for M decoder layers; 1.97 at 24. Queries and keys stay Xavier.
        """
        gamma = math.sqrt(math.log(2 * len(self.blocks)))
        for name, layer in self.named_modules():
            if isinstance(layer, nn.Linear):
                scaled = name.endswith(("value", "out", "first", "second"))
                nn.init.xavier_normal_(layer.weight, gain=gamma if scaled else 1.0)
                nn.init.zeros_(layer.bias)

    def forward(
        self,
        x: Tensor,
        positions: Tensor,
        mask: Tensor,
        caches: list[LayerCache] | None = None,
    ) -> Tensor:
        """[B, T, W] for embeddings x[B, T, W], positions int64[B, T], mask bool[B, 1, T, S]."""
        tables = xpos_tables(positions, self.head_width, self.centre)
        x = self.dropout(x)
        for number, block in enumerate(self.blocks):
            x = block(x, tables, mask, caches[number] if caches else None)
        result: Tensor = self.norm(x)
        return result


def document_mask(documents: Tensor) -> Tensor:
    """bool[B, 1, T, T]: a place sees itself and what precedes it in its own document.

    Padding, document 0, sees padding: a row of the mask with nothing to see gives NaN in older
    torch.
    """
    length = documents.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=documents.device).tril()
    same = documents[:, :, None] == documents[:, None, :]
    return (same & causal)[:, None]
