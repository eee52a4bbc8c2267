"""xPos: rotary positions whose scores also fade with distance (arXiv:2212.10554).

The released KOSMOS code has xPos only as a dead option and runs on sinusoids; the paper says
xPos, and here it is applied. Legend: B rows, T places, K width of a head.
"""

from typing import Final

import torch
from torch import Tensor

SCALE_BASE: Final = 512  # torchscale's and the paper's; distances of hundreds fade, not of tens
_GAMMA: Final = 0.4  # torchscale: zeta_i = (2i + 0.4 K) / (1.4 K)


def xpos_tables(positions: Tensor, width: int, centre: int) -> tuple[Tensor, Tensor, Tensor]:
    """cos, sin and scale, float32[B, T, K / 2] each, for positions int64[B, T].

    `centre` only keeps the powers near 1: scores depend on differences of positions alone, so any
    constant gives the same, and positions may restart with each document.
    """
    steps = torch.arange(0, width, 2, device=positions.device, dtype=torch.float32)
    # At a row of 2,048 the scale reaches 12, at 8,192 it passes fp16's range: always fp32.
    at = positions.float()[..., None]
    angles = at * 10_000.0 ** (-steps / width)
    zeta = (steps + _GAMMA * width) / ((1 + _GAMMA) * width)
    return angles.cos(), angles.sin(), zeta ** ((at - centre) / SCALE_BASE)


def rotate(x: Tensor, cos: Tensor, sin: Tensor, scale: Tensor) -> Tensor:
    """Turns and scales x[B, H, T, K], pairs of neighbours together; the answer has x's type.

    Queries take `scale`, keys its inverse.
    """
    even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    cos, sin = (cos * scale)[:, None], (sin * scale)[:, None]
    turned = torch.stack((even * cos - odd * sin, odd * cos + even * sin), dim=-1)
    return turned.flatten(-2).type_as(x)
