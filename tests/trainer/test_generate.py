import pytest
import torch

from openm3w.errors import InputError, RecipeError
from openm3w.trainer.data.tokenizer import BOS, IMAGE, IMAGE_END, NUM_SPECIALS, SLOT, ByteTokenizer
from openm3w.trainer.encoders import load_vision_encoder
from openm3w.trainer.generate import Captioner, Sampling
from openm3w.trainer.models.decoder import LayerCache, document_mask
from openm3w.trainer.models.kosmos1 import Kosmos1, ModelRecipe

pytestmark = pytest.mark.torch

LENGTH = 32


@pytest.fixture(scope="module")
def captioner():
    recipe = ModelRecipe(
        layers=2,
        width=32,
        ffn_width=64,
        heads=2,
        image_slots=3,
        resampler_heads=2,
        vision_encoder="random-tiny",
    )
    encoder = load_vision_encoder("random-tiny")
    torch.manual_seed(0)
    words = ByteTokenizer()
    model = Kosmos1(recipe, vocab_size=words.vocab_size, feature_width=encoder.dim, length=LENGTH)
    model.reset_parameters()
    return Captioner(
        model=model.eval(),
        tokenizer=words,
        encoder=encoder,
        length=LENGTH,
        device=torch.device("cpu"),
    )


IDS = [BOS, IMAGE, SLOT, SLOT, SLOT, IMAGE_END, 60, 61]


@pytest.fixture(scope="module")
def features(captioner):
    encoder = captioner.encoder
    generator = torch.Generator().manual_seed(2)
    return torch.randn(1, encoder.num_tokens, encoder.dim, generator=generator)


@torch.no_grad()
def test_steps_with_a_cache_equal_the_whole_at_once(captioner, features):
    model = captioner.model
    x = model.embed(torch.tensor([IDS]), features, torch.tensor([[0, 2]]))
    positions = torch.arange(len(IDS))[None]
    whole = model.decoder(x, positions, document_mask(torch.ones_like(positions)))
    caches = [LayerCache() for _ in model.decoder.blocks]
    parts = [model.step(x[:, :5], 0, caches), model.step(x[:, 5:7], 5, caches)]
    parts.append(model.step(x[:, 7:], 7, caches))
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-5)


@torch.no_grad()
def test_greedy_takes_the_likeliest_id_that_is_no_special(captioner, features):
    model = captioner.model
    new = captioner.continuation(IDS, features, Sampling(max_tokens=5))
    ids = list(IDS)
    for chosen in new:
        x = model.embed(torch.tensor([ids]), features, torch.tensor([[0, 2]]))
        positions = torch.arange(len(ids))[None]
        hidden = model.decoder(x, positions, document_mask(torch.ones_like(positions)))
        scores = model.logits(hidden[0, -1])
        assert int(scores[NUM_SPECIALS:].argmax()) + NUM_SPECIALS == chosen
        ids.append(chosen)


def test_sampling_is_a_function_of_its_seed(captioner, image_bytes):
    image = image_bytes(20, 20)
    how = [Sampling(temperature=1.0, seed=seed, max_tokens=12) for seed in (1, 1, 2)]
    one, again, other = (captioner.caption(image, "a", h) for h in how)
    assert one == again
    assert one != other


def test_a_prompt_that_leaves_no_place_for_an_answer_is_refused(captioner, image_bytes):
    with pytest.raises(InputError, match="takes 33 places, the model was trained on 32"):
        captioner.caption(image_bytes(20, 20), "a" * 27)


@pytest.mark.parametrize(("asked", "prompt", "most"), [(4, "", 4), (100, "", 27), (100, "ab", 25)])
def test_a_caption_ends_within_what_was_asked_and_what_was_trained(
    captioner, features, asked, prompt, most
):
    ids = [*IDS[:6], *captioner.tokenizer.encode(prompt)]
    new = captioner.continuation(ids, features, Sampling(max_tokens=asked, temperature=2.0))
    assert len(new) <= most
    assert all(i >= NUM_SPECIALS for i in new)


@pytest.mark.parametrize("wrong", [{"temperature": float("nan")}, {"seed": 1 << 63}])
def test_figures_that_torch_cannot_take_are_refused(wrong):
    with pytest.raises(RecipeError, match="expected"):
        Sampling(**wrong)


def test_the_coldest_sampling_is_greedy(captioner, image_bytes):
    image = image_bytes(20, 20)
    cold = Sampling(temperature=1e-300, max_tokens=4)
    assert captioner.caption(image, "a", cold) == captioner.caption(
        image, "a", Sampling(max_tokens=4)
    )
