"""Dev loss of each source, with the right images and with others of the batch."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from openm3w.trainer.batch import Batch
from openm3w.trainer.data.loader import collate
from openm3w.trainer.data.packing import Row
from openm3w.trainer.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class DevLoss:
    """Nats per text token on the dev documents of one source."""

    loss: float
    shuffled: float | None
    """The same with each image's features taken from another image; None without images.

    A model that does not look at the image has the same loss with any.
    """
    tokens: int


def evaluate(run: Run) -> dict[str, DevLoss]:
    """By source; sources without dev documents are left out. Leaves the random state alone."""
    run.task.model.eval()
    result = {}
    for source, rows in zip(run.sources, run.dev, strict=True):
        if rows:
            result[source.name] = _source_loss(run, rows)
    run.task.model.train()
    return result


@torch.no_grad()
def _source_loss(run: Run, rows: Sequence[Row]) -> DevLoss:
    size = run.recipe.data.rows_per_batch
    right = other = 0.0
    tokens = images = 0
    for start in range(0, len(rows), size):
        part = rows[start : start + size]
        batch = collate(part, [0] * len(part), run.cache)
        loss = run.task.loss(batch.to(run.device))
        right += loss.total.item()
        tokens += int(loss.count)
        images += len(batch.features)
        other += run.task.loss(shuffled(batch).to(run.device)).total.item()
    return DevLoss(
        loss=right / tokens, shuffled=other / tokens if images > 1 else None, tokens=tokens
    )


def shuffled(batch: Batch) -> Batch:
    """The batch with its images moved on by half their number, so that neighbours swap too."""
    return replace(batch, features=batch.features.roll(max(len(batch.features) // 2, 1), dims=0))
