import dataclasses
import json

import pytest
import yaml

from openm3w.shards import card


def front_matter(manifest):
    _, head, body = card.card(manifest).split("---\n", 2)
    return yaml.safe_load(head), body


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("interleaved", {"json": "json", "000.jpg": "image", "001.jpg": "image"}),
        ("caption", {"json": "json", "jpg": "image", "txt": "string"}),
        ("text", {"json": "json", "txt": "string"}),
    ],
)
def test_the_card_declares_every_column(dataset, kind, expected):
    head, _ = front_matter(dataset(kind=kind))
    declared = {f["name"]: f["dtype"] for f in head["dataset_info"]["features"]}
    assert declared == {**expected, "__key__": "string", "__url__": "string"}


def test_image_slots_go_up_to_the_largest_document_of_all_shards(dataset):
    written = dataset()
    shards = (*written.shards[:-1], dataclasses.replace(written.shards[-1], max_images=12))
    head, _ = front_matter(dataclasses.replace(written, shards=shards))
    images = [f["name"] for f in head["dataset_info"]["features"] if f["dtype"] == "image"]
    assert images == [f"{index:03d}.jpg" for index in range(12)]


def test_the_card_lists_the_files_of_each_split(dataset):
    head, _ = front_matter(dataset())
    (config,) = head["configs"]
    assert config["config_name"] == "default"
    assert config["data_files"] == [
        {"split": "train", "path": ["data/train-000000.tar", "data/train-000001.tar"]},
        {"split": "val", "path": ["data/val-000000.tar"]},
    ]


def test_the_card_says_language_licence_counts_and_how_to_load(dataset):
    written = dataset()
    head, body = front_matter(written)
    assert head["license"] == "other"
    assert head["language"] == ["de", "en"]
    assert f"| all | 3 | 6 | {written.images} |" in body
    assert all(word in body for word in ("webdataset", "load_dataset", "m3w view"))
    assert '"side": 512' in body


@pytest.mark.parametrize("name", ["a: b", '"', "---\nlicense: mit", "x\n# y", "ü `code`"])
def test_no_name_breaks_out_of_its_place(dataset, name):
    written = dataclasses.replace(dataset(), name=name)
    head, body = front_matter(written)
    assert head["pretty_name"] == name
    assert head["license"] == "other"
    assert body.lstrip().startswith("# ")


def test_extras_are_the_same_bytes_in_another_folder(dataset):
    names = [
        "README.md",
        "croissant.json",
        ".nv-meta/.info.json",
        ".nv-meta/split.yaml",
        ".nv-meta/dataset.yaml",
    ]
    one, two = dataset("a"), dataset("elsewhere/b")
    for name in names:
        data = (one.root / name).read_bytes()
        assert data == (two.root / name).read_bytes()
        assert str(one.root).encode() not in data


def test_energon_finds_its_metadata(dataset, sample):
    written = dataset(exclude=[sample(1).key])
    folder = written.root / ".nv-meta"
    counts = json.loads((folder / ".info.json").read_bytes())["shard_counts"]
    assert counts == {shard.url: shard.nsamples for shard in written.shards}
    split = yaml.safe_load((folder / "split.yaml").read_text())
    assert split["split_parts"] == {
        "train": ["data/train-000000.tar", "data/train-000001.tar"],
        "val": ["data/val-000000.tar"],
        "test": [],
    }
    assert f"data/train-000000.tar/{sample(1).key}" in split["exclude"]
    described = yaml.safe_load((folder / "dataset.yaml").read_text())
    assert described == {"__module__": "megatron.energon", "__class__": "CrudeWebdataset"}
