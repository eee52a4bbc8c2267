"""The parts of the decoder against their definitions, and a batch that is learned by heart."""

import math

import pytest
import torch

from openm3w.trainer.batch import Batch
from openm3w.trainer.data.tokenizer import BOS, EOS, IMAGE, IMAGE_END, SLOT
from openm3w.trainer.data.tokens import IGNORE, next_targets
from openm3w.trainer.models.decoder import Decoder, document_mask
from openm3w.trainer.models.kosmos1 import Kosmos1, ModelRecipe
from openm3w.trainer.models.positions import rotate, xpos_tables
from openm3w.trainer.models.resampler import Resampler
from openm3w.trainer.optim import OptimizerRecipe, make_optimizer
from openm3w.trainer.task import KosmosTask

pytestmark = pytest.mark.torch


def scores(query, key, query_at, key_at, centre):
    at = torch.tensor([[query_at, key_at]])
    cos, sin, scale = xpos_tables(at, query.shape[-1], centre)
    turned_query = rotate(query.expand(1, 1, 2, -1), cos, sin, scale)[0, 0, 0]
    turned_key = rotate(key.expand(1, 1, 2, -1), cos, sin, 1 / scale)[0, 0, 1]
    return (turned_query @ turned_key).item()


@pytest.mark.parametrize("shift", [1, 100, 1000])
@pytest.mark.parametrize("centre", [0, 128, 1024])
def test_xpos_scores_depend_on_the_distance_alone(shift, centre):
    torch.manual_seed(0)
    query, key = torch.randn(2, 32)
    here = scores(query, key, 40, 7, 128)
    there = scores(query, key, 40 + shift, 7 + shift, centre)
    assert there == pytest.approx(here, abs=3e-4 * math.sqrt(32))


def test_xpos_is_plain_rotation_at_distance_zero_and_fades_with_distance():
    query = torch.ones(32)
    assert scores(query, query, 9, 9, 0) == pytest.approx(32, abs=1e-3)
    # zeta is .2857 for the fastest pair: over 512 places it shrinks to that.
    _, _, scale = xpos_tables(torch.tensor([[0, 512]]), 32, 0)
    assert (scale[0, 1] / scale[0, 0])[0].item() == pytest.approx(0.4 / 1.4, rel=1e-4)


def test_positions_really_reach_the_attention():
    decoder = Decoder(layers=1, width=16, inner=32, heads=2, dropout=0.0, length=8).eval()
    decoder.reset_parameters()
    x = torch.randn(1, 3, 16)
    mask = document_mask(torch.ones(1, 3, dtype=torch.int64))
    near = decoder(x, torch.tensor([[0, 1, 2]]), mask)
    far = decoder(x, torch.tensor([[0, 1, 7]]), mask)
    moved = decoder(x, torch.tensor([[5, 6, 7]]), mask)
    assert not torch.allclose(near[0, 2], far[0, 2], atol=1e-4)
    assert torch.allclose(near, moved, atol=1e-5)


def test_magneto_scales_values_outputs_and_feed_forward_only():
    torch.manual_seed(0)
    decoder = Decoder(layers=12, width=64, inner=256, heads=2, dropout=0.0, length=8)
    decoder.reset_parameters()
    gamma = math.sqrt(math.log(24))
    assert gamma == pytest.approx(1.7827, abs=1e-4)  # multimodal-training.md 1.5

    def std(part):
        found = [p.std() for name, p in decoder.named_parameters() if name.endswith(part)]
        return torch.stack(found).mean().item()

    square, oblong = math.sqrt(2 / 128), math.sqrt(2 / 320)
    for part, expected in (
        ("query.weight", square),
        ("key.weight", square),
        ("value.weight", square * gamma),
        ("out.weight", square * gamma),
        ("first.weight", oblong * gamma),
        ("second.weight", oblong * gamma),
    ):
        assert std(part) == pytest.approx(expected, rel=0.02)
    biases = [p for n, p in decoder.named_parameters() if n.endswith("bias")]
    assert all(torch.count_nonzero(bias) == 0 for bias in biases)


def test_the_mask_is_causal_inside_a_document():
    mask = document_mask(torch.tensor([[1, 1, 2, 2, 0]]))[0, 0].int().tolist()
    assert mask == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 0, 1, 0, 0],
        [0, 0, 1, 1, 0],
        [0, 0, 0, 0, 1],
    ]


def test_the_resampler_sees_directions_and_not_lengths_of_features():
    resampler = Resampler(feature_width=6, width=8, slots=3, heads=2)
    resampler.reset_parameters()
    features = torch.randn(2, 5, 6)
    out = resampler(features)
    assert out.shape == (2, 3, 8)
    assert torch.allclose(out, resampler(features * 7), atol=1e-5)
    assert not torch.allclose(out[0], out[1], atol=1e-2)


@pytest.fixture
def model():
    recipe = ModelRecipe(
        layers=2,
        width=32,
        ffn_width=64,
        heads=2,
        image_slots=2,
        resampler_heads=2,
        vision_encoder="none",
        dropout=0.0,
    )
    torch.manual_seed(0)
    built = Kosmos1(recipe, vocab_size=40, feature_width=6, length=16)
    built.reset_parameters()
    return built


def batch():
    """Two rows, each an image and three words: the words differ, the ids before them do not."""
    head = [BOS, IMAGE, SLOT, SLOT, IMAGE_END]
    full = [[*head, 10, 11, 12, EOS], [*head, 20, 21, 22, EOS]]
    return Batch(
        tokens=torch.tensor([ids[:-1] for ids in full]),
        targets=torch.tensor([next_targets(ids) for ids in full]),
        documents=torch.ones(2, 8, dtype=torch.int64),
        positions=torch.arange(8).expand(2, 8),
        features=torch.randn(2, 5, 6, generator=torch.Generator().manual_seed(0)),
        image_at=torch.tensor([[0, 2], [1, 2]]),
        source=torch.tensor([0, 1]),
    )


def test_one_batch_is_learned_by_heart_and_only_the_image_tells_its_rows_apart(model):
    task = KosmosTask(model, ["a", "b"])
    optimizer = make_optimizer(OptimizerRecipe(lr=1e-2), task.trainable())
    for _ in range(60):
        optimizer.zero_grad()
        loss = task.loss(batch())
        (loss.total / loss.count).backward()
        optimizer.step()
    assert loss.total.item() / 8 < 0.05


def test_losses_are_sums_that_add_up_over_sources(model):
    loss = KosmosTask(model, ["a", "b", "c"]).loss(batch())
    assert loss.count.item() == 8
    assert loss.parts[1].tolist() == [4, 4, 0]
    assert loss.parts[0].sum().item() == pytest.approx(loss.total.item(), rel=1e-5)
    assert not loss.parts[0].requires_grad


def test_slots_are_replaced_in_order_and_other_places_are_not(model):
    given = batch()
    x = model.embed(given.tokens, given.features, given.image_at)
    slots = model.resampler(given.features) * model.scale
    assert torch.allclose(x[:, 2:4], slots, atol=1e-6)
    plain = model.embedding(given.tokens) * model.scale
    assert torch.equal(x[:, 4:], plain[:, 4:])
    assert torch.equal(x[:, :2], plain[:, :2])


def test_slots_carry_no_loss():
    assert (batch().targets[:, :4] == IGNORE).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"heads": 3}, r"model\.width"),
        ({"heads": 32}, "xPos turns pairs"),
        ({"layers": 0}, r"model\.layers"),
        ({"dropout": 1.0}, r"model\.dropout"),
    ],
)
def test_sizes_that_do_not_fit_together_are_refused(change, message):
    sizes = {
        "layers": 1,
        "width": 32,
        "ffn_width": 64,
        "heads": 2,
        "image_slots": 2,
        "resampler_heads": 2,
        "vision_encoder": "none",
    }
    with pytest.raises(ValueError, match=message):
        ModelRecipe(**{**sizes, **change})
