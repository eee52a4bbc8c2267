"""What a run would be, without running it: parameters, tokens by source, memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import nn

from openm3w.shards.manifest import Manifest
from openm3w.shards.sample import Kind
from openm3w.trainer import run
from openm3w.trainer.data.loader import Source, expected_tokens
from openm3w.trainer.data.tokenizer import make_tokenizer
from openm3w.trainer.encoders.protocol import VisionEncoder
from openm3w.trainer.recipe import TrainRecipe

# What autograd keeps of one place in one layer, in multiples of the width and of the inner width;
# counted with saved_tensors_hooks on `models/decoder.py`, and a test counts again.
_KEPT_WIDTHS: Final = 13
_KEPT_INNER_WIDTHS: Final = 3
_ADAM_BYTES: Final = 16
"""fp32: weight, gradient and two moments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """What one source is to give."""

    name: str
    kind: Kind
    share: float
    samples: int
    tokens_per_step: int
    epochs: float
    """About how often the whole run reads it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run on paper."""

    parameters: dict[str, int]
    """By part; `total` is their sum. The frozen encoder is not counted."""
    vision_encoder: str
    vocab_size: int
    steps: int
    tokens_per_step: int
    """Positions of a step, padding among them."""
    sources: tuple[SourcePlan, ...]
    memory_gb: dict[str, float]
    """Weights with optimiser state, activations of one batch, scores over the vocabulary; and
    features of the frozen encoder, which are in the host's memory on a GPU too."""


def make_plan(
    recipe: TrainRecipe, manifests: Sequence[Manifest], *, encoder: VisionEncoder | None = None
) -> Plan:
    """Builds the model on the meta device, where weights have shapes and take no memory.

    Raises:
        RecipeError: no manifest is of a kind that the mixture names.
    """
    sources = run.sources_of(recipe, manifests)
    encoder = encoder or run.load_encoder(recipe.model.vision_encoder, torch.device("cpu"))
    # A learned tokenizer is not learned for a plan: it has at most the size asked for.
    vocab = recipe.tokenizer.planned_vocab_size or make_tokenizer(recipe.tokenizer, ()).vocab_size
    with torch.device("meta"):
        model = run.make_model(recipe, vocab, encoder.dim)
    parameters = {name: _size(part) for name, part in model.named_children()}
    parameters["total"] = _size(model)
    tokens = recipe.data.rows_per_step * recipe.data.sequence_length
    slots = recipe.model.image_slots
    return Plan(
        parameters=parameters,
        vision_encoder=f"{encoder.name}, frozen, {encoder.num_tokens} x {encoder.dim} an image",
        vocab_size=vocab,
        steps=recipe.schedule.steps,
        tokens_per_step=tokens,
        sources=tuple(
            SourcePlan(
                name=s.name,
                kind=s.kind,
                share=s.share,
                samples=s.manifest.nsamples,
                tokens_per_step=round(s.share * tokens),
                epochs=s.share
                * tokens
                * recipe.schedule.steps
                / max(expected_tokens(s.manifest, slots), 1),
            )
            for s in sources
        ),
        memory_gb={
            **_memory(recipe, parameters["total"], vocab),
            "remembered image features": _features_gb(recipe, sources, encoder),
        },
    )


def plan_lines(plan: Plan) -> list[str]:
    """The plan as a person reads it."""
    parts = ", ".join(f"{k} {v / 1e6:,.1f} M" for k, v in plan.parameters.items() if k != "total")
    memory = ", ".join(f"{name} {gb:,.2f}" for name, gb in plan.memory_gb.items())
    all_tokens = plan.steps * plan.tokens_per_step / 1e9
    rows = [
        ("parameters", f"{plan.parameters['total'] / 1e6:,.1f} M trained ({parts})"),
        ("vision", plan.vision_encoder),
        ("vocabulary", f"{plan.vocab_size:,} ids at most"),
        ("steps", f"{plan.steps:,} of {plan.tokens_per_step:,} tokens, {all_tokens:,.2f} G in all"),
        *(("source", _source_text(source)) for source in plan.sources),
        ("memory", f"about {sum(plan.memory_gb.values()):,.2f} GB ({memory})"),
    ]
    return [f"{name:<12}{text}" for name, text in rows]


def _source_text(source: SourcePlan) -> str:
    return (
        f"{source.name} ({source.kind}): {source.share:.1%} of the tokens, "
        f"{source.tokens_per_step:,} a step; {source.samples:,} samples, "
        f"each read about {source.epochs:,.2f} times"
    )


def _memory(recipe: TrainRecipe, parameters: int, vocab: int) -> dict[str, float]:
    """Estimates in GB; activations grow with `data.rows_per_batch`."""
    model, data = recipe.model, recipe.data
    places = data.rows_per_batch * data.sequence_length
    number = 2 if recipe.run.precision == "bf16" else 4
    kept = _KEPT_WIDTHS * model.width + _KEPT_INNER_WIDTHS * model.ffn_width
    return {
        "weights and optimiser": parameters * _ADAM_BYTES / 1e9,
        "activations": places * model.layers * kept * number / 1e9,
        # Scores in fp32, their logarithms and their gradient.
        "scores": places * vocab * 12 / 1e9,
    }


def _features_gb(recipe: TrainRecipe, sources: Sequence[Source], encoder: VisionEncoder) -> float:
    images = sum(source.manifest.images for source in sources)
    needed = images * 2 * encoder.num_tokens * encoder.dim / 1e9  # fp16
    return min(needed, recipe.data.feature_cache_gb)


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
