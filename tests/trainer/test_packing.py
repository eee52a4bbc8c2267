import pytest
import torch

from openm3w.trainer.batch import Batch
from openm3w.trainer.data.packing import PackItem, choose, make_row
from openm3w.trainer.data.tokenizer import BOS, IMAGE, IMAGE_END, PAD, SLOT
from openm3w.trainer.data.tokens import IGNORE, Piece
from openm3w.trainer.models.kosmos1 import Kosmos1, ModelRecipe

A, B, C = 100, 101, 102


@pytest.mark.parametrize(
    ("waiting", "chosen"),
    [
        ([(10, 0)], [0]),
        ([(6, 0), (4, 0)], [0, 1]),
        ([(6, 0), (5, 0), (4, 0)], [0, 2]),
        ([(2, 0), (3, 0), (7, 0), (8, 0)], [0, 3]),
        ([(2, 0), (3, 0), (3, 0), (2, 0)], [0, 1, 2, 3]),
        ([(2, 2), (8, 1), (7, 0)], [0, 2]),
        ([(2, 1), (4, 1), (4, 1), (3, 0)], [0, 1, 3]),
    ],
)
def test_the_oldest_goes_first_and_the_best_fits_follow(waiting, chosen):
    assert choose(waiting, length=10, max_images=2) == chosen


def test_a_row_numbers_its_documents_and_restarts_positions():
    first = PackItem(piece=Piece(ids=(BOS, A), targets=(A, B)))
    second = PackItem(
        piece=Piece(
            ids=(BOS, IMAGE, SLOT, IMAGE_END),
            targets=(IGNORE, IGNORE, IGNORE, C),
            image_at=(2,),
            images=(0,),
        ),
        images=(("x", b"bytes"),),
    )
    row = make_row([first, second], length=8)
    assert row.tokens == [BOS, A, BOS, IMAGE, SLOT, IMAGE_END, PAD, PAD]
    assert row.documents == [1, 1, 2, 2, 2, 2, 0, 0]
    assert row.positions == [0, 1, 0, 1, 2, 3, 0, 0]
    assert row.targets == [A, B, IGNORE, IGNORE, IGNORE, C, IGNORE, IGNORE]
    assert [(image.at, image.data) for image in row.images] == [(4, b"bytes")]
    counts = row.counts
    assert (counts.text, counts.image_slot, counts.special, counts.pad) == (1, 1, 4, 2)
    assert (counts.loss, counts.pieces, counts.images, counts.rows) == (3, 2, 1, 1)


def test_pieces_longer_than_the_row_are_refused():
    item = PackItem(piece=Piece(ids=(A, A, A), targets=(A, A, A)))
    with pytest.raises(ValueError, match="do not fit"):
        make_row([item], length=2)


SLOTS = 2
FIRST = [BOS, IMAGE, SLOT, SLOT, IMAGE_END, 10, 11, 12]
SECOND = [BOS, 13, 14, IMAGE, SLOT, SLOT, IMAGE_END, 15]


@pytest.fixture(scope="module")
def model():
    recipe = ModelRecipe(
        layers=2,
        width=16,
        ffn_width=32,
        heads=2,
        image_slots=SLOTS,
        resampler_heads=2,
        vision_encoder="none",
        dropout=0.0,
    )
    torch.manual_seed(0)
    built = Kosmos1(recipe, vocab_size=32, feature_width=6, length=20)
    built.reset_parameters()
    return built.double().eval()


def packed(rows, features):
    """A batch of rows, each a list of documents; image features in reading order."""
    length = max(sum(map(len, row)) for row in rows) + 2
    tokens, documents, positions, image_at = [], [], [], []
    for number, row in enumerate(rows):
        flat = [token for document in row for token in document]
        pad = [0] * (length - len(flat))
        image_at += [(number, i + 1) for i, token in enumerate(flat) if token == IMAGE]
        tokens.append(flat + pad)
        documents.append([n for n, d in enumerate(row, 1) for _ in d] + pad)
        positions.append([i for d in row for i in range(len(d))] + pad)
    return Batch(
        tokens=torch.tensor(tokens),
        targets=torch.full((len(rows), length), IGNORE),
        documents=torch.tensor(documents),
        positions=torch.tensor(positions),
        features=features,
        image_at=torch.tensor(image_at),
        source=torch.zeros(len(rows), dtype=torch.int64),
    )


@pytest.fixture(scope="module")
def features():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, 5, 6, dtype=torch.float64, generator=generator)


@pytest.mark.torch
def test_packed_documents_give_the_logits_of_documents_alone(model, features):
    together = model(packed([[FIRST, SECOND]], features))[0]
    apart = model(packed([[FIRST], [SECOND]], features))
    assert torch.allclose(together[:8], apart[0, :8], atol=1e-12)
    assert torch.allclose(together[8:16], apart[1, :8], atol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("changed", ["words", "image"])
@pytest.mark.parametrize("which", [0, 1])
def test_a_changed_document_moves_no_logit_of_its_neighbour(model, features, changed, which):
    documents = [list(FIRST), list(SECOND)]
    other = features.clone()
    if changed == "words":
        documents[which] = [20 if 10 <= t < 20 else t for t in documents[which]]
    else:
        other[which] += 1
    before = model(packed([[FIRST, SECOND]], features))[0, :16].unflatten(0, (2, 8))
    after = model(packed([documents], other))[0, :16].unflatten(0, (2, 8))
    assert torch.equal(before[1 - which], after[1 - which])
    assert not torch.allclose(before[which], after[which])


@pytest.mark.torch
def test_gradients_stay_inside_a_document(model, features):
    batch = packed([[FIRST, SECOND]], features.clone().requires_grad_())
    model(batch)[0, 8:16].square().sum().backward()  # a norm's plain sum is constant
    grad = batch.features.grad
    assert grad is not None
    assert torch.count_nonzero(grad[0]) == 0
    assert torch.count_nonzero(grad[1]) > 0


@pytest.mark.torch
def test_a_place_sees_nothing_that_comes_after_it(model, features):
    before = model(packed([[FIRST]], features[:1]))[0]
    after = model(packed([[[*FIRST[:6], 30, 31]]], features[:1]))[0]
    assert torch.equal(before[:6], after[:6])
    assert not torch.allclose(before[6:8], after[6:8])
