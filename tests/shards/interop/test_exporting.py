import dataclasses
import hashlib
import io
import json

import duckdb
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image as PillowImage

from openm3w.errors import InputError, OutputError, ShardError
from openm3w.shards import manifest, reader
from openm3w.shards.interop import energon
from openm3w.shards.interop.archives import Members
from openm3w.shards.interop.exporting import export_dataset
from openm3w.shards.interop.formats import FORMATS


@pytest.fixture
def there(tmp_path):
    return tmp_path / "there"


def tree(root):
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("name", FORMATS)
def test_the_same_dataset_elsewhere_gives_the_same_bytes(tmp_path, dataset, name):
    form = FORMATS[name]
    for folder in ("a", "b"):
        ours = dataset(f"{folder}/set", kind=form.kinds[0], sizes=[("train", 2), ("val", 1)])
        export_dataset(ours, form, tmp_path / folder / "there")
    assert tree(tmp_path / "a/there") == tree(tmp_path / "b/there")


def test_a_dataset_behind_a_web_server_is_exported_as_one_here(tmp_path, dataset, web_files):
    ours = dataset(sizes=[("train", 2)])
    for path in ours.root.rglob("*"):
        if path.is_file():
            web_files.put(path.relative_to(ours.root).as_posix(), path.read_bytes())
    (there,) = manifest.load(f"{web_files.base}/manifest.json")
    export_dataset(there, FORMATS["datatrove"], tmp_path / "web")
    export_dataset(ours, FORMATS["datatrove"], tmp_path / "here")
    assert tree(tmp_path / "web") == tree(tmp_path / "here")


def test_what_is_excluded_is_left_out_and_counted(there, dataset, sample):
    ours = dataset(exclude=[sample(1).key])
    done = export_dataset(ours, FORMATS["parquet"], there)
    assert (done.stage.kept, done.stage.dropped) == (5, {"excluded": 1})
    rows = pq.read_table(there / "documents/train-000000.parquet").to_pylist()
    # The place in our shard, the excluded one counted, by which it is read again.
    assert [(row["key"], row["number"]) for row in rows] == [(sample(0).key, 0), (sample(2).key, 2)]
    assert json.loads((there / "export.json").read_text())["stages"][0]["kept"] == 5


def test_the_same_again_finds_it_done_and_another_is_refused(there, dataset):
    ours = dataset()
    assert not export_dataset(ours, FORMATS["datatrove"], there).already_done
    before = tree(there)
    again = export_dataset(ours, FORMATS["datatrove"], there)
    assert (again.already_done, again.stage.kept, tree(there)) == (True, 6, before)
    with pytest.raises(OutputError, match="holds another export"):
        export_dataset(ours, FORMATS["datatrove"], there, with_images=False)


def test_a_kind_that_a_format_lacks_is_refused(there, dataset):
    with pytest.raises(InputError, match="holds caption samples, obelics holds interleaved"):
        export_dataset(dataset(kind="caption"), FORMATS["obelics"], there)


def test_nothing_is_left_of_a_dataset_that_is_damaged(there, dataset):
    ours = dataset()
    shard = ours.root / ours.shards[-1].url
    shard.write_bytes(shard.read_bytes()[:-512])
    with pytest.raises(ShardError, match="damaged"):
        export_dataset(ours, FORMATS["obelics"], there)
    assert not there.exists()


def test_a_byte_that_changed_is_not_exported(there, dataset):
    ours = dataset()
    shard = ours.root / ours.shards[0].url
    data = shard.read_bytes()
    assert b"document" in data
    shard.write_bytes(data.replace(b"document", b"document"[::-1], 1))
    with pytest.raises(ShardError, match="sha256"):
        export_dataset(ours, FORMATS["datatrove"], there)
    assert not there.exists()


@pytest.mark.parametrize("name", ["obelics", "mmc4", "mint1t-html"])
def test_images_beside_are_a_choice(there, dataset, name):
    export_dataset(dataset(), FORMATS[name], there, with_images=False)
    assert not (there / "images").exists()


@pytest.mark.parametrize("split", ["../../out", "a/b", "", "{0..3}"])
@pytest.mark.parametrize("name", ["energon", "parquet"])
def test_splits_that_are_no_part_of_a_files_name_are_refused(tmp_path, dataset, name, split):
    ours = dataset(sizes=[("train", 1)])
    shards = (dataclasses.replace(ours.shards[0], split=split),)
    with pytest.raises(ShardError, match="is no name of a split"):
        export_dataset(dataclasses.replace(ours, shards=shards), FORMATS[name], tmp_path / "there")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_formats_without_addresses_keep_their_images(there, dataset):
    with pytest.raises(InputError, match="energon: has no addresses in the place of images"):
        export_dataset(dataset(), FORMATS["energon"], there, with_images=False)


def test_duckdb_answers_by_documents_and_images(there, dataset):
    ours = dataset()
    export_dataset(ours, FORMATS["parquet"], there)
    with duckdb.connect() as base:
        documents, images = (
            f"read_parquet('{there}/{it}/*.parquet')" for it in ("documents", "images")
        )
        (count, pictures, characters), = base.sql(
            f"SELECT count(*), sum(images), sum(characters) FROM {documents}"
        ).fetchall()  # fmt: skip
        assert (count, pictures, characters) == (ours.nsamples, ours.images, ours.characters)
        splits = base.sql(
            f"SELECT split, count(*) FROM {documents} GROUP BY split ORDER BY split"
        ).fetchall()
        assert splits == [("train", 5), ("val", 1)]
        found = base.sql(
            f"SELECT d.key, d.shard, d.number, i.image, i.scores['similarity'] FROM {documents} d "
            f"JOIN {images} i USING (key) WHERE i.scores['similarity'] > 0.205 "
            "AND list_contains(d.opt_out, 'x-robots-tag: noai') ORDER BY d.shard, d.number LIMIT 1"
        ).fetchall()
    ((key, url, number, image, similarity),) = found
    (shard,) = (shard for shard in ours.shards if shard.url == url)
    sample = reader.read_sample_at(ours, shard, number)
    assert sample.key == key
    assert sample.document.images[image].scores["similarity"] == similarity == pytest.approx(0.21)


def test_texts_have_no_table_of_images(there, dataset):
    export_dataset(dataset(kind="text"), FORMATS["parquet"], there)
    assert not (there / "images").exists()
    (row,) = pq.read_table(there / "documents/val-000000.parquet").to_pylist()
    assert row["text"] == "Opening words of document 5."


def test_img2dataset_has_its_tables_and_statistics(there, dataset):
    export_dataset(dataset(kind="caption"), FORMATS["img2dataset"], there)
    with Members(there / "train/00001.tar") as members:
        assert list(members)[:3] == ["000010000.jpg", "000010000.txt", "000010000.json"]
        about = json.loads(members.read("000010000.json"))
    assert (about["key"], about["status"]) == ("000010000", "success")
    table = pq.read_table(there / "train/00001.parquet")
    assert table.schema.names[:4] == ["caption", "url", "key", "status"]
    assert str(table.schema.field("width").type) == "int32"
    assert json.loads((there / "train/00001_stats.json").read_text())["successes"] == 2


def test_nemo_curators_rows_are_of_its_schema(there, dataset, sample):
    export_dataset(dataset(), FORMATS["nemo-curator"], there)
    table = pq.read_table(there / "train-000000.parquet")
    types = {name: str(table.schema.field(name).type) for name in table.schema.names[:8]}
    assert types == {
        "sample_id": "string", "position": "int32", "modality": "string",
        "content_type": "string", "text_content": "string", "binary_content": "large_binary",
        "source_ref": "string", "materialize_error": "string",
    }  # fmt: skip
    rows = [row for row in table.to_pylist() if row["sample_id"] == sample(0).key]
    assert [(row["position"], row["modality"]) for row in rows] == [
        (-1, "metadata"), (0, "text"), (1, "image"), (2, "text"),
    ]  # fmt: skip
    assert rows[2]["binary_content"] == sample(0).images[0]


def test_energons_folder_says_how_it_is_read(there, dataset, sample):
    ours = dataset()
    export_dataset(ours, FORMATS["energon"], there)
    meta = there / ".nv-meta"
    assert yaml.safe_load((meta / "split.yaml").read_text()) == {
        "split_parts": {
            "train": ["train-000000.tar", "train-000001.tar"],
            "val": ["val-000000.tar"],
            "test": [],
        },
        "exclude": [],
    }
    assert json.loads((meta / ".info.json").read_text())["shard_counts"]["train-000000.tar"] == 3
    described = yaml.safe_load((meta / "dataset.yaml").read_text())
    assert described["sample_type"]["__class__"] == "InterleavedSample"
    scope = {}
    exec((meta / "sample_loader.py").read_text(), scope)  # noqa: S102 -- written by us
    with Members(there / "train-000000.tar") as members:
        key = sample(0).key
        raw = {
            "__key__": key,
            "json": json.loads(members.read(f"{key}.json")),
            "000.jpg": "picture",
        }
    made = scope["sample_loader"](raw)
    assert made["sequence"][1] == "picture"
    assert made["sequence"][0] == sample(0).document.texts[0]
    assert scope["part_filter"]("json")
    assert energon.split_of(there / "val-000000.tar") == "val"


def test_the_index_beside_energons_shards_points_at_its_samples(there, dataset):
    export_dataset(dataset(kind="caption"), FORMATS["energon-captioning"], there)
    tar = there / "train-000000.tar"
    assert reader.read_index(tar) == reader.scan_offsets(tar)


def test_mint1ts_tiff_has_a_frame_for_each_image(there, dataset, sample):
    export_dataset(dataset(), FORMATS["mint1t-pdf"], there)
    key = sample(1).key  # which has two
    with Members(there / "train-000000.tar") as members:
        value = json.loads(members.read(f"{key}.json"))
        picture = PillowImage.open(io.BytesIO(members.read(f"{key}.tiff")))
    assert picture.n_frames == 2
    assert [name for name in value["images"] if name] == ["page_0_image_0", "page_0_image_1"]
    assert [entry["width"] for entry in value["image_metadata"]] == [128, 128]
