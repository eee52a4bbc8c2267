import hashlib
import json
import os
import subprocess
import sys
import warnings
import weakref

import pytest
import torch

from openm3w.errors import MissingError, RecipeError
from openm3w.trainer.encoders import load_similarity, resolve_similarity

pytestmark = pytest.mark.torch

TINY = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 48, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {
        "context_length": 20,
        "vocab_size": 49408,
        "width": 32,
        "heads": 2,
        "layers": 2,
    },
}
TEXTS = ["a dog", "", "a much longer caption of two people on a hill " * 5]


@pytest.fixture(scope="module")
def open_clip():
    with warnings.catch_warnings():
        # timm and torchvision announce their own changes when they are imported.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        return pytest.importorskip("open_clip")


@pytest.fixture(scope="module")
def checkpoint(open_clip, tmp_path_factory):
    """Random weights of a tiny architecture, and the model they came from."""
    folder = tmp_path_factory.mktemp("openclip")
    (folder / "openm3w-tiny.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(folder / "openm3w-tiny.json")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model, _, transform = open_clip.create_model_and_transforms("openm3w-tiny")
    torch.save(model.state_dict(), folder / "tiny.pt")
    return folder / "tiny.pt", model.eval(), transform


@pytest.fixture(scope="module")
def similarity(checkpoint):
    return load_similarity(f"openclip:openm3w-tiny/{checkpoint[0]}")


def test_vectors_are_those_of_open_clip_with_its_own_transform(
    open_clip, checkpoint, similarity, pictures
):
    _, model, transform = checkpoint
    with torch.inference_mode():
        images = model.encode_image(
            torch.stack([transform(picture) for picture in pictures]), normalize=True
        )
        texts = model.encode_text(open_clip.get_tokenizer("openm3w-tiny")(TEXTS), normalize=True)
    assert torch.allclose(similarity.encode_images(pictures), images, atol=1e-6)
    assert torch.allclose(similarity.encode_texts(TEXTS), texts, atol=1e-6)


def test_vectors_have_unit_length_and_the_model_s_dimension(similarity, pictures):
    for vectors in (similarity.encode_images(pictures[:3]), similarity.encode_texts(TEXTS)):
        assert vectors.shape == (3, similarity.dim) == (3, 24)
        assert not vectors.is_inference()
        assert torch.allclose(vectors.norm(dim=-1), torch.ones(3), atol=1e-5)


def test_vectors_do_not_depend_on_neighbours(similarity, pictures):
    images = similarity.encode_images(pictures * 7)
    assert torch.allclose(images[30], similarity.encode_images(pictures[:1])[0], atol=1e-6)
    texts = similarity.encode_texts(TEXTS * 30)
    assert torch.allclose(texts[87:90], similarity.encode_texts(TEXTS), atol=1e-6)


def test_nothing_in_gives_nothing_out(similarity):
    assert similarity.encode_images([]).shape == (0, 24)
    assert similarity.encode_texts([]).shape == (0, 24)


def test_a_local_checkpoint_is_named_by_its_digest_not_by_its_folder(similarity, checkpoint):
    digest = hashlib.sha256(checkpoint[0].read_bytes()).hexdigest()[:16]
    assert similarity.model_id == f"openclip:openm3w-tiny/sha256-{digest}"


def test_preprocessing_says_size_filter_normalisation_and_tokenizer(similarity):
    for part in ("48", "bicubic", "0.48145466", "0.26862954", "SimpleTokenizer", "at most 20 tok"):
        assert part in similarity.preprocessing
    assert "\n" not in similarity.preprocessing


def test_the_model_can_be_weakly_referenced_as_runinference_needs(similarity):
    assert weakref.ref(similarity)() is similarity


@pytest.mark.parametrize(
    ("arch", "tag", "expected"),
    [
        ("ViT-L-14", "openai", True),
        ("ViT-L-14", "laion2b_s32b_b82k", False),
        ("ViT-L-14", None, False),
    ],
)
def test_weights_trained_with_quick_gelu_get_it(open_clip, arch, tag, expected):
    from openm3w.trainer.encoders.openclip import needs_quick_gelu

    assert hasattr(open_clip, "get_pretrained_cfg")
    assert needs_quick_gelu(arch, tag) is expected


def test_an_added_architecture_is_known_to_the_desk_check(checkpoint):
    spec = f"openclip:openm3w-tiny/{checkpoint[0]}"
    assert resolve_similarity(spec) == spec


@pytest.mark.usefixtures("open_clip")
def test_an_unknown_tag_is_refused_with_the_nearest():
    with pytest.raises(RecipeError, match=r"did you mean 'openai'.*its tags: openai, ") as error:
        load_similarity("openclip:ViT-B-32/opnai")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no checkpoint at all", b"PK\x03\x04 cut short"])
@pytest.mark.usefixtures("checkpoint")
def test_a_file_that_is_no_checkpoint_is_one_line(tmp_path, content):
    path = tmp_path / "broken.pt"
    path.write_bytes(content)
    with pytest.raises(MissingError, match=r"do not load .*; is .* a checkpoint of ") as error:
        load_similarity(f"openclip:openm3w-tiny/{path}")
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("checkpoint")
def test_a_checkpoint_of_another_architecture_is_one_line(tmp_path):
    path = tmp_path / "other.pt"
    torch.save({"visual.proj": torch.zeros(3, 3)}, path)
    with pytest.raises(MissingError, match="a checkpoint of openm3w-tiny") as error:
        load_similarity(f"openclip:openm3w-tiny/{path}")
    assert "\n" not in str(error.value)


def test_weights_that_cannot_be_had_offline_are_one_line_saying_what_to_do(tmp_path):
    code = (
        "from openm3w.errors import MissingError\n"
        "from openm3w.trainer.encoders import load_similarity\n"
        "try:\n    load_similarity('openclip:RN50/yfcc15m')\n"
        "except MissingError as error:\n    print(error)\n"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    (line,) = run.stdout.splitlines()
    assert line.startswith("openclip:RN50/yfcc15m: the weights do not load (")
    assert "copy the hub's cache here, or use `lit`" in line
    assert "Traceback" not in run.stderr
