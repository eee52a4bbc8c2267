import hashlib
import io
import weakref

import numpy as np
import pytest
import torch
from PIL import Image

from openm3w.pipeline.images.packs import PackWriter, Place
from openm3w.pipeline.scoring.handler import (
    Batch,
    ImageHandler,
    ImageModels,
    Pair,
    in_batches,
    score_batch,
    with_data,
)


class ColourModel:
    """Images are vectors of their mean colour, texts of the colours that they name."""

    model_id = "colours"
    preprocessing = "mean"
    dim = 3

    def __init__(self):
        self.texts = []

    def encode_images(self, images):
        means = [np.asarray(image, dtype=np.float32).mean((0, 1)) for image in images]
        return torch.nn.functional.normalize(torch.tensor(np.array(means)), dim=-1)

    def encode_texts(self, texts):
        self.texts += texts
        rows = [[float(name in text) for name in ("red", "green", "blue")] for text in texts]
        return torch.nn.functional.normalize(torch.tensor(rows), dim=-1)


def jpeg(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def pair(row, colour, *texts):
    return Pair(row, 0, Place("", 0, 0, ""), texts, jpeg(colour), sentences=len(texts) - 1)


def test_each_image_is_scored_against_its_own_texts_in_their_order():
    batch = Batch(
        "u", (pair(3, (255, 0, 0), "red", "blue"), pair(5, (0, 0, 255), "blue", "red blue"))
    )

    first, second = score_batch(batch, ImageModels(similarity=ColourModel()))

    assert (first.row, second.row, first.model) == (3, 5, "colours; mean")
    assert first.scores == pytest.approx((1.0, 0.0), abs=0.02)
    assert first.sentences == 1
    assert second.scores == pytest.approx((1.0, 0.7071), abs=0.02)
    assert all(round(score, 4) == score for score in (*first.scores, *second.scores))


def test_a_text_that_several_images_share_is_encoded_once():
    model = ColourModel()

    score_batch(
        Batch("u", (pair(0, "red", "red", "blue"), pair(1, "blue", "red"))),
        ImageModels(similarity=model),
    )

    assert model.texts == ["blue", "red"]


def test_an_image_without_text_has_no_score():
    (scored,) = score_batch(Batch("u", (pair(0, "red"),)), ImageModels(similarity=ColourModel()))

    assert scored.scores == ()


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, []), (1, [1]), (4, [4]), (5, [4, 1]), (8, [4, 4])]
)
def test_batches_have_a_fixed_size_and_order(count, sizes):
    pairs = [pair(row, "red", "red") for row in range(count)]

    batches = list(in_batches("u", iter(pairs), 4))

    assert [len(batch.pairs) for batch in batches] == sizes
    assert [p for batch in batches for p in batch.pairs] == pairs


def test_bytes_are_filled_in_from_the_pack(tmp_path):
    with (tmp_path / "p.tar").open("wb") as file:
        writer = PackWriter(file, "p.tar")
        place = writer.add(hashlib.sha256(b"picture").hexdigest(), b"picture")
        writer.close()

    filled = with_data(Batch("u", (Pair(0, 0, place, ("x",)),)), tmp_path)

    assert [p.data for p in filled.pairs] == [b"picture"]


@pytest.mark.torch
def test_the_real_model_loads_as_beam_needs_it():
    handler = ImageHandler("lit", (), threads=1)

    model = handler.load_model()

    assert weakref.ref(model)() is model
    ((scored,),) = handler.run_inference([Batch("u", (pair(0, "red", "a red wall"),))], model)
    assert -1 <= scored.scores[0] <= 1
    assert handler.batch_elements_kwargs() == {"min_batch_size": 1, "max_batch_size": 1}


class RednessScorer:
    name = "clip"
    model_id = "redness"

    def __init__(self, encoder):
        self.encoder = encoder

    def score(self, pictures):
        return [float(vector[0]) ** 2 for vector in pictures.vectors(self.encoder)]


def test_safety_scores_stand_beside_the_cosines_rounded_alike():
    batch = Batch("u", (pair(0, (250, 60, 0), "red"), pair(1, (0, 0, 255), "red")))
    model = ColourModel()

    first, second = score_batch(
        batch, ImageModels(similarity=model, safety=(RednessScorer(model),))
    )

    assert [(s.name, s.model) for s in first.safety] == [("clip", "redness")]
    assert first.safety[0].value == pytest.approx(first.scores[0] ** 2, abs=1e-4)
    assert second.safety[0].value == pytest.approx(0, abs=0.02)
    assert all(round(s.safety[0].value, 4) == s.safety[0].value for s in (first, second))


def test_without_a_similarity_model_there_are_safety_scores_alone():
    batch = Batch("u", (pair(0, (255, 0, 0), "red"),))

    (scored,) = score_batch(batch, ImageModels(safety=(RednessScorer(ColourModel()),)))

    assert (scored.scores, scored.model) == ((), "")
    assert scored.safety[0].value == pytest.approx(1, abs=0.02)


def test_pictures_are_encoded_once_for_all_that_share_an_encoder():
    model, calls = ColourModel(), []
    encode = model.encode_images
    model.encode_images = lambda images: calls.append(len(images)) or encode(images)
    scorers = (RednessScorer(model), RednessScorer(model))

    score_batch(Batch("u", (pair(0, "red", "red"),)), ImageModels(similarity=model, safety=scorers))

    assert calls == [1]
