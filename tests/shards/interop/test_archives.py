import io
import tarfile

import pytest
from foreign_forms import write_tar

from openm3w.errors import InputError
from openm3w.shards.interop import archives
from openm3w.shards.interop.archives import Members, grouped


@pytest.fixture
def tar(tmp_path):
    return write_tar(tmp_path / "a.tar", {"a.json": b"{}", "a.jpg": b"x" * 700, "b.c.jpg": b"y"})


def test_members_are_read_by_name_in_any_order(tar):
    with Members(tar) as members:
        assert list(members) == ["a.json", "a.jpg", "b.c.jpg"]
        assert (members.read("b.c.jpg"), members.read("a.json")) == (b"y", b"{}")
        assert members.read("nothing") is None
        assert "a.jpg" in members
        assert "nothing" not in members


def test_a_folder_has_members_too_sorted_and_without_what_is_hidden(tmp_path):
    for name in ("b.jpg", "a.jpg", ".c.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    with Members(tmp_path) as members:
        assert list(members) == ["a.jpg", "b.jpg"]
        assert members.read("a.jpg") == b"a.jpg"


def test_neighbours_are_grouped_at_the_first_dot_of_the_file_name(tmp_path):
    names = ["x.1/a.JPG", "x.1/a.json", "b.000.jpg", "b.json", "x.1/a.txt"]
    with Members(write_tar(tmp_path / "a.tar", dict.fromkeys(names, b""))) as members:
        assert [(key, list(suffixes)) for key, suffixes in grouped(members)] == [
            ("x.1/a", ["jpg", "json"]),
            ("b", ["000.jpg", "json"]),
            ("x.1/a", ["txt"]),
        ]


def test_links_and_devices_are_no_members(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, kind in [("l.jpg", tarfile.SYMTYPE), ("f.jpg", tarfile.FIFOTYPE)]:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
    with Members(tmp_path / "a.tar") as members:
        assert list(members) == []


def test_names_that_come_again_are_told(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for data in (b"1", b"2"):
            info = tarfile.TarInfo("a.json")
            info.size = 1
            tar.addfile(info, io.BytesIO(data))
    with Members(tmp_path / "a.tar") as members:
        assert (members.read("a.json"), members.repeated) == (b"1", ["a.json"])


def damaged(tar, how):
    data = bytearray(tar.read_bytes())
    if how == "header":
        data[1024 + 150] ^= 1  # of the second member, in its checksum
    elif how == "zeroed":
        data[1024:2048] = bytes(1024)
    elif how == "cut at a member":
        del data[1024:]
    elif how == "cut in a member":
        del data[1800:]
    elif how == "cut in a header":
        del data[1300:]
    else:
        data = bytearray(b"no tar at all" * 100)
    tar.write_bytes(data)
    return tar


@pytest.mark.parametrize(
    "how",
    ["header", "zeroed", "cut at a member", "cut in a member", "cut in a header", "no tar"],
)
def test_no_damage_of_a_tar_is_taken_for_its_end(tar, how):
    with pytest.raises(InputError, match=r"fetch it again|no tar file, or damaged"):
        Members(damaged(tar, how))


@pytest.mark.parametrize(("limit", "found"), [(700, True), (699, False)])
def test_a_member_is_bounded_inclusively(tar, monkeypatch, limit, found):
    monkeypatch.setattr(archives, "MAX_MEMBER", limit)
    with Members(tar) as members:
        assert (members.read("a.jpg") is not None) is found


@pytest.mark.parametrize(("limit", "fits"), [(3, True), (2, False)])
def test_the_number_of_members_is_bounded_inclusively(tar, monkeypatch, limit, fits):
    monkeypatch.setattr(archives, "MAX_MEMBERS", limit)
    if fits:
        Members(tar).__exit__()
    else:
        with pytest.raises(InputError, match="more than 2 members; split it"):
            Members(tar)
