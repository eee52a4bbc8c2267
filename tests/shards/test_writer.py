import gc
import hashlib
import struct
import tarfile

import pytest
import webdataset

from openm3w.shards import reader
from openm3w.shards.sample import encode_sample
from openm3w.shards.writer import write_shard

URL = "data/train-000000.tar"


def write(root, samples, kind="interleaved"):
    return write_shard(root, URL, samples, kind=kind, split="train")


@pytest.mark.parametrize("kind", ["interleaved", "caption", "text"])
def test_the_same_samples_give_the_same_bytes_elsewhere(tmp_path, sample, kind):
    entries = [write(tmp_path / name, [sample(i, kind) for i in range(4)], kind) for name in "ab"]
    assert entries[0] == entries[1]
    for name in (URL, f"{URL}.idx"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_entry_says_what_the_file_holds(tmp_path, sample):
    samples = [sample(1, num_images=1), sample(2, num_images=3), sample(3, num_images=0)]
    entry = write(tmp_path, samples)
    data = (tmp_path / URL).read_bytes()
    assert (entry.url, entry.split, entry.nsamples) == (URL, "train", 3)
    assert (entry.images, entry.max_images) == (4, 3)
    assert entry.characters == sum(s.document.num_characters for s in samples)
    assert (entry.filesize, entry.sha256) == (len(data), hashlib.sha256(data).hexdigest())


def test_the_index_points_at_each_sample_and_at_the_end(tmp_path, sample):
    samples = [sample(i, num_images=i) for i in range(4)]
    write(tmp_path, samples)
    data = (tmp_path / f"{URL}.idx").read_bytes()
    offsets = struct.unpack("<5Q", data)
    with tarfile.open(tmp_path / URL) as tar:
        starts = [m.offset for m in tar.getmembers() if m.name.endswith(".json")]
    assert list(offsets[:-1]) == starts
    assert offsets[0] == 0
    # At the end stand the two empty blocks that close a tar.
    assert (tmp_path / URL).read_bytes()[offsets[-1] :].strip(b"\0") == b""
    assert offsets == reader.scan_offsets(tmp_path / URL)


def test_members_carry_nothing_of_the_machine(tmp_path, sample):
    write(tmp_path, [sample(1)])
    with tarfile.open(tmp_path / URL) as tar:
        for member in tar:
            assert (member.mtime, member.uid, member.gid) == (0, 0, 0)
            assert (member.uname, member.gname, member.mode) == ("", "", 0o644)
            assert member.pax_headers == {}


def test_an_empty_shard_is_a_valid_tar(tmp_path):
    entry = write(tmp_path, [])
    assert (entry.nsamples, entry.max_images) == (0, 0)
    with tarfile.open(tmp_path / URL) as tar:
        assert tar.getnames() == []


def test_a_failing_source_of_samples_leaves_nothing_behind(tmp_path, sample):
    def samples():
        yield sample(1)
        raise RuntimeError("the pack is gone")

    with pytest.raises(RuntimeError, match="the pack is gone"):
        write(tmp_path, samples())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_key_that_comes_twice_is_refused(tmp_path, sample):
    with pytest.raises(ValueError, match=f"two samples have the key {sample(1).key}"):
        write(tmp_path, [sample(1), sample(2), sample(1)])
    assert not (tmp_path / URL).exists()


# webdataset 0.2 leaves its file objects to the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", ["interleaved", "caption", "text"])
def test_webdataset_reads_and_decodes_every_member(tmp_path, sample, kind):
    samples = [sample(i, kind, num_images=1 + i % 3) for i in range(5)]
    write(tmp_path, samples, kind)
    stream = webdataset.WebDataset(str(tmp_path / URL), shardshuffle=False, empty_check=False)
    read = list(stream.decode("pil"))
    del stream
    gc.collect()
    assert [row["__key__"] for row in read] == [s.key for s in samples]
    for row, written in zip(read, samples, strict=True):
        members = {n.removeprefix(f"{written.key}.") for n, _ in encode_sample(written, kind)}
        assert members == {name for name in row if not name.startswith("__")}
        assert isinstance(row["json"], dict)
        pictures = [value for name, value in row.items() if name.endswith("jpg")]
        assert [picture.size for picture in pictures] == [(64, 48)] * len(written.images)
        if kind != "interleaved":
            assert row["txt"] == "\n\n".join(written.document.texts)
