"""NSFW by a small network on an image's CLIP embedding: the form of LAION's detectors.

The weights come from a safetensors file that the user names; docs/similarity.md says how LAION's
released detectors (github.com/LAION-AI/CLIP-based-NSFW-Detector) become one. Tensors:
`norm.mean`, `norm.variance` (float[D], both or neither), and `layers.N.weight` (float[out, in]),
`layers.N.bias` (float[out]) for N = 0, 1, ... Metadata, all strings: `format` is FORMAT, `model`
the embedding's model as in `openclip:ViT-L-14/openai`, `dim` its dimension D, `activations` one of
ACTIVATIONS for each layer, with commas. Shapes: N items, D dimensions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openm3w.errors import InputError, MissingError
from openm3w.trainer.encoders.digests import file_digest
from openm3w.trainer.encoders.wheels import require_libraries

if TYPE_CHECKING:
    import torch

FORMAT = "openm3w-clip-mlp-1"
ACTIVATIONS = ("relu", "sigmoid", "none")
KERAS_EPSILON = 1e-7
"""Smallest standard deviation that Keras' Normalization layer divides by."""

_WEIGHT = re.compile(r"layers\.(\d+)\.weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class MlpSpec:
    """What the file says of itself; `read_spec` checked that it holds together."""

    path: Path
    model: str
    """The similarity model whose image embedding it takes."""
    dim: int
    activations: tuple[str, ...]
    model_id: str
    """Names the weights by their digest; holds no path of a machine."""


def read_spec(path: Path) -> MlpSpec:
    """Reads names, shapes and metadata; torch is not needed.

    Raises:
        MissingError: there is no such file, or safetensors is not installed.
        InputError: it is not a file of this form; the message says what is wrong.
    """
    require_libraries(("numpy", "safetensors"), "score")
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise MissingError(f"clip-mlp:{path}: no such file; give the path of a safetensors file")
    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata() or {}
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise InputError(f"clip-mlp:{path}: not a safetensors file: {error}") from error
    if wrong := _wrong(about, shapes):
        raise InputError(f"clip-mlp:{path}: {wrong}; docs/similarity.md has the form")
    return MlpSpec(
        path=path,
        model=about["model"],
        dim=int(about["dim"]),
        activations=tuple(about["activations"].split(",")),
        model_id=f"clip-mlp:sha256-{file_digest(path)}; on {about['model']}",
    )


class NsfwMlp:
    """The network of one file, in float32 on the CPU."""

    def __init__(self, spec: MlpSpec) -> None:
        from safetensors.torch import load_file

        tensors = {name: tensor.float() for name, tensor in load_file(spec.path).items()}
        self._mean, self._variance = tensors.get("norm.mean"), tensors.get("norm.variance")
        self._layers = [
            (tensors[f"layers.{at}.weight"], tensors[f"layers.{at}.bias"], activation)
            for at, activation in enumerate(spec.activations)
        ]

    def __call__(self, embeddings: "torch.Tensor") -> "torch.Tensor":
        """float32[N] in 0..1 from embeddings float32[N, D] of unit length.

        LAION's network for ViT-H/14 ends without a sigmoid and goes a little beyond both ends.
        """
        import torch

        x = embeddings.float()
        with torch.inference_mode():
            if self._mean is not None and self._variance is not None:
                x = (x - self._mean) / self._variance.sqrt().clamp(min=KERAS_EPSILON)
            for weight, bias, activation in self._layers:
                x = _activated(torch.nn.functional.linear(x, weight, bias), activation)
            return x[:, 0].clamp(0.0, 1.0)


def _activated(x: "torch.Tensor", activation: str) -> "torch.Tensor":
    if activation == "relu":
        return x.relu()
    return x.sigmoid() if activation == "sigmoid" else x


def _wrong(about: Mapping[str, str], shapes: Mapping[str, tuple[Any, ...]]) -> str:
    """What keeps the file from being of this form; "" where nothing does."""
    if about.get("format") != FORMAT:
        return f"its metadata has format {about.get('format')!r}, expected {FORMAT!r}"
    if missing := [name for name in ("model", "dim", "activations") if not about.get(name)]:
        return f"its metadata has no {missing[0]!r}"
    if not about["dim"].isdecimal():
        return f"its metadata has dim {about['dim']!r}, expected a whole number"
    activations = about["activations"].split(",")
    if unknown := [name for name in activations if name not in ACTIVATIONS]:
        return f"activation {unknown[0]!r} is none of {', '.join(ACTIVATIONS)}"
    return _wrong_shapes(int(about["dim"]), len(activations), shapes)


def _wrong_shapes(dim: int, layers: int, shapes: Mapping[str, tuple[Any, ...]]) -> str:
    count = sum(1 for name in shapes if _WEIGHT.fullmatch(name))
    if count != layers:
        return f"it has {count} layers and {layers} activations"
    norm = [shapes.get(f"norm.{name}") for name in ("mean", "variance")]
    if norm != [None, None] and norm != [(dim,), (dim,)]:
        return f"norm.mean and norm.variance have shapes {norm}, expected [({dim},), ({dim},)]"
    into = dim
    for at in range(layers):
        weight, bias = shapes.get(f"layers.{at}.weight"), shapes.get(f"layers.{at}.bias")
        if weight is None or len(weight) != 2 or weight[1] != into or bias != weight[:1]:
            return f"layers.{at} has weight {weight} and bias {bias}, expected inputs of {into}"
        into = weight[0]
    return "" if into == 1 else f"its last layer has {into} outputs, expected 1"
