import io
import json
import tarfile

import pytest
from click.testing import CliRunner

from openm3w import cli
from openm3w.pipeline.captions.cli import captions


def run(*arguments):
    return CliRunner().invoke(captions, [str(a) for a in arguments])


@pytest.mark.parametrize("command", ["build", "import", "adopt"])
def test_help_has_examples(command):
    result = run(command, "--help")

    assert result.exit_code == 0
    assert f"m3w captions {command}" in result.output


@pytest.mark.beam
def test_a_build_prints_one_json_object_if_asked(tmp_path, image_bytes):
    (tmp_path / "a.jpg").write_bytes(image_bytes(64, 64, "JPEG"))
    (tmp_path / "t.jsonl").write_text('{"image": "a.jpg", "text": "a caption"}\n')

    result = run(
        "build", tmp_path / "t.jsonl", "-o", tmp_path / "out", "--name", "my own", "--json"
    )

    assert result.exit_code == 0
    value = json.loads(result.output)
    assert (value["samples"], value["already_done"]) == (1, False)
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["name"] == "my own"


def test_shards_that_cannot_be_adopted_are_left_out_where_that_is_asked_for(
    tmp_path, image_bytes, capsys
):
    folder = tmp_path / "in"
    folder.mkdir()
    for name, image in (("a", image_bytes(64, 64, "JPEG")), ("b", b"")):
        with tarfile.open(folder / f"{name}.tar", "w") as tar:
            for suffix, data in {"jpg": image, "txt": b"A cat"}.items():
                member = tarfile.TarInfo(f"1.{suffix}")
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    (folder / "b.tar").write_bytes((folder / "b.tar").read_bytes()[:700])
    arguments = ["captions", "adopt", str(folder), "--output", str(tmp_path / "out")]

    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 1
    head, line = capsys.readouterr().err.splitlines()
    assert head.startswith(f"m3w: {folder}: 1 of 2 shards cannot be adopted")
    assert line.startswith(f"  {folder / 'b.tar'}: ")

    result = run(*arguments[1:], "--skip-damaged", "--json")
    assert result.exit_code == 0
    assert json.loads(result.output)["samples"] == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["build", "gone.parquet"], 1, "gone.parquet: no such file or folder"),
        (["build", "empty.jsonl"], 1, "empty.jsonl: the file is empty"),
        (["build", "photo.parquet"], 1, "photo.parquet: not a Parquet, JSONL, CSV or TSV table"),
        (
            ["build", "t.jsonl", "--text-column", "de"],
            1,
            "t.jsonl: no column 'de'; it has url, text",
        ),
        (["build", "t.jsonl", "--images", "gone"], 1, "--images gone: no such file"),
        (["build", "t.jsonl", "--images", ""], 1, "--images '': an empty name"),
        (["build", "t.jsonl", "--fetch"], 2, "by --contact or in fetch.manners.contact"),
        (
            ["build", "t.jsonl", "--fetch", "--contact", "bob"],
            2,
            "--contact: 'bob', expected an http(s) URL or an e-mail address",
        ),
        (["build", "t.jsonl", "--set", "imags.min_side=1"], 2, "did you mean 'images'"),
        (["build", "t.jsonl", "--runner", "flink"], 2, "planned and not built yet"),
        (
            ["build", "t.jsonl", "--set", 'captions.columns=["id"]'],
            1,
            "t.jsonl: no column 'id'; it has url, text",
        ),
        (
            ["build", "t.jsonl", "--set", 'captions.columns=["sha256"]'],
            2,
            "sha256 would hide fields that a sample has",
        ),
        (["adopt", "gone"], 1, "gone: no such folder"),
        (["import", "gone", "--from", "alt-text"], 1, "gone: no build whose store is"),
        (["import", "gone", "--from", "alt-text", "--recipe", "alt"], 1, "no build whose store"),
    ],
)
def test_a_users_mistake_is_one_line(tmp_path, monkeypatch, capsys, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jsonl").write_bytes(b"")
    (tmp_path / "photo.parquet").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "t.jsonl").write_text('{"url": "a.jpg", "text": "a caption"}\n')

    with pytest.raises(SystemExit) as caught:
        cli.main(["captions", *arguments, "--output", "out"])

    error = capsys.readouterr().err
    assert caught.value.code == code
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.beam
def test_pairs_are_made_of_a_build_in_one_line(site_copy, tmp_path):
    result = run("import", site_copy, "--from", "alt-text", "-o", tmp_path / "pairs", "--json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["samples"] == 5
    again = run("import", site_copy, "--from", "alt-text", "-o", tmp_path / "pairs")
    assert "nothing to do, the build is complete (5 captioned images" in again.output


def test_what_becomes_the_caption_must_be_said(tmp_path):
    result = run("import", tmp_path, "-o", tmp_path / "pairs")

    assert result.exit_code == 2
    assert "'--from'. Choose from:" in result.output
