"""The one training loop: steps, and three calls on a schedule (report, evaluate, save)."""

import time
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from openm3w.errors import OpenM3WError
from openm3w.trainer.data.loader import counts_to_json
from openm3w.trainer.data.mixture import Counts, ratios
from openm3w.trainer.evaluate import DevLoss, evaluate
from openm3w.trainer.log import RunLog, SourceReport, console_line
from openm3w.trainer.optim import set_rate
from openm3w.trainer.run import Run
from openm3w.trainer.schedule import factor


@dataclass(slots=True)
class Window:
    """Sums since the last report."""

    losses: Tensor
    """float64[S] summed loss of each source."""
    counts: Tensor
    """int64[S] places with loss of each source."""
    given: list[Counts]
    grad_norm: float = 0.0
    steps: int = 0
    data_seconds: float = 0.0
    started: float = 0.0
    encoder_started: float = 0.0


def train(run: Run, log: RunLog, *, stop_at: int | None = None) -> dict[str, Any]:
    """Trains to the end of the schedule, or to step `stop_at`, and returns the last figures.

    Raises:
        OpenM3WError: the loss is no longer a finite number; the last checkpoint is from before.
    """
    steps = run.recipe.schedule.steps
    stop = steps if stop_at is None else min(stop_at, steps)
    last: dict[str, Any] = {}
    window = _window(run)
    every = run.recipe.run
    while run.step < stop:
        _step(run, window)
        done = run.step == stop
        if run.step % every.log_every == 0 or done:
            last = _report(run, log, window)
            window = _window(run)
        if run.step % every.eval_every == 0 or done:
            _evaluate_aside(run, log, last, window)
        if run.step % every.checkpoint_every == 0 or done:
            run.save()
    return last


def _step(run: Run, window: Window) -> None:
    """One optimiser step over as many batches as the recipe's rows need."""
    recipe = run.recipe
    set_rate(run.optimizer, recipe.optimizer.lr * factor(recipe.schedule, run.step))
    run.optimizer.zero_grad(set_to_none=True)
    run.task.model.train()
    count = torch.zeros((), dtype=torch.int64, device=run.device)
    left = recipe.data.rows_per_step
    while left:
        rows = min(recipe.data.rows_per_batch, left)
        left -= rows
        count += _backward(run, window, rows)
    window.grad_norm += _update(run, count)
    window.steps += 1
    run.step += 1


def _backward(run: Run, window: Window, rows: int) -> Tensor:
    """Adds one batch's gradients of the *summed* loss, and returns its number of targets."""
    start = time.perf_counter()
    batch, given = run.loader.next_batch(rows)
    window.data_seconds += time.perf_counter() - start
    bf16 = run.recipe.run.precision == "bf16"
    with torch.autocast(run.device.type, dtype=torch.bfloat16, enabled=bf16):
        loss = run.task.loss(batch.to(run.device))
    loss.total.backward()
    # Sums stay on the device: .item() here would wait for the GPU in each batch.
    window.losses += loss.parts[0]
    window.counts += loss.parts[1]
    window.given = [a + b for a, b in zip(window.given, given, strict=True)]
    return loss.count


def _update(run: Run, count: Tensor) -> float:
    """Divides by the step's targets, clips and steps; returns the norm before clipping."""
    parameters = [p for _, p in run.task.trainable() if p.grad is not None]
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad /= count
    norm = torch.nn.utils.clip_grad_norm_(parameters, run.recipe.optimizer.clip_norm).item()
    if norm != norm or norm == float("inf"):
        raise OpenM3WError(
            f"step {run.step + 1}: the gradient is {norm}; lower optimizer.lr or lengthen "
            "schedule.warmup; the last checkpoint is from before this step"
        )
    run.optimizer.step()
    return norm


def _report(run: Run, log: RunLog, window: Window) -> dict[str, Any]:
    seconds = time.perf_counter() - window.started
    losses, counts = window.losses.tolist(), window.counts.tolist()
    recent = ratios([c.tokens for c in window.given])
    total = ratios([c.tokens for c in run.loader.total])
    tokens = sum(c.tokens for c in window.given)
    sources = [
        SourceReport(
            name=source.name,
            target=source.share,
            recent=recent[i],
            total=total[i],
            loss=losses[i] / counts[i] if counts[i] else None,
        )
        for i, source in enumerate(run.sources)
    ]
    values = {
        "loss": sum(losses) / max(sum(counts), 1),
        "lr": run.optimizer.param_groups[0]["lr"],
        "grad_norm": window.grad_norm / window.steps,
        "tokens": tokens,
        "tokens_per_second": tokens / seconds,
        "data_wait_share": window.data_seconds / seconds,
        "encoder_share": (run.cache.seconds - window.encoder_started) / seconds,
        "pad_share": _pad_share(window.given),
    }
    log.say(console_line(run.step, run.recipe.schedule.steps, values, sources))
    for source, skipped in zip(sources, run.loader.skipped(), strict=True):
        if skipped:
            log.say(f"    {source.name}: {skipped}")
    detail = {s.name: _source_json(run, i, s, window) for i, s in enumerate(sources)}
    log.write("train", run.step, {**values, "sources": detail})
    return {**values, "step": run.step, "sources": detail}


def _source_json(run: Run, index: int, report: SourceReport, window: Window) -> dict[str, Any]:
    return {
        "kind": run.sources[index].kind,
        "target": report.target,
        "recent": report.recent,
        "total": report.total,
        "loss": report.loss,
        "epochs": run.loader.epochs()[index],
        "given": counts_to_json(window.given[index]),
        "given_in_all": counts_to_json(run.loader.total[index]),
        "read": run.loader.document_counts()[index],
        "skipped": run.loader.skipped()[index].to_json(),
    }


def _evaluate_aside(run: Run, log: RunLog, last: dict[str, Any], window: Window) -> None:
    """Evaluates, and keeps the time out of the window: what reports measure is training alone."""
    start, encoder_start = time.perf_counter(), run.cache.seconds
    _evaluate(run, log, last)
    # Moved on, not set anew: an evaluation may fall between two reports.
    window.started += time.perf_counter() - start
    window.encoder_started += run.cache.seconds - encoder_start


def _evaluate(run: Run, log: RunLog, last: dict[str, Any]) -> None:
    found = evaluate(run)
    if not found:
        return
    texts = [_dev_text(name, dev) for name, dev in found.items()]
    log.say(f"step {run.step} dev  |  " + "  |  ".join(texts))
    values = {
        name: {"loss": d.loss, "loss_shuffled": d.shuffled, "tokens": d.tokens}
        for name, d in found.items()
    }
    log.write("dev", run.step, values)
    last["dev"] = values


def _dev_text(name: str, dev: DevLoss) -> str:
    if dev.shuffled is None:
        return f"{name} loss {dev.loss:.3f}"
    return f"{name} loss {dev.loss:.3f}, with shuffled images {dev.shuffled:.3f}"


def _window(run: Run) -> Window:
    number = len(run.sources)
    return Window(
        losses=torch.zeros(number, dtype=torch.float64, device=run.device),
        counts=torch.zeros(number, dtype=torch.int64, device=run.device),
        given=[Counts() for _ in run.sources],
        started=time.perf_counter(),
        encoder_started=run.cache.seconds,
    )


def _pad_share(given: list[Counts]) -> float:
    pad, tokens = sum(c.pad for c in given), sum(c.tokens for c in given)
    return pad / (pad + tokens)
