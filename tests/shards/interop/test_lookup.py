import json
import os
import resource

import pytest
from foreign_forms import encoded, write_tar

from openm3w.errors import InputError, OutputError
from openm3w.shards.interop import lookup as lookups
from openm3w.shards.interop.lookup import Lookup


@pytest.fixture
def lookup(tmp_path):
    with Lookup(tmp_path / "lookup") as made:
        yield made
    assert not (tmp_path / "lookup").exists()


def test_images_of_folders_are_found_by_file_name_and_by_path(tmp_path, lookup):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/1.jpg").write_bytes(b"one")
    (tmp_path / "a/2.png").write_bytes(b"two")
    (tmp_path / "a/notes.txt").write_bytes(b"none")
    assert lookup.add([tmp_path / "a"]) == 2
    found = {name: lookup.find([name]) for name in ("1.jpg", "b/1.jpg", "2.png", "notes.txt", "1")}
    assert found == {"1.jpg": b"one", "b/1.jpg": b"one", "2.png": b"two", "notes.txt": None,
                     "1": None}  # fmt: skip


def test_images_of_img2dataset_are_found_by_address_and_digest(tmp_path, lookup):
    about = {"url": "https://a.example/i", "sha256": "ab"}
    write_tar(tmp_path / "t/0.tar", {"0.jpg": b"tar", "0.json": json.dumps(about).encode()})
    folder = tmp_path / "f/00000"
    folder.mkdir(parents=True)
    (folder / "1.webp").write_bytes(b"file")
    (folder / "1.json").write_text(json.dumps({"url": "https://b.example/i"}))
    (folder / "2.jpg").write_bytes(b"damaged beside")
    (folder / "2.json").write_text("{")
    assert lookup.add([tmp_path / "t/0.tar", tmp_path / "f"]) == 3
    assert lookup.find(["https://a.example/i"]) == lookup.find(["no", "sha256:ab"]) == b"tar"
    assert lookup.find(["https://b.example/i"]) == b"file"


def test_the_first_image_of_a_name_counts_in_the_order_that_places_are_named(tmp_path, lookup):
    for name in ("b", "a"):
        write_tar(tmp_path / name / "0.tar", {"same.jpg": name.encode()})
    lookup.add([tmp_path / "b", tmp_path / "a"])
    assert lookup.find(["same.jpg"]) == b"b"


def test_images_of_our_own_shards_are_found_by_their_members_names(tmp_path, lookup):
    lookup.add([write_tar(tmp_path / "0.tar", {"k.json": b"{}", "k.000.jpg": encoded()})])
    assert lookup.find(["k.000.jpg"]) == encoded()


@pytest.mark.parametrize("place", ["none", "empty"])
def test_a_place_without_images_is_told(tmp_path, lookup, place):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no such folder|no images in it"):
        lookup.add([tmp_path / place])


@pytest.mark.parametrize(("limit", "length"), [(5, 5), (4, 5), (3, 4)])
def test_no_more_is_read_than_tells_that_an_image_is_too_large(
    tmp_path, lookup, monkeypatch, limit, length
):
    monkeypatch.setattr(lookups, "MAX_BYTES", limit)
    lookup.add([write_tar(tmp_path / "0.tar", {"a.jpg": b"12345"})])
    assert len(lookup.find(["a.jpg"])) == length


def test_names_that_are_no_utf8_are_found(tmp_path, lookup):
    folder = tmp_path / os.fsdecode(b"f\xff")
    folder.mkdir()
    (folder / os.fsdecode(b"\xff.jpg")).write_bytes(b"1")
    lookup.add([folder])
    assert lookup.find([os.fsdecode(b"\xff.jpg")]) == b"1"


def test_ids_are_new_once(lookup):
    assert [lookup.is_new(it) for it in ("a", "b", "a", "\ud800")] == [True, True, False, True]


def fill(lookup):
    for number in range(300_000):  # until its pages leave memory
        lookup.is_new(str(number))


def test_a_full_disk_is_told_in_one_line(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Lookup(tmp_path / "lookup") as lookup:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(OutputError, match=r"cannot be noted: .*; free some space or"):
                fill(lookup)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_takes_no_file_is_told_in_one_line(tmp_path):
    with pytest.raises(OutputError, match="cannot be noted"):
        Lookup(tmp_path / "none/lookup")


def test_links_out_of_a_place_are_not_followed(tmp_path, lookup):
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/1.jpg").write_bytes(b"one")
    (tmp_path / "a/2.jpg").symlink_to("1.jpg")
    lookup.add([tmp_path / "a"])
    assert lookup.find(["2.jpg"]) == b"one"
    (tmp_path / "a/3.jpg").symlink_to("../secret.jpg")
    with pytest.raises(InputError, match=r"3\.jpg: is a link to what is outside"):
        lookup.add([tmp_path / "a"])
