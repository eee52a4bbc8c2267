"""What `m3w status` says of builds in every state, by what is really on the disk."""

import json
import os
from dataclasses import asdict

import pytest
from click.testing import CliRunner

from openm3w.cli import cli
from openm3w.errors import InputError
from openm3w.pipeline import claims, status
from openm3w.pipeline.captions import build as caption_builds
from openm3w.pipeline.captions import rows
from openm3w.pipeline.captions.recipe import load as load_captions
from openm3w.pipeline.jobs.writing import ShardName
from openm3w.pipeline.text import build as text_builds
from openm3w.pipeline.text import select, texts
from openm3w.pipeline.text.recipe import load as load_text
from openm3w.shards.document import Document, Text
from openm3w.shards.sample import Sample
from openm3w.shards.writer import write_shard

SENTENCE = "The quick brown fox jumps over the lazy dog while the sun goes down behind hill {}. "


@pytest.fixture
def text_plan(tmp_path):
    """A text build of two tables of three texts each, two to a shard."""
    for name in "ab":
        lines = [json.dumps({"text": SENTENCE.format(f"{name}{n}") * 5}) for n in range(3)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join([*lines, "{damaged\n"]))
    recipe = load_text(overrides=("shards.samples_per_shard=2", "shards.val_share=0"))
    inputs = [str(tmp_path / f"{name}.jsonl") for name in "ab"]
    return text_builds.make_plan(recipe, inputs, tmp_path / "out", say=lambda _: None)


@pytest.fixture
def text_steps(text_plan):
    """What the jobs do, unit by unit, while the output is claimed; stop after each."""
    plan = text_plan
    with claims.claimed(plan.output, plan.store, plan.identity):
        yield _steps(plan)


def _steps(plan):
    for source in plan.sources:
        texts.commit_source(plan, source)
        yield
    for unit in plan.units:
        select.commit_selection(plan, unit, [])
        yield
    name = ShardName("train", 0)
    sample = Sample(key="k", document=Document(doc_id="k", spans=(Text(text="words"),)))
    entry = write_shard(plan.output, name.url, [sample], kind="text", split="train")
    plan.folder("shards").commit_sidecar(
        name.unit, counts={"entry": asdict(entry), "beside": {}}, seconds={}
    )
    yield


def done(found):
    return [(each.part.job, each.done, each.units) for each in found.parts]


def test_a_text_build_is_told_unit_by_unit(text_plan, text_steps):
    def now():
        (place,) = status.find_builds(text_plan.output)
        return status.look(*place)

    found = now()
    assert done(found) == [("texts", 0, 2), ("select", 0, 2), ("shards", 0, None)]
    assert found.last_commit == 0
    assert found.next == "go on with texts: 0 of 2 units are committed"
    assert (found.state, found.holder.pid) == (status.RUNNING, os.getpid())
    next(text_steps)
    found = now()
    assert done(found)[0] == ("texts", 1, 2)
    records, _ = found.parts[0].stages
    assert (records.unit, records.entered, records.kept, records.num_failed) == ("records", 4, 3, 1)
    assert 0 <= status.age(found.last_commit) < 3600
    assert found.parts[0].num_bytes > 0
    next(text_steps), next(text_steps)
    assert done(now())[1:] == [("select", 1, 2), ("shards", 0, None)]
    next(text_steps)
    assert done(now())[1:] == [("select", 2, 2), ("shards", 0, 3)]
    next(text_steps)
    found = now()
    assert done(found)[2] == ("shards", 1, 3)
    assert found.next == "go on with shards: 1 of 3 units are committed"
    (text_plan.output / "data/train-000000.tar").unlink()
    assert done(now())[2] == ("shards", 0, 3)


def test_a_stopped_build_says_what_it_left(text_plan):
    with claims.claimed(text_plan.output, text_plan.store, text_plan.identity):
        texts.commit_source(text_plan, text_plan.sources[0])
    assert not text_plan.output.exists()
    left = text_plan.folder("texts").root / ".x.parquet.0.tmp"
    left.write_bytes(b"half")
    for where in (text_plan.output, text_plan.store):
        said = CliRunner().invoke(cli, ["status", str(where)], catch_exceptions=False).stdout
        assert said.startswith(f"text: stopped, {text_plan.output}, store {text_plan.store}\n")
        assert "left by runs that were killed: 1 temporary file, 4 bytes" in said
        assert "texts: 3 of 4 records (malformed_json 1); 3 of 3 texts" in said
        assert said.endswith("next: go on with texts: 1 of 2 units are committed\n")
    said = CliRunner().invoke(cli, ["status", str(text_plan.output), "--json"]).stdout
    (found,) = json.loads(said)
    assert (found["state"], found["holder"], found["samples"]) == ("stopped", None, None)
    assert [(job["job"], job["done"]) for job in found["jobs"]] == [
        ("texts", 1),
        ("select", 0),
        ("shards", 0),
    ]
    assert found["temporary"] == {"files": 1, "bytes": 4}
    assert found["jobs"][0]["last_commit"] == found["last_commit"]


def test_a_caption_build_knows_its_blocks_when_its_rows_are_read(tmp_path, image_bytes):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(image_bytes(80, 60))
    table = tmp_path / "in" / "table.jsonl"
    table.write_text(json.dumps({"url": "a.png", "caption": "a small boat"}) + "\n")
    plan = caption_builds.make_plan(load_captions(), [str(table)], tmp_path / "out")
    with claims.claimed(plan.output, plan.store, plan.identity):
        assert done(status.look(plan.output, plan.store)) == [
            ("rows", 0, 1),
            ("images", 0, None),
            ("select", 0, None),
            ("shards", 0, None),
        ]
        rows.commit_table(plan, plan.tables[0])
        plan.folder("images").commit_sidecar("all", counts={"units": ["p-0", "p-1"]}, seconds={})
        found = status.look(plan.output, plan.store)
    assert done(found)[:3] == [("rows", 1, 1), ("images", 0, 2), ("select", 0, 1)]
    assert [stage.unit for stage in found.parts[0].stages] == ["rows", "pairs"]


def test_of_a_store_all_its_outputs_are_told(text_plan, tmp_path):
    text_plan.store.mkdir()
    for name in ("out", "other"):
        claims.claim(tmp_path / name, text_plan.store, text_plan.identity)
        (tmp_path / name).mkdir()
    found = status.find_builds(text_plan.store)
    assert [output.name for output, _ in found] == ["other", "out"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _: None, "no such folder; name the OUTPUT of a build"),
        (lambda folder: folder.mkdir(), "no build of the store"),
        (lambda folder: (folder / ".edit").mkdir(parents=True), "`m3w shards merge`, `split` or"),
        (lambda folder: (folder / claims.OUTPUTS).mkdir(parents=True), "none of the builds of"),
    ],
)
def test_what_is_no_build_is_told(tmp_path, make, message):
    make(tmp_path / "x")
    with pytest.raises(InputError, match=message):
        status.find_builds(tmp_path / "x")


def test_a_build_that_noted_no_jobs_is_told(tmp_path):
    claims.claim(tmp_path / "out", tmp_path / "out.work", {"recipe": {"name": "old"}})
    (place,) = status.find_builds(tmp_path / "out")
    with pytest.raises(InputError, match="made by a version that did not note its jobs"):
        status.look(*place)
