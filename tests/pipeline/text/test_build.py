import gzip
import hashlib
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from openm3w import cli
from openm3w.errors import InputError, OutputError
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.text import build as builds
from openm3w.pipeline.text.cli import text
from openm3w.pipeline.text.recipe import load
from openm3w.shards.reader import read_samples

SENTENCE = "The quick brown fox jumps over the lazy dog while the sun goes down behind hill {}. "


def build(inputs, output, *, runner="local", overrides=()):
    said = []
    plan = builds.make_plan(
        load(overrides=tuple(overrides)), [str(i) for i in inputs], output, say=said.append
    )
    return builds.build(plan, Runner(name=runner, workers=1), say=said.append), said


def write(folder, archive):
    """Sources of each form, with a text in the first two and one twice in the second."""
    folder.mkdir(parents=True)
    html = "<html><body><article><p>{}</p></article></body></html>"
    for n in range(3):
        archive.page(f"http://site{n}.org/", html.format(SENTENCE.format(n) * 5))
    archive.write(folder / "crawl.warc.gz")
    texts = [SENTENCE.format(n) * 5 for n in (2, 3, 4, 4)]
    lines = [json.dumps({"text": t, "meta": {"pile_set_name": "X"}}) for t in texts]
    (folder / "pile.jsonl.gz").write_bytes(
        gzip.compress("\n".join([*lines, "{damaged"]).encode(), mtime=0)
    )
    pq.write_table(pa.table({"text": [SENTENCE.format(5) * 5]}), folder / "web.parquet")
    (folder / "news.csv").write_text(f'id,content\n1,"{SENTENCE.format(6) * 5}"\n')
    return folder


def hashes(output):
    return {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted((output / "data").iterdir())
    }


@pytest.mark.beam
def test_texts_of_all_forms_once_each(tmp_path, archive):
    folder, output = write(tmp_path / "in", archive), tmp_path / "out"

    built, said = build([folder], output)

    samples = list(read_samples(built.manifest, verify="full"))
    assert len({sample.document.texts[0].strip() for sample in samples}) == len(samples) == 7
    stages = {(s["job"], s["unit"]): s for s in built.manifest.counts["stages"]}
    assert stages["texts", "records"]["failed"] == {"malformed_json": 1}
    assert stages["select", "texts"]["dropped"] == {"duplicate_text": 2}
    assert built.manifest.counts["languages"] == {"en": 9}
    assert (built.manifest.counts["parts"], built.manifest.counts["num_parts"]) == ({"X": 4}, 1)
    of_parts = {s.document.texts[0].strip(): s.document.provenance.part for s in samples}
    ours = [of_parts[(SENTENCE.format(n) * 5).strip()] for n in (0, 3, 4, 5)]
    assert ours == ["", "X", "X", ""]
    report = json.loads((output / "report.json").read_text())
    assert any(note.startswith("pile.jsonl.gz: row 5: malformed_json") for note in report["notes"])
    titles = {rows[0][0]: rows[1:] for rows in report["tables"].values()}
    assert titles["part"] == [["X", 4]]
    assert said[0].startswith("texts: 9 of 10 records")

    again, said = build([folder], output)
    assert again.already_done
    assert not said
    with pytest.raises(OutputError, match="another recipe or input"):
        build([folder], output, overrides=["language=any"])


@pytest.mark.beam
def test_shards_are_the_same_in_another_folder_and_on_both_runners(tmp_path, archive):
    folder = write(tmp_path / "one" / "in", archive)
    other = tmp_path / "elsewhere"
    folder.parent.rename(other)
    build([other / "in"], tmp_path / "b", runner="local-mp")
    other.rename(folder.parent)
    build([folder], tmp_path / "a")

    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert str(tmp_path).encode() not in (tmp_path / "a" / "manifest.json").read_bytes()


@pytest.mark.beam
def test_a_build_without_a_single_text_says_why_and_leaves_no_folder(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"text": "too short"}))

    with pytest.raises(InputError, match=r"no text was kept of 1 records or rows: .* 1$"):
        build([path], tmp_path / "out")

    assert not (tmp_path / "out").exists()


@pytest.mark.beam
def test_what_a_long_text_loses_is_said_and_counted(tmp_path):
    texts = ["a word or two " * 25, "never said before " * 40]  # 100 and 120 words
    rows = [json.dumps({"text": text}) for text in texts]
    (tmp_path / "t.jsonl").write_text("\n".join(rows), encoding="utf-8")
    bounds = ("language=any", "text.max_words=100", "shards.val_share=0.0")

    _, said = build([tmp_path / "t.jsonl"], tmp_path / "out", overrides=bounds)

    line = (
        "1 texts are longer than text.max_words=100 and were cut there: 120 characters are left out"
    )
    assert line in said
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert report["notes"] == [line]


def test_help_has_examples():
    result = CliRunner().invoke(text, ["build", "--help"])

    assert result.exit_code == 0
    assert "m3w text build pile/*.jsonl.zst" in result.output


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["gone.warc.gz"], 1, "gone.warc.gz: no such file or folder"),
        (["empty.jsonl"], 1, "empty.jsonl: the file is empty"),
        (
            ["notes.txt"],
            1,
            "notes.txt: not a WARC, WET or ARC file, or Parquet, JSONL, CSV or TSV table",
        ),
        (
            ["x.csv"],
            1,
            "x.csv: no column is known by name; name it with --text-column; it has id, a",
        ),
        (["x.csv", "--text-column", "b"], 1, "x.csv: no column 'b'; it has id, a"),
        (["x.jsonl", "--set", "languag=de"], 2, "did you mean 'language'"),
        (["x.jsonl", "--runner", "spark"], 2, "planned and not built yet"),
    ],
)
def test_a_users_mistake_is_one_line(tmp_path, monkeypatch, capsys, arguments, code, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jsonl").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("words")
    (tmp_path / "x.jsonl").write_text("{}\n")
    (tmp_path / "x.csv").write_text("id,a\n")

    with pytest.raises(SystemExit) as caught:
        cli.main(["text", "build", *arguments, "--output", "out"])

    error = capsys.readouterr().err
    assert caught.value.code == code
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.beam
@pytest.mark.real
def test_a_real_wet_file(tmp_path, realdata):
    path = realdata / "warc/captures/commoncrawl-whirlwind-python_whirlwind.warc.wet.gz"

    built, _ = build([path], tmp_path / "out", overrides=["language=any"])

    assert built.manifest.nsamples == 1


def test_another_column_of_texts_is_another_build(tmp_path):
    (tmp_path / "x.csv").write_text("text,body\n")

    one, two = (
        builds.make_plan(
            load(), [str(tmp_path / "x.csv")], tmp_path / "out", say=print, text_column=name
        )
        for name in ("text", "body")
    )

    assert one.fingerprint("texts") != two.fingerprint("texts")
