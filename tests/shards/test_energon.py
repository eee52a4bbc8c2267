import dataclasses
import json

import braceexpand
import pytest
import yaml

from openm3w.errors import ShardError
from openm3w.shards import energon


def split_of(manifest):
    return yaml.safe_load((manifest.root / ".nv-meta" / "split.yaml").read_text())


def test_energon_finds_its_metadata(dataset):
    written = dataset()
    folder = written.root / ".nv-meta"
    counts = json.loads((folder / ".info.json").read_bytes())["shard_counts"]
    assert counts == {shard.url: shard.nsamples for shard in written.shards}
    assert split_of(written) == {
        "split_parts": {
            "train": ["data/train-000000.tar", "data/train-000001.tar"],
            "val": ["data/val-000000.tar"],
            "test": [],
        },
        "exclude": [],
    }
    described = yaml.safe_load((folder / "dataset.yaml").read_text())
    assert described == {"__module__": "megatron.energon", "__class__": "CrudeWebdataset"}


def test_an_excluded_key_is_named_in_its_shard_alone(dataset, sample):
    # Three samples in the first shard, two in the second, one in the third.
    written = dataset(exclude=[sample(5).key, sample(1).key, sample(3).key])
    assert split_of(written)["exclude"] == [
        f"data/train-000000.tar/{sample(1).key}",
        f"data/train-000001.tar/{sample(3).key}",
        f"data/val-000000.tar/{sample(5).key}",
    ]


def test_an_excluded_key_that_no_shard_has_is_not_named(dataset, sample):
    assert split_of(dataset(exclude=[sample(77).key]))["exclude"] == []


def test_where_a_shard_with_excluded_keys_is_missing_that_is_said(dataset, sample):
    written = dataset(exclude=[sample(1).key])
    (written.root / "data/train-000001.tar").unlink()
    with pytest.raises(ShardError, match=r"train-000001\.tar: missing"):
        energon.energon_split(written)
    nothing = dataclasses.replace(written, exclude=())
    assert "train-000001" in energon.energon_split(nothing)


@pytest.mark.parametrize(
    "name", ["data/a{0,1}.tar", "data/{0..3}.tar", "data/a\\b.tar", "a: b.tar"]
)
def test_others_names_come_out_of_energons_expansion_unchanged(dataset, name):
    written = dataset()
    shards = (dataclasses.replace(written.shards[0], url=name),)
    parts = yaml.safe_load(energon.energon_split(dataclasses.replace(written, shards=shards)))
    assert list(braceexpand.braceexpand(parts["split_parts"]["train"][0])) == [name]
