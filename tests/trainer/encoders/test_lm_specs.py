import pytest

from openm3w.errors import MissingError, RecipeError
from openm3w.trainer.encoders.lm_specs import LmSpec, resolve_lm


@pytest.mark.parametrize(
    ("spec", "source", "file", "name"),
    [
        (
            "HuggingFaceTB/SmolLM2-135M",
            "HuggingFaceTB/SmolLM2-135M",
            "",
            "HuggingFaceTB/SmolLM2-135M",
        ),
        ("a/b:x.Q4.gguf", "a/b", "x.Q4.gguf", "a/b:x.Q4.gguf"),
        ("/models/x.gguf", "/models", "x.gguf", "x.gguf"),
        ("/models:x.gguf", "/models", "x.gguf", "x.gguf"),
        ("/models/gpt2", "/models/gpt2", "", "gpt2"),
    ],
)
def test_a_model_is_a_name_or_a_path_and_its_name_holds_no_folder(spec, source, file, name):
    found = LmSpec.parse(spec)
    assert (found.source, found.gguf_file, found.name) == (source, file, name)


@pytest.mark.parametrize("spec", ["", ":x.gguf"])
def test_what_names_no_model_is_refused(spec):
    with pytest.raises(RecipeError, match="expected NAME"):
        LmSpec.parse(spec)


def test_a_file_that_is_not_there_is_told_at_the_desk(tmp_path):
    pytest.importorskip("accelerate")
    with pytest.raises(MissingError, match="no such file"):
        resolve_lm(f"{tmp_path}/x.gguf")
    with pytest.raises(MissingError, match=r"no such file .*config\.json"):
        resolve_lm(str(tmp_path))


def test_a_local_model_is_known_by_its_digest(tmp_path):
    (tmp_path / "x.gguf").write_bytes(b"one")
    first = LmSpec.parse(f"{tmp_path}/x.gguf").digest()
    (tmp_path / "x.gguf").write_bytes(b"two")
    assert first.startswith("sha256-")
    assert LmSpec.parse(f"{tmp_path}/x.gguf").digest() != first


def test_a_folder_is_known_by_what_its_files_hold_and_not_by_where_it_lies(tmp_path):
    first, second = tmp_path / "one" / "lm", tmp_path / "two" / "lm"
    for folder in (first, second):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "model.safetensors").write_bytes(b"weights one")
    same = LmSpec.parse(str(first)).made_of
    assert LmSpec.parse(str(second)).made_of == same
    (second / "model.safetensors").write_bytes(b"weights two")
    assert LmSpec.parse(str(second)).made_of != same
    assert str(tmp_path) not in same


def test_a_repository_is_known_by_the_commit_in_the_cache(tmp_path, monkeypatch):
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert LmSpec.parse("a/b").made_of == "a/b@"

    commit, root = "0123456789abcdef" * 2 + "01234567", tmp_path / "models--a--b"
    (root / "snapshots" / commit).mkdir(parents=True)
    (root / "snapshots" / commit / "config.json").write_text("{}")
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(commit)

    assert LmSpec.parse("a/b").made_of == f"a/b@{commit}"
    assert LmSpec.parse("a/b").revision == commit
    assert LmSpec.parse("a/b:x.gguf").revision == ""
