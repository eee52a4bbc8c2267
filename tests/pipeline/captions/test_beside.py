"""Our caption shards and their files beside those that img2dataset makes of the same table."""

import functools
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import threading
import warnings
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image
from tests.conftest import ArchiveBuilder, photograph

from openm3w.pipeline.captions import build as builds
from openm3w.pipeline.captions.adopt import adopt
from openm3w.pipeline.captions.beside import is_published
from openm3w.pipeline.captions.recipe import Captions, load
from openm3w.pipeline.jobs.writing import ShardName, shard_for, shard_of
from openm3w.pipeline.runners import Runner
from openm3w.shards import manifest
from openm3w.shards.reader import read_samples
from openm3w.shards.verify import verify

NUM_GOOD = 12
COLUMNS = ("similarity", "id")


def jpeg(number, size=(300, 200)):
    buffer = io.BytesIO()
    photograph(*size, seed=number).save(buffer, "JPEG")
    return buffer.getvalue()


IMAGES = {
    **{f"{n}.jpg": jpeg(n, (300 + n, 200)) for n in range(NUM_GOOD)},
    "small.jpg": jpeg(50, (40, 40)),
    "cut.jpg": jpeg(51)[:900],
    "blocked.jpg": jpeg(52),
}


@pytest.fixture(scope="module")
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            data = IMAGES.get(self.path.strip("/"))
            self.send_response(404 if data is None else 200)
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture(scope="module")
def table(tmp_path_factory, server):
    names = [*IMAGES, "gone.jpg"]
    rows = pa.table(
        {
            "URL": [f"{server}/{name}" for name in names],
            "TEXT": [f"picture {name}" for name in names],
            "similarity": pa.array(np.linspace(0.2, 0.5, len(names)), pa.float32()),
            "id": pa.array([2**60 + n for n in range(len(names))], pa.int64()),
        }
    )
    path = tmp_path_factory.mktemp("table") / "t.parquet"
    pq.write_table(rows, path)
    return path


@pytest.fixture(scope="module")
def ours(tmp_path_factory, table, server):
    folder = tmp_path_factory.mktemp("ours")
    crawl = ArchiveBuilder()
    for name, data in IMAGES.items():
        crawl.image(f"{server}/{name}", data, content_type="image/jpeg")
    crawl.write(folder / "crawl.warc.gz")
    (folder / "blocked.txt").write_text(hashlib.sha256(IMAGES["blocked.jpg"]).hexdigest())
    return make_ours(folder / "out", table)


def make_ours(output, table, *changes):
    folder = output.parent
    recipe = load(
        overrides=(
            f'images.blocklists=["{folder / "blocked.txt"}"]',
            'captions.columns=["id"]',
            'profile_set=["images.min_crawled_bytes=0"]',
            "shards.samples_per_shard=4",
            "shards.val_share=0.0",
            *changes,
        )
    )
    places = [str(folder / "crawl.warc.gz")]
    plan = builds.make_plan(recipe, [str(table)], output, image_places=places)
    builds.build(plan, Runner(name="local", workers=1), say=lambda _: None)
    return output


@pytest.fixture(scope="module")
def theirs(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("theirs")
    # A process of its own, since img2dataset starts others and is full of warnings.
    options = {
        "url_list": str(table),
        "output_folder": str(folder / "out"),
        "input_format": "parquet",
        "url_col": "URL",
        "caption_col": "TEXT",
        "save_additional_columns": list(COLUMNS),
        "output_format": "webdataset",
        "number_sample_per_shard": 100,
        "resize_mode": "keep_ratio_largest",
        "resize_only_if_bigger": True,
        "min_image_size": 64,
        "processes_count": 1,
        "thread_count": 2,
        "enable_wandb": False,
    }
    program = (
        f"from img2dataset import download\nif __name__ == '__main__':\n download(**{options})"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        env={"NO_ALBUMENTATIONS_UPDATE": "1", "PATH": "/usr/bin:/bin", "HOME": str(folder)},
        capture_output=True,
        timeout=200,
    )
    return folder / "out"


def samples_of(folder):
    """URL -> fields of the JSON, image and caption, of all shards of a folder."""
    found = {}
    for path in sorted(folder.glob("*.tar")):
        members = {}
        with tarfile.open(path) as tar:
            for member in tar:
                key, _, suffix = member.name.partition(".")
                members.setdefault(key, {})[suffix] = tar.extractfile(member).read()
        for parts in members.values():
            about = json.loads(parts["json"])
            found[about["url"]] = (about, parts["jpg"], parts["txt"])
    return found


def rows_of(folder):
    return [
        row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()
    ]


def statistics_of(folder):
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*_stats.json"))]


@pytest.mark.e2e
@pytest.mark.beam
def test_samples_have_the_fields_of_img2dataset_with_its_values(ours, theirs, server):
    mine, real = samples_of(ours / "data"), samples_of(theirs)
    blocked = f"{server}/blocked.jpg"

    assert mine.keys() == real.keys() - {blocked}
    for url, (about, image, caption) in mine.items():
        expected, *rest = real[url]
        assert [image, caption] == rest
        assert list(about)[: len(expected)] == list(expected), "the same names in the same order"
        different = {name for name in expected if about[name] != expected[name]}
        # Keys are ids that do not depend on the order of rows; metadata of files is not kept.
        assert different == {"key", "exif"}
        assert about["exif"] is None
        assert expected["exif"] == "{}"


@pytest.mark.e2e
@pytest.mark.beam
def test_tables_have_its_columns_types_and_rows(ours, theirs, server):
    (real,) = theirs.glob("*.parquet")
    schema = pq.read_schema(real)
    for path in (ours / "data").glob("*.parquet"):
        mine = pq.read_schema(path)
        assert {f.name: f.type for f in mine} == {f.name: f.type for f in schema}
        assert mine.names == schema.names
    by_url = {row["url"]: row for row in rows_of(theirs)}
    del by_url[f"{server}/blocked.jpg"]
    mine = rows_of(ours / "data")

    assert len(mine) == len(by_url)
    for row in mine:
        expected = by_url.pop(row["url"])
        different = {name for name in expected if row[name] != expected[name]}
        assert different <= {"key", "exif", "error_message"}
        assert row["status"] == expected["status"]
    assert {row["error_message"]: row["status"] for row in mine} == {
        None: "success",
        "too_small": "failed_to_resize",
        "undecodable": "failed_to_resize",
        "not_found": "failed_to_download",
    }


@pytest.mark.e2e
@pytest.mark.beam
def test_statistics_have_its_fields_and_no_clock(ours, theirs):
    (real,) = statistics_of(theirs)
    mine = statistics_of(ours / "data")

    assert all(list(each) == list(real) for each in mine)
    names = ("count", "successes", "failed_to_download", "failed_to_resize")
    # The blocked picture is a success of theirs.
    assert [sum(each[name] for each in mine) for name in names] == [15, 12, 1, 2]
    assert [real[name] for name in names] == [16, 13, 1, 2]
    assert {each[name] for each in mine for name in ("duration", "start_time", "end_time")} == {0.0}
    counted = sum((Counter(each["status_dict"]) for each in mine), Counter())
    assert counted == {"success": 12, "too_small": 1, "undecodable": 1, "not_found": 1}


@pytest.mark.beam
def test_every_pair_has_one_row_in_the_table_of_its_shard(ours):
    (built,) = manifest.load(ours)
    stage = next(s for s in built.counts["stages"] if (s["job"], s["unit"]) == ("select", "pairs"))
    rows = rows_of(ours / "data")

    assert len({row["key"] for row in rows}) == len(rows)
    assert len(rows) == stage["entered"] - stage["dropped"]["blocked_sha256"]
    for shard in built.shards:
        path = ours / shard.url
        table = pq.read_table(path.with_suffix(".parquet")).to_pylist()
        keys = [sample.key for sample in read_samples(built) if sample.key]
        with tarfile.open(path) as tar:
            in_tar = list(dict.fromkeys(name.partition(".")[0] for name in tar.getnames()))
        assert [row["key"] for row in table if row["status"] == "success"] == in_tar
        statistics = json.loads(path.with_name(f"{path.stem}_stats.json").read_text())
        assert (statistics["count"], statistics["successes"]) == (len(table), shard.nsamples)
        assert set(in_tar) <= set(keys)
    assert len(built.shards) > 1


@pytest.mark.beam
def test_a_blocked_picture_has_its_address_in_no_published_file(ours):
    for path in ours.rglob("*"):
        if path.is_file() and path.suffix != ".parquet":
            assert b"blocked.jpg" not in path.read_bytes(), path
    assert not any("blocked" in row["url"] for row in rows_of(ours / "data"))
    assert is_published("robots_disallowed")
    assert not is_published("tombstone")
    assert not is_published("blocked_pdq")


@pytest.mark.beam
def test_our_own_readers_do_not_mind_and_a_round_trip_keeps_all(ours, tmp_path):
    before = {path: path.read_bytes() for path in (ours / "data").iterdir()}
    (built,) = manifest.load(ours)
    assert not verify([built]).faults

    adopted = adopt(ours / "data", tmp_path / "adopted", name="again").manifest

    assert list(read_samples(adopted, verify="full")) == list(read_samples(built))
    assert [shard.sha256 for shard in adopted.shards] == [shard.sha256 for shard in built.shards]
    assert not verify([adopted]).faults
    assert {path: path.read_bytes() for path in (ours / "data").iterdir()} == before
    (rows,) = (s for s in adopted.counts["stages"] if s["unit"] == "rows")
    assert (rows["entered"], rows["kept"]) == (15, 12)
    assert rows["failed"] == {"failed_to_download": 1, "failed_to_resize": 2}


@pytest.mark.beam
def test_the_same_input_gives_the_same_files_and_a_lost_one_is_made_again(ours, table):
    before = {path.name: path.read_bytes() for path in (ours / "data").iterdir()}
    (table_path, *_), (_, statistics, *_) = (
        sorted((ours / "data").glob(name)) for name in ("*.parquet", "*.json")
    )
    table_path.unlink()
    statistics.unlink()
    (ours / "_SUCCESS").unlink()

    make_ours(ours, table)

    assert {path.name: path.read_bytes() for path in (ours / "data").iterdir()} == before


@pytest.mark.beam
def test_without_the_option_there_are_none(ours, table, tmp_path):
    for name in ("crawl.warc.gz", "blocked.txt"):
        (tmp_path / name).write_bytes((ours.parent / name).read_bytes())

    output = make_ours(tmp_path / "out", table, "shards.img2dataset_files=false")

    assert {path.suffix for path in (output / "data").iterdir()} == {".tar", ".idx"}
    shards = {path.name: path.read_bytes() for path in (ours / "data").glob("*.tar")}
    assert {path.name: path.read_bytes() for path in (output / "data").glob("*.tar")} == shards


@pytest.mark.beam
def test_webdataset_decodes_them_by_its_own_names(ours):
    shards = sorted(map(str, (ours / "data").glob("*.tar")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of webdataset, on options that it renames
        import webdataset

        dataset = webdataset.WebDataset(shards, shardshuffle=False)
        found = list(dataset.decode("pil").to_tuple("jpg", "txt", "json"))

    assert len(found) == NUM_GOOD
    for picture, caption, about in found:
        assert isinstance(picture, Image.Image)
        assert picture.size == (about["width"], about["height"])
        assert about["caption"] == caption


@pytest.mark.beam
@pytest.mark.torch
def test_wids_reads_the_manifest(ours):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import wids

        dataset = wids.ShardListDataset(str(ours / "manifest.json"))
        found = [dataset[index] for index in range(len(dataset))]

    assert len(found) == NUM_GOOD
    assert {sample[".json"]["caption"] for sample in found} == {
        f"picture {number}.jpg" for number in range(NUM_GOOD)
    }


@pytest.mark.beam
def test_the_card_and_energon_name_the_tars_alone(ours):
    """By HF datasets' rules a card's `data_files` are all that is read of a folder."""
    tars = sorted(path.name for path in (ours / "data").glob("*.tar"))
    card = yaml.safe_load((ours / "README.md").read_text().split("---")[1])
    (config,) = card["configs"]
    assert [path for each in config["data_files"] for path in each["path"]] == [
        f"data/{name}" for name in tars
    ]
    split = yaml.safe_load((ours / ".nv-meta" / "split.yaml").read_text())
    assert split["split_parts"]["train"] == [f"data/{name}" for name in tars]


@pytest.mark.beam
@pytest.mark.torch
def test_clip_retrieval_reads_them(ours):
    shards = sorted(map(str, (ours / "data").glob("*.tar")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of both libraries
        import torch
        from clip_retrieval.clip_inference.reader import WebdatasetReader

        reader = WebdatasetReader(
            sampler=lambda urls: urls,
            preprocess=lambda picture: torch.tensor(picture.size),
            tokenizer=lambda texts: torch.tensor([[len(text) for text in texts]]),
            input_dataset=shards,
            batch_size=5,
            num_prepro_workers=0,
            enable_metadata=True,
        )
        batches = list(reader)

    texts = [text for batch in batches for text in batch["text"]]
    abouts = [json.loads(about) for batch in batches for about in batch["metadata"]]
    assert len(texts) == NUM_GOOD
    assert [about["caption"] for about in abouts] == texts
    assert all(about["similarity"] > 0 for about in abouts)


@pytest.mark.beam
def test_img2datasets_counter_adds_up_our_statistics(ours):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from img2dataset.logger import CappedCounter

    total = CappedCounter()
    for each in statistics_of(ours / "data"):
        total.update(CappedCounter.load(each["status_dict"]))
    assert total.most_common(1) == [("success", 12)]


def test_what_came_to_no_sample_stands_beside_the_next_shard_that_is_written():
    used = [ShardName("train", 1), ShardName("train", 4), ShardName("val", 2)]
    counts = {"train": 12, "val": 6}
    place = functools.partial(shard_for, counts=counts, used=used, seed=0, per_shard=2)
    seen = set()
    for number in range(200):
        doc_id = str(number)
        named = shard_of(doc_id, 0, 6)
        expected = 1 if named <= 1 or named > 4 else 4
        found = place({"doc_id": doc_id, "split": "train"})
        assert found == ShardName("train", expected)
        assert place({"doc_id": doc_id, "split": "val"}) == ShardName("val", 2)
        assert place({"doc_id": doc_id, "split": "test"}) == found
        seen.add(named)
    assert seen == set(range(6))


def test_columns_that_would_hide_a_field_are_refused():
    with pytest.raises(ValueError, match="sha256 would hide"):
        Captions(columns=("id", "sha256"))
