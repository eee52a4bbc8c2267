import json

import pytest
from click.testing import CliRunner
from foreign_forms import write_lines

from openm3w.cli import cli, main


def m3w(*arguments):
    return CliRunner().invoke(cli, [str(it) for it in arguments], catch_exceptions=False)


def test_a_dataset_goes_out_and_comes_back(tmp_path, dataset):
    ours = dataset()
    there, back = tmp_path / "there", tmp_path / "back"
    out = m3w("shards", "export", ours.root, "--format", "obelics", "--output", there)
    assert out.output.splitlines() == [f"{there}: 3 shards as obelics", "  6 of 6 pages kept"]
    command = ("shards", "import", "obelics", there, "--images", there / "images", "-o", back)
    assert m3w(*command).output.splitlines() == [
        f"{back}: 6 samples, 8 images (interleaved)",
        "  6 of 6 rows kept",
        "  8 of 8 images kept",
    ]
    assert m3w(*command).output.startswith(f"{back}: 6 samples, 8 images (interleaved); nothing")
    assert m3w("shards", "verify", back).exit_code == 0


def test_images_without_bytes_are_told_with_what_to_do(tmp_path, dataset):
    there = tmp_path / "there"
    m3w("shards", "export", dataset().root, "--format", "mmc4", "-o", there, "--no-images")
    lines = m3w("shards", "import", "mmc4", there, "-o", tmp_path / "back").output.splitlines()
    assert lines[2] == "  0 of 8 images kept (no_bytes 8)"
    assert "name the folder by --images" in lines[3]


def test_json_says_the_same(tmp_path, dataset):
    there = tmp_path / "there"
    command = ("shards", "export", dataset(kind="text").root, "--format", "datatrove", "-o", there)
    value = json.loads(m3w(*command, "--json").output)
    assert (value["already_done"], value["stages"][0]["kept"]) == (False, 6)
    value = json.loads(
        m3w("shards", "import", "datatrove", there, "--kind", "text", "-o", tmp_path / "back",
            "--name", "words", "--json").output
    )  # fmt: skip
    assert (value["kind"], value["nsamples"], value["images"]) == ("text", 6, 0)


def refused(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        main([str(it) for it in arguments])
    return stop.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("import", "obelix", "x", "-o", "y"), 2, "'obelix' is not one of 'obelics'"),
        (("import", "obelics", "{tmp}/none", "-o", "{tmp}/y"), 1, "none: no such file or folder"),
        (("import", "obelics", "{tmp}/a.txt", "-o", "{tmp}/y"), 1, "expected a file that ends in"),
        (("import", "obelics", "{tmp}/a.jsonl", "--kind", "caption", "-o", "{tmp}/y"), 1,
         "obelics: holds interleaved, and no caption samples"),
        (("import", "mmc4", "{tmp}/a.jsonl", "--images", "{tmp}/none", "-o", "{tmp}/y"), 1,
         "none: no such folder or tar file"),
        (("import", "mmc4", "{tmp}/a.jsonl", "-o", "{tmp}/y"), 1, "nothing was kept: 1 rows"),
        (("export", "{tmp}", "-o", "{tmp}/y"), 2, "name one of --format and --originals"),
        (("export", "{tmp}", "--format", "mmc4", "--originals", "-o", "{tmp}/y"), 2, "name one of"),
        (("export", "{tmp}", "--format", "mmc4", "-o", "{tmp}/y"), 1, "no manifest there"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(tmp_path, capsys, arguments, code, said):
    (tmp_path / "a.txt").write_text("")
    write_lines(tmp_path / "a.jsonl", {"no": "fields"})
    found = refused(capsys, "shards", *(it.format(tmp=tmp_path) for it in arguments))
    assert found[0] == code
    assert said in found[1]
    assert found[1].count("\n") == 1


def test_a_mixture_is_exported_one_dataset_at_a_time(tmp_path, dataset, capsys):
    m3w("shards", "join", dataset("a").root, dataset("b", start=50).root, "-o", tmp_path / "m.json")
    code, said = refused(
        capsys, "shards", "export", tmp_path / "m.json", "--format", "parquet", "-o", tmp_path / "x"
    )
    assert (code, "is a mixture; name one dataset at a time" in said) == (1, True)
