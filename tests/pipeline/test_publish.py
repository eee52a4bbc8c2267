import json

import pytest

from openm3w.errors import InputError, OutputError
from openm3w.pipeline import publish
from openm3w.shards.funnel import Stage
from openm3w.shards.manifest import Manifest
from openm3w.shards.writer import ShardEntry


def stage(entered, failed):
    return Stage(
        job="images",
        unit="images",
        entered=entered,
        kept=entered - failed,
        failed={"undecodable": failed},
    )


@pytest.mark.parametrize(
    ("entered", "failed", "ends"), [(100, 10, False), (100, 11, True), (99, 99, False)]
)
def test_a_build_ends_where_more_than_the_share_failed(entered, failed, ends):
    if not ends:
        publish.check_failures([stage(entered, failed)], 0.1)
        return
    with pytest.raises(InputError, match="11% of 100 images failed"):
        publish.check_failures([stage(entered, failed)], 0.1)


def test_an_output_of_another_build_is_refused(tmp_path):
    output, store = tmp_path / "out", tmp_path / "out.work"
    publish.claim(output, store, {"recipe": {"a": 1}})
    output.mkdir()
    (output / "manifest.json").write_text("{}")

    publish.claim(output, store, {"recipe": {"a": 1}})
    with pytest.raises(OutputError, match="another recipe or input"):
        publish.claim(output, store, {"recipe": {"a": 2}})


@pytest.mark.parametrize(
    ("language", "what"), [("", "as it was before"), ("de", "another recipe or input")]
)
def test_a_recipe_that_had_a_language_of_its_own_once_asks_for_the_same(tmp_path, language, what):
    output, store = tmp_path / "out", tmp_path / "out.work"
    publish.claim(output, store, {"recipe": {"language": "en", "a": 1}, "fingerprint": "old"})
    output.mkdir()
    (output / "manifest.json").write_text("{}")
    with pytest.raises(OutputError, match=what):
        publish.claim(
            output, store, {"recipe": {"language": language, "a": 1}, "fingerprint": "new"}
        )


def test_an_output_with_foreign_files_is_refused(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "holiday.jpg").write_bytes(b"")

    with pytest.raises(OutputError, match="something else"):
        publish.claim(tmp_path / "out", tmp_path / "work", {})


def test_an_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "out").write_bytes(b"")

    with pytest.raises(OutputError, match="is a file"):
        publish.claim(tmp_path / "out", tmp_path / "work", {})


@pytest.mark.parametrize("written", ["out", "out/", "./out", "out/../out"])
def test_the_store_stands_beside_the_output_however_it_is_written(tmp_path, monkeypatch, written):
    from pathlib import Path

    monkeypatch.chdir(tmp_path)

    assert publish.default_store(Path(written)) == tmp_path / "out.work"


@pytest.mark.parametrize(("output", "store"), [("a", "a"), ("a/out", "a"), ("a", "a/work")])
def test_output_and_store_inside_each_other_are_refused(tmp_path, output, store):
    with pytest.raises(OutputError, match="side by side"):
        publish.claim(tmp_path / output, tmp_path / store, {})

    assert not list(tmp_path.rglob("*"))


def test_the_seconds_of_another_build_in_the_same_store_are_forgotten(tmp_path):
    publish.claim(tmp_path / "one", tmp_path / "work", {"fingerprint": "1"})
    with publish.timed(tmp_path / "work", "images"):
        pass

    publish.claim(tmp_path / "one", tmp_path / "work", {"fingerprint": "1"})
    assert list(publish.seconds_by_job(tmp_path / "work")) == ["images"]
    publish.claim(tmp_path / "two", tmp_path / "work", {"fingerprint": "2"})
    assert publish.seconds_by_job(tmp_path / "work") == {}


def test_a_dataset_is_no_store(tmp_path):
    (tmp_path / "published").mkdir()
    (tmp_path / "published" / "manifest.json").write_text("{}")
    with pytest.raises(OutputError, match="holds a dataset"):
        publish.claim(tmp_path / "out", tmp_path / "published", {})


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
        publish.claim(tmp_path / output, tmp_path / store, {})
        return
    with pytest.raises(OutputError, match=f"is inside the dataset .*published; .* {refused}$"):
        publish.claim(tmp_path / output, tmp_path / store, {})


def test_an_output_without_its_manifest_is_not_finished(tmp_path):
    (tmp_path / "_SUCCESS").touch()
    assert publish.finished(tmp_path) is None


def test_a_second_build_into_one_output_is_refused_while_the_first_runs(tmp_path):
    output, store = tmp_path / "out", tmp_path / "out.work"
    with publish.claimed(output, store, {"recipe": 1}):
        with (
            pytest.raises(OutputError, match="another build is writing"),
            publish.claimed(output, store, {"recipe": 2}),
        ):
            pass
        assert publish.identity_of(output, store) == {"recipe": 1}


def test_a_killed_build_leaves_an_output_that_another_may_take(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".lock").touch()
    with publish.claimed(tmp_path / "out", tmp_path / "out.work", {"recipe": 2}):
        pass


def result(output, size):
    shard = ShardEntry(
        url="data/train-000000.tar",
        split="train",
        nsamples=1,
        filesize=size,
        sha256="",
        images=0,
        characters=1,
        max_images=0,
    )
    return Manifest(name="a", kind="interleaved", root=output, shards=(shard,), recipe={})


@pytest.mark.parametrize("other", ["claim", "shard", "manifest"])
def test_a_build_whose_output_another_took_meanwhile_is_not_published(tmp_path, other):
    output, store, identity = tmp_path / "out", tmp_path / "out.work", {"recipe": 1}
    publish.claim(output, store, identity)
    (output / "data").mkdir(parents=True)
    (output / "data/train-000000.tar").write_bytes(b"mine")
    if other == "claim":
        (output / "data").rename(tmp_path / "data")
        publish.claim(output, store, {"recipe": 2})
        (tmp_path / "data").rename(output / "data")
    elif other == "shard":
        (output / "data/train-000000.tar").write_bytes(b"another's")
    else:
        (output / "manifest.json").write_text('{"build": "another"}')

    with pytest.raises(OutputError, match="another build has written to it meanwhile"):
        publish.publish(result(output, len(b"mine")), {}, identity, store)
    assert not (output / "_SUCCESS").exists()
