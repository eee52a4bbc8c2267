import dataclasses
import io
import tarfile

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


def as_others_wrote(manifest, suffixes):
    """The caption shards of a dataset with images of these suffixes, one for each shard."""
    shards = []
    for shard, suffix in zip(manifest.shards, suffixes, strict=True):
        path = manifest.root / shard.url
        with tarfile.open(path) as tar:
            members = [(member, tar.extractfile(member).read()) for member in tar]
        with tarfile.open(path, "w") as tar:
            for member, data in members:
                member.name = member.name.replace(".jpg", f".{suffix}")
                tar.addfile(member, io.BytesIO(data))
        shards.append(dataclasses.replace(shard, filesize=path.stat().st_size))
    return dataclasses.replace(manifest, keys="foreign", shards=tuple(shards))


@pytest.mark.parametrize(
    ("suffixes", "images"),
    [
        (("webp", "webp", "webp"), ["webp"]),
        (("png", "jpg", "png"), ["jpg", "png"]),
        (("jpeg", "jpeg", "webp"), ["jpeg", "webp"]),
    ],
)
def test_pairs_of_others_have_a_column_for_each_format_of_theirs(dataset, suffixes, images):
    head, _ = front_matter(as_others_wrote(dataset(kind="caption"), suffixes))
    declared = [f["name"] for f in head["dataset_info"]["features"] if f["dtype"] == "image"]
    assert declared == images


def test_a_shard_that_cannot_be_read_says_nothing_of_its_columns(dataset):
    written = as_others_wrote(dataset(kind="caption"), ("webp", "png", "webp"))
    (written.root / written.shards[1].url).unlink()
    assert [f["name"] for f in card.features(written) if f["dtype"] == "image"] == ["webp"]
    for shard in written.shards:
        (written.root / shard.url).unlink(missing_ok=True)
    assert [f["name"] for f in card.features(written) if f["dtype"] == "image"] == ["jpg"]


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


def test_the_card_says_what_is_excluded_and_who_leaves_it_out(dataset, sample):
    _, body = front_matter(dataset("a"))
    assert "excluded" not in body
    _, body = front_matter(dataset("b", exclude=[sample(1).key, sample(4).key]))
    assert "2 samples are excluded" in body
    assert "Megatron-Energon leave them out" in body


def test_the_card_tells_how_no_pickle_is_run(dataset):
    _, body = front_matter(dataset())
    assert body.index('os.environ["WDS_SECURE"] = "1"') < body.index("import webdataset")
