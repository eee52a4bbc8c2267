import pytest
import torch

from openm3w.trainer.encoders.minilm import MAX_TOKENS, WordPieces, load_minilm

pytestmark = pytest.mark.torch

TEXTS = [
    "A dog runs over a green hill .",
    "",
    "Ünïcode, 漢字 and an emoji 🐶 - with dashes",
    "one\ttwo\n three",
    "word " * 700,
]


@pytest.fixture(scope="module")
def tower():
    return load_minilm()


@pytest.fixture(scope="module")
def word_pieces():
    return WordPieces()


def encode(tower, ids: list[int], padding: int = 0) -> torch.Tensor:
    tokens = torch.tensor([ids + [0] * padding])
    mask = torch.tensor([[True] * len(ids) + [False] * padding])
    return tower(tokens, mask)[0]


def test_a_text_begins_and_ends_with_the_special_tokens(word_pieces):
    assert word_pieces.encode(["a dog", ""]) == [[101, 1037, 3899, 102], [101, 102]]


@pytest.mark.parametrize(("words", "tokens"), [(509, 511), (510, 512), (511, 512)])
def test_texts_are_cut_at_the_model_s_limit(word_pieces, words, tokens):
    (ids,) = word_pieces.encode(["dog " * words])
    assert len(ids) == tokens <= MAX_TOKENS
    assert ids[-1] == 102


def test_padding_changes_a_vector_by_rounding_only(tower, word_pieces):
    (ids,) = word_pieces.encode(TEXTS[:1])
    assert torch.allclose(encode(tower, ids), encode(tower, ids, padding=20), atol=3e-6)


def test_the_order_of_words_matters(tower, word_pieces):
    one, two = word_pieces.encode(["the dog bites the man", "the man bites the dog"])
    assert (encode(tower, one) - encode(tower, two)).abs().max() > 0.01


@pytest.mark.real
def test_tokens_and_vectors_agree_with_transformers(tower, word_pieces, reference):
    expected = reference.tokenizer(TEXTS, truncation=True)["input_ids"]
    ids = word_pieces.encode(TEXTS)
    assert ids == expected
    for row in ids:
        with torch.inference_mode():
            hidden = reference.text(input_ids=torch.tensor([row])).last_hidden_state
        assert torch.allclose(encode(tower, row), hidden[0].mean(0), atol=1e-4)
