import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from openm3w import cli
from openm3w.errors import OutputError, RecipeError
from openm3w.pipeline.claims import claim
from openm3w.pipeline.fetch.cli import fetched
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.stores import Stores, folder_of, stores_of


def test_a_folder_has_all_and_of_a_uri_what_is_fetched(tmp_path):
    output = tmp_path / "out"
    usual = tmp_path / "out.work"
    assert stores_of(None, output) == Stores(jobs=usual)
    assert stores_of("work/x", output) == Stores(jobs=Path("work/x"))
    assert stores_of(f"file://{tmp_path}/x", output) == Stores(jobs=tmp_path / "x")
    for uri in ("s3://bucket/x", "gs://bucket", "memory://x", "s3://fetched"):
        assert stores_of(uri, output) == Stores(jobs=usual, shared=f"{uri}/fetched")
    assert stores_of("s3://bucket/x/", output).shared == "s3://bucket/x/fetched"


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("", "an empty name"),
        (" ", "an empty name"),
        ("https://a.example/store?key=1", "https://a.example/store: a web server keeps nothing"),
        ("http:/a.example", "begins with http://"),
        ("s3:/bucket/x", "begins with s3://"),
        ("file:/x", "begins with file://"),
        ("s3://", "names no place; write s3://BUCKET"),
        ("s3:///", "names no place"),
        ("s3://bucket/x/fetched/", "name what it is in, s3://bucket/x"),
        ("FILE", "is a file; name a folder"),
        ("file://FILE", "is a file; name a folder"),
        ("PICTURES", "holds files of something else"),
    ],
)
def test_what_is_no_place_of_a_store_is_refused(value, why, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "pictures" / "images").mkdir(parents=True)
    value = value.replace("FILE", str(tmp_path / "file"))
    value = value.replace("PICTURES", str(tmp_path / "pictures"))
    for read in (stores_of, folder_of):
        with pytest.raises(RecipeError, match=f"^--store .*{why}") as told:
            read(value, tmp_path / "out")
        assert "\n" not in str(told.value)


def test_a_store_of_fetches_is_no_store_of_a_build(tmp_path):
    for folder in ("out.work/fetched", "begun"):
        Memory.open(str(tmp_path / folder)).bury(["gone.example"])
    with pytest.raises(RecipeError, match=f"name the folder it is in, {tmp_path}/out.work$"):
        stores_of(f"{tmp_path}/out.work/fetched/", tmp_path / "out")
    with pytest.raises(RecipeError, match=f"--set fetch.store={tmp_path}/begun$"):
        stores_of(str(tmp_path / "begun"), tmp_path / "out")
    assert stores_of(str(tmp_path / "out.work"), tmp_path / "out").jobs == tmp_path / "out.work"


def test_a_store_of_ours_an_empty_folder_and_a_new_file_system_are_taken(tmp_path):
    claim(tmp_path / "out", tmp_path / "work", {})
    (tmp_path / "disk" / "lost+found").mkdir(parents=True)
    (tmp_path / "disk" / ".hidden").write_bytes(b"")
    (tmp_path / "adopting" / "adopted").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    for name in ("work", "disk", "adopting", "empty", "new"):
        assert folder_of(str(tmp_path / name), tmp_path / "out") == tmp_path / name


def test_text_has_no_store_elsewhere(tmp_path):
    assert folder_of(None, tmp_path / "out") == tmp_path / "out.work"
    with pytest.raises(RecipeError, match="s3://bucket/x: nothing is fetched here"):
        folder_of("s3://bucket/x", tmp_path / "out")


@pytest.mark.parametrize("value", [None, "memory://x"])
def test_nothing_stands_beside_the_root(value):
    with pytest.raises(OutputError, match=r"^/: is a whole file system"):
        stores_of(value, Path("/"))


@pytest.mark.parametrize(
    "command", [["build", "kosmos1", "-i"], ["captions", "build"], ["text", "build"]]
)
@pytest.mark.parametrize("options", [["-o", "out", "--store", ""], ["-o", "/"]])
def test_every_build_says_so_in_one_line(command, options, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.jsonl").write_text(json.dumps({"url": "a.jpg", "text": "a caption"}) + "\n")
    with pytest.raises(SystemExit):
        cli.main([*command, "t.jsonl", *options])
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "an empty name" in error or "/: is a whole file system" in error
    assert [path.name for path in tmp_path.iterdir()] == ["t.jsonl"]


def test_a_file_is_told_as_a_file_by_what_reads_a_store(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    result = CliRunner().invoke(fetched, ["stats", str(tmp_path / "file")])
    assert str(result.exception) == f"{tmp_path}/file: is a file; a store is a folder"
