import pytest
import torch

from openm3w.trainer.models.decoder import Decoder, document_mask
from openm3w.trainer.plan import make_plan
from openm3w.trainer.recipe import load

pytestmark = pytest.mark.torch

PLACES = 2 * 64


def kept_bytes(layers, width, inner):
    """Bytes that autograd keeps of a forward through the decoder's blocks, weights not counted."""
    decoder = Decoder(layers=layers, width=width, inner=inner, heads=4, dropout=0.1, length=64)
    weights = {p.untyped_storage().data_ptr() for p in decoder.parameters()}
    kept = {}

    def keep(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    ones = torch.ones(2, 64, dtype=torch.int64)
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        decoder(torch.randn(2, 64, width), ones.cumsum(1), document_mask(ones))
    return sum(t.untyped_storage().nbytes() for at, t in kept.items() if at not in weights)


@pytest.mark.parametrize(("width", "inner"), [(128, 512), (128, 128), (64, 512)])
def test_the_estimate_of_activations_is_what_autograd_keeps(mixture, width, inner):
    recipe = load(
        "kosmos1-tiny",
        [
            *(f"model.width={width}", f"model.ffn_width={inner}", "model.layers=2"),
            *("data.rows_per_batch=2", "data.sequence_length=64"),
            "model.vision_encoder=random-tiny",
        ],
    )
    planned = make_plan(recipe, mixture).memory_gb["activations"] * 1e9
    measured = kept_bytes(4, width, inner) - kept_bytes(2, width, inner)
    assert planned == pytest.approx(measured, rel=0.1)


def test_a_plan_counts_the_features_that_a_run_remembers(mixture):
    def remembered(*overrides):
        recipe = load("kosmos1-tiny", ["model.vision_encoder=random-tiny", *overrides])
        return make_plan(recipe, mixture).memory_gb["remembered image features"]

    images = sum(m.images for m in mixture)
    assert 0 < remembered() < images * 1e-4
    assert remembered("data.feature_cache_gb=0.000001") == 1e-6


def test_a_plan_divides_the_tokens_of_a_step_and_counts_epochs(mixture):
    plan = make_plan(load("kosmos1-tiny", ["model.vision_encoder=random-tiny"]), mixture)
    assert sum(s.tokens_per_step for s in plan.sources) == pytest.approx(
        plan.tokens_per_step, abs=2
    )
    assert sum(plan.parameters.values()) == 2 * plan.parameters["total"]
    assert all(s.epochs > 0 for s in plan.sources)
