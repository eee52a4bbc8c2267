"""LAION's form of NSFW detector against the formula written out in numpy."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from openm3w.errors import InputError, MissingError
from openm3w.trainer.encoders.nsfw_mlp import NsfwMlp, read_spec

pytestmark = pytest.mark.torch

SIZES = {  # of the released networks
    "ViT-L-14": (768, (64, 512, 256, 1), "relu,relu,relu,sigmoid"),
    "ViT-H-14": (1024, (1024, 2048, 1024, 256, 128, 16, 1), "relu,relu,relu,relu,relu,none,none"),
}


def weights(dim, sizes, *, norm=True, seed=0):
    rng = np.random.default_rng(seed)
    tensors, into = {}, dim
    for at, out in enumerate(sizes):
        tensors[f"layers.{at}.weight"] = rng.normal(0, 1.6 / into**0.5, (out, into))
        tensors[f"layers.{at}.bias"] = rng.normal(0, 0.1, out)
        into = out
    if norm:
        tensors["norm.mean"] = rng.normal(0, 0.02, dim)
        tensors["norm.variance"] = rng.uniform(0.0005, 0.002, dim)
    return {name: value.astype(np.float32) for name, value in tensors.items()}


def save(path, tensors, dim, activations, about=()):
    metadata = {"format": "openm3w-clip-mlp-1", "model": "openclip:ViT-L-14/openai",
                "dim": str(dim), "activations": activations, **dict(about)}  # fmt: skip
    save_file(tensors, path, {name: value for name, value in metadata.items() if value})
    return path


def by_hand(x, tensors, activations):
    x = x.astype(np.float64)
    if "norm.mean" in tensors:
        x = (x - tensors["norm.mean"]) / np.maximum(np.sqrt(tensors["norm.variance"]), 1e-7)
    for at, activation in enumerate(activations.split(",")):
        x = x @ tensors[f"layers.{at}.weight"].T + tensors[f"layers.{at}.bias"]
        x = {"relu": lambda v: np.maximum(v, 0), "sigmoid": lambda v: 1 / (1 + np.exp(-v)),
             "none": lambda v: v}[activation](x)  # fmt: skip
    return x[:, 0]


def unit(count, dim):
    x = np.random.default_rng(7).normal(size=(count, dim)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("name", SIZES)
def test_scores_are_those_of_the_formula(name, norm, tmp_path):
    dim, sizes, activations = SIZES[name]
    tensors = weights(dim, sizes, norm=norm)
    if activations.endswith("none"):  # about the middle, with some beyond either end
        last = tensors[f"layers.{len(sizes) - 1}.bias"]
        found = by_hand(unit(9, dim), tensors, activations)
        last += 0.5 - found.mean()
        tensors[f"layers.{len(sizes) - 1}.weight"] *= 0.5 / found.std()
        last += 0.5 - by_hand(unit(9, dim), tensors, activations).mean()
    path = save(tmp_path / "m.safetensors", tensors, dim, activations)

    scores = NsfwMlp(read_spec(path))(torch.from_numpy(unit(9, dim))).numpy()

    assert scores.shape == (9,)
    expected = by_hand(unit(9, dim), tensors, activations)
    assert scores == pytest.approx(expected.clip(0, 1), abs=1e-4)
    assert len(set(scores.round(3))) > 4
    assert (expected.max() > 1 > scores.min()) or activations.endswith("sigmoid")


def test_a_feature_that_never_varied_is_divided_by_keras_epsilon(tmp_path):
    tensors = {"norm.mean": np.zeros(1, np.float32), "norm.variance": np.zeros(1, np.float32),
               "layers.0.weight": np.full((1, 1), 1e-7, np.float32),
               "layers.0.bias": np.zeros(1, np.float32)}  # fmt: skip
    path = save(tmp_path / "m.safetensors", tensors, 1, "none")
    assert NsfwMlp(read_spec(path))(torch.tensor([[0.5]])).item() == pytest.approx(0.5)


def test_the_file_names_model_and_dimension_and_no_path(tmp_path):
    dim, sizes, activations = SIZES["ViT-L-14"]
    path = save(tmp_path / "m.safetensors", weights(dim, sizes), dim, activations)
    spec = read_spec(path)
    assert (spec.model, spec.dim) == ("openclip:ViT-L-14/openai", 768)
    assert spec.model_id.startswith("clip-mlp:sha256-")
    assert str(tmp_path) not in spec.model_id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": ""}, "has format None"),
        ({"model": ""}, "has no 'model'"),
        ({"dim": ""}, "has no 'dim'"),
        ({"dim": "many"}, "dim 'many'"),
        ({"dim": "5"}, "norm.mean and norm.variance have shapes"),
        ({"activations": "relu,tanh"}, "activation 'tanh' is none of"),
        ({"activations": "relu"}, "2 layers and 1 activations"),
    ],
)
def test_metadata_that_does_not_fit_is_one_line(change, message, tmp_path):
    path = save(tmp_path / "m.safetensors", weights(4, (3, 1)), 4, "relu,sigmoid", change)
    with pytest.raises(InputError, match=message) as caught:
        read_spec(path)
    assert "docs/similarity.md" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (weights(4, (3, 2)), "last layer has 2 outputs"),
        ({**weights(4, (3, 1)), "layers.1.weight": np.zeros((1, 9), np.float32)}, "inputs of 3"),
        ({**weights(4, (3, 1)), "layers.0.bias": np.zeros(9, np.float32)}, "layers.0 has weight"),
        (weights(5, (3, 1), norm=False), "inputs of 4"),
    ],
)
def test_weights_that_do_not_fit_are_one_line(tensors, message, tmp_path):
    path = save(tmp_path / "m.safetensors", tensors, 4, "relu,sigmoid")
    with pytest.raises(InputError, match=message):
        read_spec(path)


def test_what_is_no_safetensors_file_is_one_line(tmp_path):
    (tmp_path / "m.safetensors").write_bytes(b"PK nothing of the kind")
    with pytest.raises(InputError, match="not a safetensors file") as caught:
        read_spec(tmp_path / "m.safetensors")
    assert "\n" not in str(caught.value)
    with pytest.raises(MissingError, match="no such file"):
        read_spec(tmp_path / "none.safetensors")
