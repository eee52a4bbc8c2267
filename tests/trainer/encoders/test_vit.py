import pytest
import torch

from openm3w.trainer.encoders import load_vision_encoder
from openm3w.trainer.encoders.vit import (
    RANDOM_TINY,
    FrozenVit,
    VisionTransformer,
    random_tiny,
    resized_positions,
)

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def tiny():
    return load_vision_encoder("random-tiny")


def some_pixels(count: int, *, size: int = 224) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator)


def test_the_encoder_says_what_it_gives(tiny):
    assert (tiny.name, tiny.dim, tiny.num_tokens, tiny.image_size) == ("random-tiny", 32, 17, 224)
    features = tiny.features(some_pixels(3))
    assert features.shape == (3, tiny.num_tokens, tiny.dim)
    assert features.dtype == torch.float32


def test_random_tiny_is_the_same_in_every_call_and_leaves_the_global_seed_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second = random_tiny(), random_tiny()
    assert torch.equal(torch.get_rng_state(), before)
    pixels = some_pixels(2)
    assert torch.equal(first.features(pixels), second.features(pixels))


def test_different_pictures_give_different_features(tiny):
    features = tiny.features(some_pixels(2))
    assert (features[0] - features[1]).abs().max() > 0.01


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 17])
def test_features_do_not_depend_on_how_many_come_together(tiny, count):
    pixels = some_pixels(17)
    assert torch.equal(tiny.features(pixels[:count]), tiny.features(pixels)[:count])


def test_a_trainable_layer_may_follow_and_no_gradient_reaches_the_encoder(tiny):
    features = tiny.features(some_pixels(2))
    assert not features.requires_grad
    layer = torch.nn.Linear(tiny.dim, 1)
    layer(features).sum().backward()
    assert layer.weight.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in tiny.model.parameters())


def test_the_transformer_itself_can_be_trained():
    model = VisionTransformer(RANDOM_TINY)
    model(some_pixels(1)).square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize(
    "pixels",
    [some_pixels(1, size=223), some_pixels(1).float(), some_pixels(1)[0]],
    ids=["size", "dtype", "no batch"],
)
def test_pixels_of_another_form_are_refused_with_both_forms(tiny, pixels):
    with pytest.raises(ValueError, match=r"random-tiny takes uint8\[B, 3, 224, 224\], found "):
        tiny.features(pixels)


def test_patches_are_cut_row_by_row_and_channels_stay_apart():
    model = VisionTransformer(RANDOM_TINY)
    image = torch.zeros(1, 3, 224, 224)
    image[0, 2, 56:112, 168:224] = 1.0  # blue, second row, last column
    patches = model._patches(image)
    assert patches.shape == (1, 16, 3 * 56 * 56)
    lit_up = patches[0].sum(-1).nonzero().flatten().tolist()
    assert lit_up == [7]
    assert patches[0, 7, : 2 * 56 * 56].sum() == 0


def test_positions_of_the_same_grid_are_kept():
    stored = torch.randn(1, 16, 8)
    assert torch.allclose(resized_positions(stored, 4), stored, atol=1e-6)


def test_chunks_change_no_bit_of_the_result():
    pixels = some_pixels(5)
    results = [
        FrozenVit("t", random_tiny().model, "cpu", chunk=chunk).features(pixels)
        for chunk in (1, 2, 5)
    ]
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])
