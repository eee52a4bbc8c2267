import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow as pa
import pytest

from openm3w.errors import OutputError
from openm3w.pipeline.jobs.writing import (
    ShardName,
    Writing,
    _placed,
    _write,
    shard_names,
    split_counts,
    write_shards,
)
from openm3w.pipeline.runners import Runner
from openm3w.pipeline.store import Folder
from openm3w.shards.document import Document, Text, make_doc_id
from openm3w.shards.manifest import Manifest
from openm3w.shards.reader import read_samples
from openm3w.shards.sample import Sample

SCHEMA = pa.schema([("doc_id", pa.string()), ("split", pa.string())])


def test_as_many_shards_as_hold_the_samples():
    counts = {"val": 1, "train": 5, "test": 0}

    assert shard_names(counts, 2) == [
        ShardName("train", 0),
        ShardName("train", 1),
        ShardName("train", 2),
        ShardName("val", 0),
    ]


def as_samples(rows):
    for row in rows:
        yield Sample(
            key=row["doc_id"], document=Document(doc_id=row["doc_id"], spans=(Text(text="words"),))
        )


@pytest.fixture
def writing(tmp_path):
    selected = Folder(root=tmp_path / "select", fingerprint="f")
    for unit in ("a", "b"):
        rows = [
            {"doc_id": make_doc_id("", unit, n), "split": "val" if n % 5 == 0 else "train"}
            for n in range(10)
        ]
        with selected.writing(unit, SCHEMA) as add:
            for row in rows:
                add(row)
        selected.commit_sidecar(unit, counts={"splits": {"val": 2, "train": 8}}, seconds={})
    return Writing(
        output=tmp_path / "out",
        kind="text",
        selected=selected,
        units=("a", "b"),
        written=Folder(root=tmp_path / "written", fingerprint="f"),
        samples=as_samples,
        samples_per_shard=6,
        seed=0,
    )


def test_a_unit_that_is_not_committed_any_more_is_no_unit_without_samples(writing):
    assert split_counts(writing.selected, writing.units) == {"val": 4, "train": 16}
    writing.selected.path("b", "json").unlink()
    with pytest.raises(OutputError, match=r"b\.json: is gone, .* run the same command again"):
        split_counts(writing.selected, writing.units)


def bundle(writing):
    """What a runner hands over of the shard train-000000."""
    counts = split_counts(writing.selected, writing.units)
    placed = (row for unit in writing.units for row in _placed(writing, unit, counts, ()))
    return [row for name, row in placed if name == ("train", 0)]


def test_a_bundle_that_a_runner_retries_is_written_once(writing):
    rows = bundle(writing)
    assert 0 < len(rows) < 16
    _write(writing, ("train", 0), rows)
    files = sorted(path for path in writing.output.rglob("*") if path.is_file())
    before = [(path.stat().st_mtime_ns, path.stat().st_ino) for path in files]
    _write(writing, ("train", 0), reversed(rows))
    assert [(path.stat().st_mtime_ns, path.stat().st_ino) for path in files] == before
    assert [path.name for path in files] == ["train-000000.tar", "train-000000.tar.idx"]


def test_two_attempts_at_one_bundle_at_once_give_one_shard(writing):
    rows, begun = bundle(writing), threading.Barrier(2, timeout=60)

    def slowly(rows):
        begun.wait()  # both have opened a file
        for sample in as_samples(rows):
            yield sample
            begun.wait()

    both = replace(writing, samples=slowly)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda some: _write(both, ("train", 0), some), (rows, rows[::-1])))
    together = (writing.output / "data/train-000000.tar").read_bytes()
    alone = replace(writing, output=writing.output.parent / "alone")
    _write(alone, ("train", 0), rows)
    assert (alone.output / "data/train-000000.tar").read_bytes() == together
    assert len(list((writing.output / "data").iterdir())) == 2


@pytest.mark.beam
def test_every_sample_is_in_one_shard_and_a_lost_shard_is_written_again(writing):
    entries = write_shards(writing, Runner())
    manifest = Manifest(name="x", kind="text", shards=entries, root=writing.output)
    keys = [sample.key for sample in read_samples(manifest, verify="full")]
    assert sorted(keys) == sorted(make_doc_id("", unit, n) for unit in "ab" for n in range(10))

    lost = writing.output / entries[0].url
    before = lost.read_bytes()
    lost.unlink()

    assert write_shards(writing, Runner()) == entries
    assert lost.read_bytes() == before


@pytest.mark.beam
@pytest.mark.parametrize("damage", ["missing", "short"])
def test_a_shard_whose_index_is_lost_or_cut_is_written_again(writing, damage):
    entries = write_shards(writing, Runner())
    index = writing.output / f"{entries[0].url}.idx"
    before = index.read_bytes()
    assert len(before) == 8 * (entries[0].nsamples + 1)
    if damage == "missing":
        index.unlink()
    else:
        index.write_bytes(before[:-8])

    assert write_shards(writing, Runner()) == entries
    assert index.read_bytes() == before
