"""Shards of others: keys that are unique in their shard only."""

import dataclasses
import io
import tarfile

import pytest

from openm3w.errors import InputError, ShardError
from openm3w.shards import manifest, reader
from openm3w.shards.editing import edits
from openm3w.shards.editing.cutting import Size
from openm3w.shards.verify import verify
from openm3w.shards.writer import ShardEntry

quiet = {"say": lambda _: None}


def foreign(folder, shards, *, long_name=False):
    """Shards of captions as GNU tar writes them; one list of keys for each."""
    folder.mkdir()
    rows = []
    for at, keys in enumerate(shards):
        path = folder / f"{at:05d}.tar"
        with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
            for key in keys:
                name = "x" * 120 if long_name else key
                for suffix, data in (("jpg", b"\xff\xd8" + key.encode()), ("txt", b"A boat.")):
                    member = tarfile.TarInfo(f"{name}.{suffix}")
                    member.size, member.mtime, member.uname = len(data), 1_700_000_000, "them"
                    tar.addfile(member, io.BytesIO(data))
        rows.append(
            ShardEntry(
                url=path.name,
                split="train",
                nsamples=len(keys),
                filesize=path.stat().st_size,
                sha256=reader.file_sha256(path),
                images=len(keys),
                characters=7 * len(keys),
                max_images=1,
            )
        )
    found = manifest.Manifest(
        name="theirs", kind="caption", shards=tuple(rows), root=folder, keys="foreign"
    )
    manifest.write(found)
    return found


def test_a_merge_leaves_their_keys_and_drops_their_clock(tmp_path):
    one = foreign(tmp_path / "one", [["0001", "0002"], ["0001"]])
    two = foreign(tmp_path / "two", [["0001"]])
    edits.merge([one, two], tmp_path / "out", **quiet)
    (found,) = manifest.load(tmp_path / "out")
    assert found.keys == "foreign"
    assert [list(reader.read_keys(found, shard)) for shard in found.shards] == [
        ["0001", "0002"],
        ["0001"],
        ["0001"],
    ]
    with tarfile.open(found.root / found.shards[0].url) as tar:
        assert next((m.name, m.mtime, m.uname) for m in tar) == ("0001.jpg", 0, "")
    assert reader.read_members_at(found, found.shards[0], 1) == (
        "0002",
        {"jpg": b"\xff\xd80002", "txt": b"A boat."},
    )


def test_keys_that_would_meet_in_one_shard_are_refused(tmp_path):
    one = foreign(tmp_path / "one", [["0001", "0002"], ["0001"]])
    with pytest.raises(InputError, match="these shards are of others"):
        edits.split(one, tmp_path / "out", size=Size(samples=2), group=str, **quiet)
    other = foreign(tmp_path / "other", [["0001", "0002"], ["0003"]])
    edits.split(other, tmp_path / "cut", size=Size(samples=3), group=str, **quiet)
    (found,) = manifest.load(tmp_path / "cut")
    assert list(reader.read_keys(found, found.shards[0])) == ["0001", "0002", "0003"]


def test_what_they_exclude_is_of_their_dataset_only(tmp_path):
    one = dataclasses.replace(foreign(tmp_path / "one", [["0001"], ["0001"]]), exclude=("0001",))
    two = foreign(tmp_path / "two", [["0001", "0002"]])
    edits.merge([one, two], tmp_path / "out", **quiet)
    (found,) = manifest.load(tmp_path / "out")
    assert [list(reader.read_keys(found, shard)) for shard in found.shards] == [["0001", "0002"]]
    assert "does not decode" in verify([found]).faults[0]


def test_a_name_that_our_tars_do_not_take_is_refused(tmp_path):
    one = foreign(tmp_path / "one", [["0001"]], long_name=True)
    with pytest.raises(ShardError, match="longer than a tar header takes"):
        edits.merge([one], tmp_path / "out", **quiet)
