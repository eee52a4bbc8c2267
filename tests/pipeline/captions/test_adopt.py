import hashlib
import io
import json
import os
import tarfile
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openm3w.errors import InputError, OutputError, ShardError
from openm3w.pipeline.captions.adopt import adopt
from openm3w.shards import manifest
from openm3w.shards.locking import only_writer
from openm3w.shards.reader import read_sample_at, read_samples, scan_offsets
from openm3w.shards.verify import verify


def write_shard(folder, image, *, name="00000", suffix="jpg", count=3, **changes):
    """A shard as img2dataset lays it out; `changes` damage it."""
    folder.mkdir(exist_ok=True)
    members, statuses = [], ["success"] * count + ["failed_to_download"]
    for n in changes.get("numbers", range(count)):
        key = changes.get("key", "{name}{n:04d}").format(name=name, n=n)
        about = {
            "url": f"http://x.org/{n}.jpg",
            "caption": f"caption {n}{changes.get('word', '')}",
            "key": key,
            "width": 64,
            "exif": "{}",
        }
        parts = [
            (suffix, image),
            ("txt", about["caption"].encode()),
            ("json", json.dumps(about, indent=4).encode()),
        ]
        members += [
            (f"{key}.{part}", data) for part, data in parts if part != changes.get("without")
        ]
    with tarfile.open(folder / f"{name}.tar", "w") as tar:
        for member_name, data in members:
            member = tarfile.TarInfo(member_name)
            member.size, member.mtime = len(data), changes.get("mtime", 1_700_000_000)
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
    assert found.counts["stages"][1]["failed"] == {"failed_to_download": 2}
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
        assert built.manifest.counts["stages"][1]["failed"] == {"failed_to_download": 1}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stats_say": {"successes": 4}}, "3 samples, 00000_stats.json says 4: damaged"),
        ({"parquet_rows": 2}, "3 samples, 00000.parquet says 2: damaged"),
        ({"stats_say": {"count": "4"}}, "00000_stats.json: does not parse"),
        ({"without": "jpg"}, "no member 000000000.jpg"),
        ({"suffix": "pyd"}, "unexpected member '000000000.pyd'"),
        ({"key": "./{n}"}, r"unexpected member '\./0\.jpg'"),
        ({"key": "same"}, r"two members are named 'same\.jpg'"),
        ({"key": "{n}", "numbers": (0, 1, 0)}, "two samples have the key '0'"),
    ],
)
def test_what_does_not_agree_is_refused_in_one_line_each(tmp_path, image, changes, message):
    write_shard(tmp_path / "in", image, **changes)

    with pytest.raises(ShardError, match=message) as caught:
        adopt(tmp_path / "in", tmp_path / "out", name="mine")

    head, line = str(caught.value).split("\n")
    assert "in: 1 of 1 shards cannot be adopted; mend or remove them, or " in head
    assert line.startswith(f"  {tmp_path / 'in'}")
    assert "; " in line, "what to do"
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

    write_shard(tmp_path / "in", image, name="00001", word=" more")
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


def spoilt(folder, image):
    """Shards of all faults beside two that are whole; their names and what is said of each."""
    write_shard(folder, image, name="00000")
    write_shard(folder, image, name="00001", word=" one")
    cut = write_shard(folder, image, name="00002", word=" two") / "00002.tar"
    cut.write_bytes(cut.read_bytes()[:2000])
    write_shard(folder, image, name="00003", word=" three", stats_say={"successes": 9})
    write_shard(folder, image, name="00004", word=" four", stats=False, parquet=False)
    for suffix in (".tar", ".parquet", "_stats.json"):
        (folder / f"00005{suffix}").write_bytes((folder / f"00001{suffix}").read_bytes())
    write_shard(folder, image, name="00006", word=" one", mtime=5)
    write_shard(folder, image, name="00007", word=" one", key="00001{n:04d}", numbers=(1, 7, 8))
    write_shard(folder, image, name="00008", word=" eight", suffix="npy")
    broken = write_shard(folder, image, name="00009", word=" nine") / "00009.tar"
    data = bytearray(broken.read_bytes())
    data[512 * (-(-len(image) // 512) + 1) + 100] ^= 1  # in the second header
    broken.write_bytes(data)
    return {
        "00002.tar": "member '000020000.jpg' is cut off",
        "00003.tar": "3 samples, 00003_stats.json says 9: damaged",
        "00004.tar": "as beside others of the folder: not finished",
        "00005.tar": "its bytes are those of 00001.tar",
        "00006.tar": "its samples are those of 00001.tar",
        "00007.tar": "1 of its 3 samples are in 00001.tar, too",
        "00008.tar": "unexpected member '000080000.npy'",
        "00009.tar": "a damaged header at byte",
    }


def test_all_shards_that_cannot_be_adopted_are_named_with_what_to_do(tmp_path, image):
    expected = spoilt(tmp_path / "in", image)

    with pytest.raises(ShardError) as caught:
        adopt(tmp_path / "in", tmp_path / "out", name="mine")

    head, *lines = str(caught.value).split("\n")
    assert "8 of 10 shards cannot be adopted" in head
    assert len(lines) == len(expected)
    for line, (name, what) in zip(lines, expected.items(), strict=True):
        assert line.startswith(f"  {tmp_path / 'in' / name}: ")
        assert what in line
        assert "; " in line.partition(what)[2]
    assert not (tmp_path / "out").exists()


def test_they_are_left_out_counted_and_listed_where_that_is_asked_for(tmp_path, image):
    expected = spoilt(tmp_path / "in", image)

    built = adopt(tmp_path / "in", tmp_path / "out", name="mine", skip_damaged=True)

    assert [shard.url for shard in built.manifest.shards] == ["../in/00000.tar", "../in/00001.tar"]
    assert not verify([built.manifest]).faults
    shards, rows = built.manifest.counts["stages"]
    assert (shards["unit"], shards["entered"], shards["kept"]) == ("shards", 10, 2)
    assert shards["dropped"] == {"duplicate": 3}
    assert shards["failed"] == {"damaged": 3, "not_captions": 1, "unfinished": 1}
    assert (rows["entered"], rows["kept"]) == (8, 6)
    notes = json.loads((tmp_path / "out" / "report.json").read_text())["notes"]
    assert len(notes) == len(expected)
    assert all(name in note for name, note in zip(expected, notes, strict=True))
    again = adopt(tmp_path / "in", tmp_path / "out", name="mine", skip_damaged=True)
    assert again.already_done
    for name in expected:
        for path in (tmp_path / "in").glob(f"{name.removesuffix('.tar')}*"):
            path.unlink()
    assert adopt(tmp_path / "in", tmp_path / "out", name="mine").manifest.nsamples == 6


def test_where_all_are_spoilt_nothing_is_adopted(tmp_path, image):
    cut = write_shard(tmp_path / "in", image) / "00000.tar"
    cut.write_bytes(cut.read_bytes()[:2000])

    with pytest.raises(InputError, match=r"1 shards without a single sample.*:\n  .*00000\.tar"):
        adopt(tmp_path / "in", tmp_path / "out", name="mine", skip_damaged=True)


def write_plain(folder, name, members):
    """A shard as webdataset's users write it, with nothing beside it."""
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / name, "w") as tar:
        for member_name, data in members.items():
            member = tarfile.TarInfo(member_name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return folder / name


def plain_members(image, word, keys=("0000", "0001")):
    return {
        name: data
        for key in keys
        for name, data in {
            f"{key}.jpg": image,
            f"{key}.cls": b"3",
            f"{key}.txt": f"{word} {key}".encode(),
        }.items()
    }


def test_plain_shards_whose_numbers_begin_again_are_adopted(tmp_path, image_bytes):
    folder, image = tmp_path / "in", image_bytes(64, 48, "JPEG")
    write_plain(folder, "a.tar", plain_members(image, "a cat"))
    write_plain(folder, "b.tar", plain_members(image, "a dog"))
    about = json.dumps({"caption": "a bird", "source": "mine"}).encode()
    for name, suffix, form in [("c", "png", "PNG"), ("d", "jpeg", "JPEG"), ("e", "webp", "WEBP")]:
        picture = image_bytes(64, 48, form, seed=ord(name))
        write_plain(folder, f"{name}.tar", {f"Bird_1.{suffix}": picture, "Bird_1.json": about})

    built = adopt(folder, tmp_path / "out", name="mine")

    (found,) = manifest.load(tmp_path / "out")
    assert found.keys == "foreign"
    samples = list(read_samples(found, verify="full"))
    texts = ["a cat 0000", "a cat 0001", "a dog 0000", "a dog 0001", *["a bird"] * 3]
    assert [sample.document.texts[0] for sample in samples] == texts
    assert samples[-1].extra == {"source": "mine"}
    assert not verify([found]).faults
    assert built.manifest.counts["stages"][1]["job"] == "webdataset"
    assert read_sample_at(found, found.shards[1], 1).document.texts == ("a dog 0001",)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data, end: data[:end], "the tar has no end: cut off"),
        (lambda data, end: data[: end - 512], "is cut off"),
        (lambda data, end: data[:end] + bytes(512), "the tar has no end: cut off"),
        (lambda data, _end: data + data, "a damaged header at byte"),
        (lambda _data, _end: b"", "the tar is damaged"),
        (lambda _data, _end: b"<html>" * 200, "the tar is damaged"),
    ],
)
def test_a_plain_shard_must_end_as_a_tar_does(tmp_path, image, spoil, message):
    path = write_plain(tmp_path / "in", "a.tar", plain_members(image, "a cat"))
    data = path.read_bytes()
    end = scan_offsets(path)[-1]
    path.write_bytes(data[:end] + bytes(1024))
    assert adopt(tmp_path / "in", tmp_path / "whole", name="mine").manifest.nsamples == 2
    path.write_bytes(spoil(data, end))

    with pytest.raises(ShardError, match=message):
        adopt(tmp_path / "in", tmp_path / "out", name="mine")


GIF = b"GIF89a"
"""What it begins with is all that is looked at."""


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"1.jpg": GIF, "1.json": b"{}"}, r"no caption, neither as 1\.txt nor in 1\.json"),
        ({"1.jpg": GIF, "1.json": b"[1]", "1.txt": b"a"}, "its .json is list"),
        ({"1.jpg": GIF, "1.txt": b"\xff"}, "not a caption sample"),
        ({"1.txt": b"a"}, r"no member 1\.jpg"),
        ({"1.jpg": GIF, "1.txt": b"a", "1.npy": b""}, r"unexpected member '1\.npy'"),
        ({"1.jpg": b"", "1.txt": b"a"}, r"a\.tar: the image of sample '1' has 0 bytes; write"),
        ({"1.png": b"<html>", "1.txt": b"a"}, r"the image of sample '1' begins as none of JPEG, "),
        ({"1.jpg": b"\xff\xd8", "1.txt": b"a"}, "the image of sample '1' begins as none of"),
    ],
)
def test_what_our_readers_cannot_read_is_not_adopted(tmp_path, members, message):
    write_plain(tmp_path / "in", "a.tar", members)

    with pytest.raises(ShardError, match=message):
        adopt(tmp_path / "in", tmp_path / "out", name="mine")


def test_one_at_a_time_adopts_into_a_folder(tmp_path, image):
    write_shard(tmp_path / "in", image)

    for output in (tmp_path / "out", tmp_path / "in"):
        with only_writer(output), pytest.raises(OutputError, match="another build is writing"):
            adopt(tmp_path / "in", output, name="mine")
        assert adopt(tmp_path / "in", output, name="mine").manifest.nsamples == 3
    with pytest.raises(OutputError, match="is inside the dataset"):
        adopt(tmp_path / "in", tmp_path / "out" / "deeper", name="mine")


def test_what_was_checked_before_is_not_read_again(tmp_path, image):
    whole = write_shard(tmp_path / "in", image) / "00000.tar"
    cut = write_shard(tmp_path / "in", image, name="00001", word=" one") / "00001.tar"
    right = cut.read_bytes()
    cut.write_bytes(right[:2000])
    said = []
    with pytest.raises(ShardError, match="1 of 2 shards"):
        adopt(tmp_path / "in", tmp_path / "out", name="mine", say=said.append)
    cut.write_bytes(right)
    # Spoilt in a way that nobody sees without reading: same size, same time.
    stat, data = whole.stat(), whole.read_bytes()
    whole.write_bytes(b"x" * len(data))
    os.utime(whole, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    built = adopt(tmp_path / "in", tmp_path / "out", name="mine", say=said.append)

    assert said == ["1 of 2 shards were checked before"]
    assert built.manifest.shards[0].sha256 == hashlib.sha256(data).hexdigest()
    os.utime(whole, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    with pytest.raises(ShardError, match=r"00000\.tar: the tar is damaged"):
        adopt(tmp_path / "in", tmp_path / "out", name="mine")


def test_shards_without_a_sample_are_told_in_one_line(tmp_path, image):
    write_plain(tmp_path / "in", "a.tar", {})

    with pytest.raises(InputError, match=r"in: no shard has a sample; [^\n]*$"):
        adopt(tmp_path / "in", tmp_path / "out", name="mine")

    assert not (tmp_path / "out").exists()
    write_plain(tmp_path / "in", "b.tar", plain_members(image, "a cat"))
    found = adopt(tmp_path / "in", tmp_path / "out", name="mine").manifest
    assert found.nsamples == 2
    assert found.counts["stages"][0]["dropped"] == {"empty": 1}


def test_nothing_is_written_through_a_link_that_came_with_the_shards(tmp_path, image):
    folder = write_shard(tmp_path / "in", image)
    (tmp_path / "mine").mkdir()
    ours = ["00000.tar.idx", "report.html", "report.json", "_SUCCESS"]
    for name in ours:
        (tmp_path / "mine" / name).write_bytes(b"mine")
        (folder / name).symlink_to(tmp_path / "mine" / name)
    new = ["README.md", "manifest.json"]
    for name in new:
        (folder / name).symlink_to(tmp_path / "mine" / f"new-{name}")
    (tmp_path / "mine" / ".a.tmp").write_bytes(b"mine")
    (folder / "data").symlink_to(tmp_path / "mine")

    adopt(folder, folder, name="mine")

    found = {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()}
    assert found == dict.fromkeys([*ours, ".a.tmp"], b"mine")
    assert not any((folder / name).is_symlink() for name in [*ours, *new])
    assert manifest.load(folder)[0].nsamples == 3


@pytest.fixture
def base():
    """A folder of a user for whom modes hold: root writes anywhere."""
    with tempfile.TemporaryDirectory() as name:
        user = os.geteuid()
        try:
            if user == 0:
                os.chown(name, 65534, -1)
                os.seteuid(65534)
            yield Path(name)
        finally:
            os.seteuid(user)


def test_a_folder_that_cannot_be_written_is_adopted_without_an_index(base, image):
    folder, said = write_shard(base / "in", image), []
    before = sorted(folder.iterdir())
    folder.chmod(0o500)

    built = adopt(folder, base / "out", name="mine", say=said.append)
    again = adopt(folder, base / "out", name="mine", say=said.append)

    (line, _) = said
    assert line.startswith(f"{folder}: cannot be written, so 1 shards have no index; ")
    assert said[1] == "1 of 1 shards were checked before"
    assert again.already_done
    assert sorted(folder.iterdir()) == before
    assert not verify([built.manifest]).faults
    sample = read_sample_at(built.manifest, built.manifest.shards[0], 2)
    assert sample.document.texts == ("caption 2",)
    folder.chmod(0o700)
    adopt(folder, base / "out", name="mine")
    assert (folder / "00000.tar.idx").exists()


@pytest.mark.parametrize("index", [b"", bytes(32)])
def test_an_index_of_another_tar_that_must_stay_is_told(base, image, index):
    folder = write_shard(base / "in", image)
    (folder / "00000.tar.idx").write_bytes(index)
    folder.chmod(0o500)
    try:
        with pytest.raises(ShardError, match=r"tar\.idx: is no index of its tar, .*; remove it"):
            adopt(folder, base / "out", name="mine")
    finally:
        folder.chmod(0o700)

    adopt(folder, base / "out", name="mine")

    assert (folder / "00000.tar.idx").read_bytes() not in (b"", bytes(32))


@pytest.mark.parametrize("name", [".nv-meta", ".lock"])
def test_a_folder_or_lock_that_is_a_link_is_refused(tmp_path, image, name):
    folder = write_shard(tmp_path / "in", image)
    (tmp_path / "mine").mkdir()
    (folder / name).symlink_to(tmp_path / "mine" / ("new" if name == ".lock" else ""))

    with pytest.raises(OutputError, match=rf"{name}: is a link.*; remove it"):
        adopt(folder, folder, name="mine")

    assert not list((tmp_path / "mine").iterdir())
    assert not (folder / "00000.tar.idx").exists()


def test_an_output_may_be_a_link_to_a_folder(tmp_path, image):
    folder = write_shard(tmp_path / "in", image)
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")

    adopt(folder, tmp_path / "out", name="mine")

    assert (tmp_path / "out").is_symlink()
    assert not verify(manifest.load(tmp_path / "disk")).faults


def test_half_an_index_of_a_command_that_was_killed_is_removed(tmp_path, image):
    write_shard(tmp_path / "in", image)
    old, new = (tmp_path / "in" / f".00000.tar.idx.{name}.tmp" for name in "ab")
    for path in (old, new):
        path.write_bytes(b"")
    os.utime(old, (0, 0))

    adopt(tmp_path / "in", tmp_path / "out", name="mine")

    assert not old.exists()
    assert new.exists(), "another command may be writing it"


@pytest.mark.parametrize("lost", ["00000.tar.idx", "hashes"])
def test_what_is_remembered_must_be_whole(tmp_path, image, lost):
    write_shard(tmp_path / "in", image)
    first = adopt(tmp_path / "in", tmp_path / "out", name="mine").manifest
    (path,) = [p for p in tmp_path.rglob("*") if p.name.endswith(lost)]
    before = path.read_bytes()
    path.write_bytes(before[:-8])

    again = adopt(tmp_path / "in", tmp_path / "out", name="mine").manifest

    assert manifest.to_json(again) == manifest.to_json(first)
    assert path.read_bytes() == before


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

    assert built.manifest.counts["stages"][1:] == [
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
