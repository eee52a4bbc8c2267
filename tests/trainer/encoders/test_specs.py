import subprocess
import sys

import pytest

from openm3w.errors import MissingError, RecipeError
from openm3w.trainer.encoders import load_similarity, resolve_similarity
from openm3w.trainer.encoders.specs import (
    DEFAULT_FILES,
    DEFAULT_OPENCLIP,
    DEFAULT_REPOSITORY,
    OpenClipSpec,
)


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """An empty hub cache of our own."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def put_in_cache(cache, repository: str, name: str) -> None:
    folder = cache / f"models--{repository.replace('/', '--')}"
    (folder / "snapshots" / "abc123").mkdir(parents=True)
    (folder / "snapshots" / "abc123" / name).write_bytes(b"weights")
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc123")


@pytest.mark.parametrize("spec", ["lit", "openclip:ViT-L-14/openai", "openclip:RN50/cc12m"])
def test_a_model_that_could_be_loaded_stands_for_itself(spec):
    assert resolve_similarity(spec) == spec


def test_auto_is_lit_where_no_clip_weights_are_cached(hub_cache):
    assert list(hub_cache.iterdir()) == []
    assert resolve_similarity("auto") == "lit"


@pytest.mark.parametrize("name", DEFAULT_FILES)
def test_auto_is_clip_where_its_weights_are_cached(hub_cache, name):
    put_in_cache(hub_cache, DEFAULT_REPOSITORY, name)
    assert resolve_similarity("auto") == DEFAULT_OPENCLIP


def test_auto_is_lit_where_other_files_of_clip_are_cached(hub_cache):
    put_in_cache(hub_cache, DEFAULT_REPOSITORY, "README.md")
    assert resolve_similarity("auto") == "lit"


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_auto_looks_where_open_clip_keeps_that_checkpoint():
    open_clip = pytest.importorskip("open_clip")
    from open_clip import constants

    default = OpenClipSpec.parse(DEFAULT_OPENCLIP)
    entry = open_clip.get_pretrained_cfg(default.arch, default.checkpoint)
    assert entry["hf_hub"] == f"{DEFAULT_REPOSITORY}/"
    assert DEFAULT_FILES == (constants.HF_SAFE_WEIGHTS_NAME, constants.HF_WEIGHTS_NAME)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("lot", "did you mean 'lit'"),
        ("clip", "known are lit, auto and openclip:ARCH/CHECKPOINT"),
        ("", "unknown"),
        ("openclip:ViT-L-14", "expected openclip:ARCH/CHECKPOINT"),
        ("openclip:/openai", "expected openclip:ARCH/CHECKPOINT"),
        ("openclip:ViT-L-14/", "expected openclip:ARCH/CHECKPOINT"),
        ("openclip:vit-l14/openai", "no architecture 'vit-l14' .did you mean 'ViT-L-14'"),
    ],
)
@pytest.mark.parametrize("function", [resolve_similarity, load_similarity])
def test_an_unknown_model_is_one_line_with_a_suggestion(function, spec, message):
    with pytest.raises(RecipeError, match=message) as error:
        function(spec)
    assert "\n" not in str(error.value)


def test_a_checkpoint_file_that_is_not_there_is_found_out_at_the_desk(tmp_path):
    with pytest.raises(MissingError, match=r"no such file .*nothing\.pt"):
        resolve_similarity(f"openclip:ViT-B-32/{tmp_path}/nothing.pt")


@pytest.mark.parametrize(
    ("spec", "is_path"),
    [
        ("openclip:ViT-B-32//abs/path.pt", True),
        ("openclip:ViT-B-32//abs/path", True),
        ("openclip:ViT-B-32/./here", True),
        ("openclip:ViT-B-32/~/here", True),
        ("openclip:ViT-B-32/folder/model.safetensors", True),
        ("openclip:ViT-B-32/openai", False),
        ("openclip:ViT-B-32/laion2b-s34b-b79k", False),
    ],
)
def test_a_checkpoint_is_a_file_by_its_slash_or_ending(spec, is_path):
    parsed = OpenClipSpec.parse(spec)
    assert parsed.arch == "ViT-B-32"
    assert (parsed.path is not None) is is_path
    assert str(parsed) == spec


def test_the_desk_check_imports_neither_torch_nor_open_clip():
    code = (
        "import sys\n"
        "from openm3w.trainer.encoders import resolve_similarity\n"
        "resolve_similarity('lit'); resolve_similarity('openclip:ViT-L-14/openai')\n"
        "print([name for name in ('torch', 'open_clip', 'numpy', 'PIL') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
