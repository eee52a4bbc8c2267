"""The commands that edit datasets, as a user types them."""

import json

import pytest
from click.testing import CliRunner

from openm3w.cli import cli
from openm3w.errors import InputError, RecipeError
from openm3w.shards import manifest, reader


def m3w(*arguments):
    return CliRunner().invoke(cli, [str(a) for a in arguments], catch_exceptions=False)


def test_merge_then_shuffle_then_split(dataset, tmp_path):
    one, two = dataset("one"), dataset("two", start=4)
    merge = ("shards", "merge", one.root, two.root, "--output", tmp_path / "both")
    with pytest.raises(InputError, match="--on-duplicate skip"):
        m3w(*merge)
    said = m3w(*merge, "--on-duplicate", "skip").stdout
    assert said == f"{tmp_path / 'both'}: 6 shards, 10 samples (2 duplicates left out)\n"
    again = m3w(*merge, "--on-duplicate", "skip").stdout
    assert again == f"{tmp_path / 'both'}: 6 shards, 10 samples; nothing changed\n"
    m3w("shards", "shuffle", tmp_path / "both", "--output", tmp_path / "mixed", "--seed", "5")
    split = ("shards", "split", tmp_path / "mixed", "--output", tmp_path / "cut")
    m3w(*split, "--val-share", "0.5", "--seed", "3", "--samples-per-shard", "2", "--by", "domain")
    (found,) = manifest.load(tmp_path / "cut")
    keys = {sample.key for sample in reader.read_samples(found)}
    assert len(keys) == found.nsamples == 10
    edits = found.counts["edits"]
    assert [edit["command"] for edit in edits] == ["merge", "shuffle", "split"]
    assert edits[0]["left_out"] == {"duplicates": 2}
    assert "m3w shards verify" in (tmp_path / "cut/README.md").read_text()


@pytest.mark.parametrize(
    ("size", "right"),
    [("20480", True), ("20 kb", True), ("20KiB", True), ("0", False), ("x", False)],
)
def test_sizes_are_written_as_people_write_them(dataset, tmp_path, size, right):
    one = dataset("one", kind="text", sizes=(("train", 2),))
    done = m3w("shards", "split", one.root, "--output", tmp_path / "out", "--max-bytes", size)
    assert (done.exit_code == 0) == right
    if not right:
        assert "write one as 500MB or 1GiB" in done.output


def test_split_without_a_size_and_a_mixture_are_refused(dataset, tmp_path):
    one, two = dataset("one"), dataset("two", kind="text", start=50)
    with pytest.raises(RecipeError, match="nothing to do"):
        m3w("shards", "split", one.root, "--output", tmp_path / "out")
    m3w("shards", "join", one.root, two.root, "--output", tmp_path / "mix.json")
    shuffle = ("shards", "shuffle", tmp_path / "mix.json", "--output", tmp_path / "out")
    with pytest.raises(InputError, match="a mixture of 2 datasets"):
        m3w(*shuffle, "--seed", "1")


def test_repair_index_says_which_it_wrote(dataset):
    one = dataset("one")
    first, second, _ = (one.root / f"{shard.url}.idx" for shard in one.shards)
    right = first.read_bytes()
    first.unlink()
    dry = m3w("shards", "repair-index", one.root, "--dry-run").stdout
    assert dry.splitlines() == [
        f"{first}: missing; would be written, of 3 samples",
        "3 tars: 1 missing, 2 right",
    ]
    assert not first.exists()
    m3w("shards", "repair-index", one.root)
    assert first.read_bytes() == right
    second.write_bytes(right)
    tar = str(second).removesuffix(".idx")
    value = json.loads(m3w("shards", "repair-index", tar, "--json").stdout)
    assert value["counts"] == {"wrong": 1}
    assert value["tars"] == [{"path": tar, "state": "wrong", "samples": 2, "why": ""}]
    (one.root / one.shards[0].url).unlink()
    lost = m3w("shards", "repair-index", one.root)
    assert lost.exit_code == 1
    assert "missing; the manifest lists it" in lost.stdout
