import json

import pytest

from openm3w.errors import OutputError
from openm3w.pipeline import claims


def test_an_output_of_another_build_is_refused(tmp_path):
    output, store = tmp_path / "out", tmp_path / "out.work"
    claims.claim(output, store, {"recipe": {"a": 1}})
    output.mkdir()
    (output / "manifest.json").write_text("{}")

    claims.claim(output, store, {"recipe": {"a": 1}})
    with pytest.raises(OutputError, match="another recipe or input"):
        claims.claim(output, store, {"recipe": {"a": 2}})


@pytest.mark.parametrize(
    ("language", "what"), [("", "as it was before"), ("de", "another recipe or input")]
)
def test_a_recipe_that_had_a_language_of_its_own_once_asks_for_the_same(tmp_path, language, what):
    output, store = tmp_path / "out", tmp_path / "out.work"
    claims.claim(output, store, {"recipe": {"language": "en", "a": 1}, "fingerprint": "old"})
    output.mkdir()
    (output / "manifest.json").write_text("{}")
    with pytest.raises(OutputError, match=what):
        claims.claim(
            output, store, {"recipe": {"language": language, "a": 1}, "fingerprint": "new"}
        )


def test_what_a_killed_attempt_left_is_gone_as_soon_as_the_build_begins_again(tmp_path):
    output, store, identity = tmp_path / "out", tmp_path / "out.work", {"recipe": {"a": 1}}
    with claims.claimed(output, store, identity):
        (output / "data").mkdir()
        left = output / "data" / ".train-000000.tar.0.tmp"
        left.touch()
    with claims.claimed(output, store, identity):
        assert not left.exists()


def test_an_output_with_foreign_files_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "holiday.jpg").write_bytes(b"")

    with pytest.raises(OutputError, match="something else"):
        claims.claim(tmp_path / "out", tmp_path / "work", {})


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_bytes(b"")

    with pytest.raises(OutputError, match="is a file"):
        claims.claim(tmp_path / "out", tmp_path / "work", {})


@pytest.mark.parametrize("written", ["out", "out/", "./out", "out/../out"])
def test_the_store_stands_beside_the_output_however_it_is_written(tmp_path, monkeypatch, written):
    from pathlib import Path

    monkeypatch.chdir(tmp_path)

    assert claims.default_store(Path(written)) == tmp_path / "out.work"


@pytest.mark.parametrize(("output", "store"), [("a", "a"), ("a/out", "a"), ("a", "a/work")])
def test_output_and_store_inside_each_other_are_refused(tmp_path, output, store):
    with pytest.raises(OutputError, match="side by side"):
        claims.claim(tmp_path / output, tmp_path / store, {})

    assert not list(tmp_path.rglob("*"))


def test_a_dataset_is_no_store(tmp_path):
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "manifest.json").write_text("{}")
    with pytest.raises(OutputError, match="holds a dataset"):
        claims.claim(tmp_path / "out", tmp_path / "published", {})


@pytest.mark.parametrize(
    ("output", "store", "kind", "refused"),
    [
        ("published/sub", "work", "interleaved", "--output"),
        ("published/a/b", "work", "caption", "--output"),
        ("out", "published/work", "text", "--store"),
        ("published/sub", "work", "mixture", ""),
        ("published/sub", "work", "a web app's", ""),
    ],
)
def test_nothing_is_built_inside_a_dataset(tmp_path, output, store, kind, refused):
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "manifest.json").write_text(json.dumps({"kind": kind}))
    if not refused:
        claims.claim(tmp_path / output, tmp_path / store, {})
        return
    with pytest.raises(OutputError, match=f"is inside the dataset .*published; .* {refused}$"):
        claims.claim(tmp_path / output, tmp_path / store, {})


def test_a_second_build_into_one_output_is_refused_while_the_first_runs(tmp_path):
    output, store = tmp_path / "out", tmp_path / "out.work"
    with claims.claimed(output, store, {"recipe": 1}):
        with (
            pytest.raises(OutputError, match="another build is writing"),
            claims.claimed(output, store, {"recipe": 2}),
        ):
            pass
        assert claims.identity_of(output, store) == {"recipe": 1}


def test_a_killed_build_leaves_an_output_that_another_may_take(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".lock").touch()
    with claims.claimed(tmp_path / "out", tmp_path / "out.work", {"recipe": 2}):
        pass
