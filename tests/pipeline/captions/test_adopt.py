import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openm3w.errors import InputError, OutputError, ShardError
from openm3w.pipeline.captions.adopt import adopt
from openm3w.shards import manifest
from openm3w.shards.reader import read_sample_at, read_samples


def write_shard(folder, image, *, name="00000", suffix="jpg", count=3, **changes):
    """A shard as img2dataset lays it out; `changes` damage it."""
    folder.mkdir(exist_ok=True)
    members, statuses = [], ["success"] * count + ["failed_to_download"]
    for n in range(count):
        key = f"{name}{n:04d}"
        about = {
            "url": f"http://x.org/{n}.jpg",
            "caption": f"caption {n}",
            "key": key,
            "width": 64,
            "exif": "{}",
        }
        parts = [
            (suffix, image),
            ("txt", f"caption {n}".encode()),
            ("json", json.dumps(about, indent=4).encode()),
        ]
        members += [
            (f"{key}.{part}", data) for part, data in parts if part != changes.get("without")
        ]
    with tarfile.open(folder / f"{name}.tar", "w") as tar:
        for member_name, data in members:
            member = tarfile.TarInfo(member_name)
            member.size, member.mtime = len(data), 1_700_000_000
            tar.addfile(member, io.BytesIO(data))
    stats = {"count": count + 1, "successes": count, "failed_to_download": 1, "failed_to_resize": 0}
    if changes.get("stats", True):
        (folder / f"{name}_stats.json").write_text(
            json.dumps({**stats, **changes.get("stats_say", {})})
        )
    if changes.get("parquet", True):
        rows = statuses[: changes.get("parquet_rows", len(statuses))]
        pq.write_table(pa.table({"status": rows}), folder / f"{name}.parquet")
    return folder


@pytest.fixture
def image(image_bytes):
    return image_bytes(64, 64, "JPEG")


def test_adopted_shards_are_read_as_any_other(tmp_path, image):
    write_shard(tmp_path / "in", image)
    write_shard(tmp_path / "in", image, name="00001", count=2)

    built = adopt(tmp_path / "in", tmp_path / "out", name="mine")

    (found,) = manifest.load(tmp_path / "out")
    assert (found.name, found.kind, found.nsamples, found.images, found.characters) == (
        "mine",
        "caption",
        5,
        5,
        45,
    )
    assert [shard.url for shard in found.shards] == ["../in/00000.tar", "../in/00001.tar"]
    texts = [sample.document.texts[0] for sample in read_samples(found, verify="full")]
    assert texts == ["caption 0", "caption 1", "caption 2", "caption 0", "caption 1"]
    assert read_sample_at(found, found.shards[0], 2).document.images[0].url == "http://x.org/2.jpg"
    assert found.counts["stages"][0]["failed"] == {"failed_to_download": 2}
    assert (tmp_path / "out" / "_SUCCESS").exists()
    assert not built.already_done


def test_the_tars_are_not_touched(tmp_path, image):
    write_shard(tmp_path / "in", image)
    before = (tmp_path / "in" / "00000.tar").read_bytes()

    adopt(tmp_path / "in", tmp_path / "in", name="mine")

    assert (tmp_path / "in" / "00000.tar").read_bytes() == before
    (found,) = manifest.load(tmp_path / "in")
    assert found.shards[0].url == "00000.tar"


@pytest.mark.parametrize(("suffix", "form"), [("png", "PNG"), ("webp", "WEBP")])
def test_png_and_webp_members_are_taken(tmp_path, image_bytes, suffix, form):
    write_shard(tmp_path / "in", image_bytes(64, 64, form), suffix=suffix)

    adopt(tmp_path / "in", tmp_path / "out", name="mine")

    (found,) = manifest.load(tmp_path / "out")
    assert len(list(read_samples(found))) == 3


def test_either_statistics_or_the_table_is_enough(tmp_path, image):
    write_shard(tmp_path / "a", image, parquet=False)
    write_shard(tmp_path / "b", image, stats=False)

    for name in "ab":
        built = adopt(tmp_path / name, tmp_path / f"out-{name}", name=name)
        assert built.manifest.counts["stages"][0]["failed"] == {"failed_to_download": 1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stats_say": {"successes": 4}}, "3 samples, 00000_stats.json says 4: damaged"),
        ({"parquet_rows": 2}, "3 samples, 00000.parquet says 2: damaged"),
        ({"stats": False, "parquet": False}, "neither 00000_stats.json nor 00000.parquet"),
        ({"without": "txt"}, "has no caption"),
        ({"without": "json"}, "no member 000000000.json"),
        ({"without": "jpg"}, "no member 000000000.jpg"),
        ({"suffix": "pyd"}, "unexpected member '000000000.pyd'"),
    ],
)
def test_what_does_not_agree_is_refused_in_one_line(tmp_path, image, changes, message):
    write_shard(tmp_path / "in", image, **changes)

    with pytest.raises(ShardError, match=message) as caught:
        adopt(tmp_path / "in", tmp_path / "out", name="mine")

    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("share", [0.3, 0.6, 0.8])
def test_a_cut_tar_is_refused(tmp_path, image, share):
    path = write_shard(tmp_path / "in", image, count=20) / "00000.tar"
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])

    with pytest.raises(ShardError, match=r"00000\.tar"):
        adopt(tmp_path / "in", tmp_path / "out", name="mine")


def test_half_a_statistics_file_is_refused(tmp_path, image):
    write_shard(tmp_path / "in", image)
    (tmp_path / "in" / "00000_stats.json").write_text('{"count": 4, "succ')

    with pytest.raises(ShardError, match="was not finished"):
        adopt(tmp_path / "in", tmp_path / "out", name="mine")


def test_the_same_again_does_nothing_and_more_shards_are_taken_up(tmp_path, image):
    write_shard(tmp_path / "in", image)
    adopt(tmp_path / "in", tmp_path / "out", name="mine")

    assert adopt(tmp_path / "in", tmp_path / "out", name="mine").already_done

    write_shard(tmp_path / "in", image, name="00001")
    assert adopt(tmp_path / "in", tmp_path / "out", name="mine").manifest.nsamples == 6


def test_folders_of_something_else_are_refused(tmp_path, image):
    write_shard(tmp_path / "in", image)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").write_text("")
    (tmp_path / "in" / "README.md").write_text("mine")

    with pytest.raises(OutputError, match="something else"):
        adopt(tmp_path / "in", tmp_path / "out", name="mine")
    with pytest.raises(OutputError, match=r"has a README\.md already"):
        adopt(tmp_path / "in", tmp_path / "in", name="mine")
    with pytest.raises(InputError, match=r"no \.tar files"):
        adopt(tmp_path / "out", tmp_path / "new", name="mine")
    with pytest.raises(InputError, match="no such folder"):
        adopt(tmp_path / "gone", tmp_path / "new", name="mine")


@pytest.mark.e2e
def test_shards_of_img2dataset_itself_are_adopted(tmp_path, image_bytes):
    import subprocess
    import sys

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            number = int(self.path.strip("/").partition(".")[0])
            self.send_response(200 if number < 3 else 404)
            self.end_headers()
            if number < 3:
                self.wfile.write(image_bytes(300, 200, "JPEG", seed=number))

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    rows = [{"url": f"{base}/{n}.jpg", "caption": f"picture {n}"} for n in range(4)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    # A process of its own, since img2dataset starts others and is full of warnings.
    program = (
        "from img2dataset import download; download("
        f"url_list={str(tmp_path / 't.parquet')!r}, output_folder={str(tmp_path / 'in')!r}, "
        "input_format='parquet', url_col='url', caption_col='caption', "
        "output_format='webdataset', "
        "processes_count=1, thread_count=2, image_size=128, enable_wandb=False)"
    )
    environment = {"NO_ALBUMENTATIONS_UPDATE": "1", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    try:
        subprocess.run(
            [sys.executable, "-c", f"if __name__ == '__main__':\n {program}"],
            check=True,
            env=environment,
            capture_output=True,
            timeout=120,
        )
    finally:
        server.shutdown()
        server.server_close()

    built = adopt(tmp_path / "in", tmp_path / "out", name="mine")

    assert built.manifest.counts["stages"] == [
        {
            "job": "img2dataset",
            "unit": "rows",
            "entered": 4,
            "kept": 3,
            "dropped": {},
            "failed": {"failed_to_download": 1},
        }
    ]
    samples = list(read_samples(built.manifest, verify="full"))
    assert sorted(sample.document.texts[0] for sample in samples) == [
        "picture 0",
        "picture 1",
        "picture 2",
    ]
    assert samples[0].document.images[0].content.original_width == 300
