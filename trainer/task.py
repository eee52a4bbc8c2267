"""What the loop trains: a model with a loss over a batch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from openm3w.trainer.batch import Batch
from openm3w.trainer.data.tokens import IGNORE
from openm3w.trainer.models.kosmos1 import Kosmos1


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Sums and counts, never means: batches of ragged documents add up rightly.

    The loop divides, once, by the count of all batches of a step.
    """

    total: Tensor
    """float32[] sum over supervised items, with gradient."""
    count: Tensor
    """int64[] number of supervised items."""
    parts: tuple[Tensor, Tensor]
    """float32[S] and int64[S]: the same for each of the S sources, without gradient."""


class Task(Protocol):
    """A family's objective over its model."""

    @property
    def model(self) -> nn.Module:
        """What is trained."""

    def loss(self, batch: Batch) -> Loss:
        """Forward and objective; never a backward."""

    def trainable(self) -> Iterable[tuple[str, nn.Parameter]]:
        """The parameters that the optimiser moves; the rest stays frozen."""


class KosmosTask:
    """Next-token prediction on text, images given in the slots."""

    def __init__(self, model: Kosmos1, sources: Sequence[str]) -> None:
        self.model: Kosmos1 = model
        self._num_sources = len(sources)

    def loss(self, batch: Batch) -> Loss:
        """Summed cross-entropy of the places that have a target."""
        hidden = self.model(batch)
        supervised = batch.targets != IGNORE
        # Only places with loss reach the vocabulary: nearly half of a caption row has none.
        logits = self.model.logits(hidden[supervised]).float()
        losses = F.cross_entropy(logits, batch.targets[supervised], reduction="none")
        origin = batch.source[:, None].expand_as(batch.targets)[supervised]
        sums = torch.zeros(self._num_sources, device=losses.device)
        sums.index_add_(0, origin, losses.detach())
        counts = torch.bincount(origin, minlength=self._num_sources)
        return Loss(total=losses.sum(), count=supervised.sum(), parts=(sums, counts))

    def trainable(self) -> Iterable[tuple[str, nn.Parameter]]:
        return self.model.named_parameters()
