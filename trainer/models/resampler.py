"""Image features to a fixed number of slots, by one cross-attention layer (KOSMOS-1).

Not Flamingo's six-layer Perceiver: one layer, no layer norm, no feed-forward, no residual.
Legend: N images, P features of width D, R slots, W width of the decoder, H heads.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Resampler(nn.Module):
    """R latents attend to the projected features and to themselves."""

    def __init__(self, *, feature_width: int, width: int, slots: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project = nn.Linear(feature_width, width)
        self.latents = nn.Parameter(torch.empty(slots, width))
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def reset_parameters(self) -> None:
        """Latents N(0, 1), as released; attention Xavier.

        The features come in with unit length, so a projection drawn from N(0, 1) gives them the
        size of the latents. With torch's default they would be some twenty times smaller than
        the latents beside them. The output is as
        small as a text embedding, since it is multiplied by sqrt(W) like one.
        """
        nn.init.normal_(self.latents)
        nn.init.normal_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        for layer in (self.query, self.key, self.value, self.out):
            gain = self.out.out_features**-0.5 if layer is self.out else 1.0
            nn.init.xavier_normal_(layer.weight, gain=gain)
            nn.init.zeros_(layer.bias)

    def forward(self, features: Tensor) -> Tensor:
        """[N, R, W] from features[N, P, D]."""
        images = features.shape[0]
        projected = self.project(F.normalize(features, dim=-1))  # [N, P, W]
        latents = self.latents.to(projected.dtype).expand(images, -1, -1)  # [N, R, W]
        context = torch.cat((projected, latents), dim=1)  # [N, P + R, W]
        attended = F.scaled_dot_product_attention(
            self._split(self.query(latents)),
            self._split(self.key(context)),
            self._split(self.value(context)),
        )
        merged: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return merged

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [N, H, :, W / H]
