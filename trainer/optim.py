"""AdamW with weight decay on matrices only."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerRecipe:
    """AdamW and the bound of the gradient's norm."""

    lr: float
    """Peak learning rate."""
    betas: tuple[float, ...] = (0.9, 0.98)  # KOSMOS-1, training set-up
    eps: float = 1e-6  # unilm's train.sh of KOSMOS-2
    weight_decay: float = 0.01  # KOSMOS-1, training set-up
    clip_norm: float = 2.0  # unilm's train.sh of KOSMOS-2

    def __post_init__(self) -> None:
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"optimizer.betas: {list(self.betas)}, expected two numbers in [0, 1)")
        for name in ("lr", "eps", "clip_norm"):
            if not 0 < (value := getattr(self, name)) < math.inf:
                raise ValueError(f"optimizer.{name}: {value}, expected above 0, and finite")
        if self.weight_decay < 0:
            raise ValueError(f"optimizer.weight_decay: {self.weight_decay}, expected 0 or more")


def make_optimizer(
    recipe: OptimizerRecipe, parameters: Iterable[tuple[str, nn.Parameter]]
) -> torch.optim.AdamW:
    """AdamW over two groups: matrices decay; norms, biases and the resampler's latents do not."""
    named = [(name, p) for name, p in parameters if p.requires_grad]
    decayed = [p for name, p in named if decays(name, p)]
    plain = [p for name, p in named if not decays(name, p)]
    groups = [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": plain, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=recipe.lr, betas=(recipe.betas[0], recipe.betas[1]), eps=recipe.eps
    )


def decays(name: str, parameter: torch.Tensor) -> bool:
    """Whether weight decay pulls at this parameter."""
    return parameter.ndim > 1 and not name.endswith("latents")


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Gives every group the same learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
