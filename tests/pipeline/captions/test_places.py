import io
import tarfile
from contextlib import nullcontext

import pytest

from openm3w.errors import InputError
from openm3w.pipeline.captions.places import (
    file_in,
    find_places,
    members,
    reference_key,
    relative_path,
)


def make_tar(path, names):
    with tarfile.open(path, "w") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = 3
            tar.addfile(member, io.BytesIO(b"abc"))
    return path


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("a.jpg", "a.jpg"),
        ("./a/b.jpg", "a/b.jpg"),
        ("a\\b.jpg", "a/b.jpg"),
        ("http://X.org/p/a%20b.jpg?size=2", "x.org/p/a b.jpg"),
        ("", None),
        ("/etc/passwd", None),
        ("../secret.jpg", None),
        ("a/../../secret.jpg", None),
        ("a\0.jpg", None),
        ("http://x.org/../../secret.jpg", None),
        ("http://x.org/%2e%2e/%2e%2e/secret.jpg", None),
        ("http://[1", None),
    ],
)
def test_a_reference_never_leads_out_of_the_folder(reference, path):
    assert relative_path(reference) == path


def test_only_files_that_are_there_are_found(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "d").mkdir()

    assert file_in(tmp_path, "a.jpg") == tmp_path / "a.jpg"
    assert [file_in(tmp_path, name) for name in ("b.jpg", "d", "x" * 5000)] == [None, None, None]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("HTTP://X.org:80/a.jpg#top", "http://x.org/a.jpg"),
        ("./a.jpg", "a.jpg"),
        (" a\\b.jpg", "a/b.jpg"),
    ],
)
def test_spellings_of_one_image_have_one_key(one, other):
    assert reference_key(one) == reference_key(other)


def test_members_are_regular_files_by_clean_names(tmp_path):
    path = make_tar(tmp_path / "x.tar", ["./a.jpg", "d/" + "long" * 40 + ".jpg"])

    names = [member.name for member in members(path)]

    assert names == ["a.jpg", "d/" + "long" * 40 + ".jpg"]


def test_a_tar_that_is_cut_gives_the_members_before_the_cut(tmp_path):
    path = make_tar(tmp_path / "x.tar", ["a.jpg", "b.jpg", "c.jpg"])
    path.write_bytes(path.read_bytes()[: 2 * 1024 + 512 + 1])
    names = []

    with pytest.raises(tarfile.TarError):
        names.extend(member.name for member in members(path))

    assert names == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(
    ("torn", "names", "message"),
    [
        # Two members of two blocks each, then zeros up to 10,240 bytes.
        (lambda tar: tar[:1024] + b"x" * 512 + tar[1536:], ["a.jpg"], "no header at byte 1024"),
        (lambda tar: tar[:2048], ["a.jpg", "b.jpg"], "no mark of its end at byte 2048"),
        (lambda tar: tar[:2048] + b"x" * 100, ["a.jpg", "b.jpg"], "no header at byte 2048"),
        (lambda tar: tar + tar, ["a.jpg", "b.jpg"], "more follows its end at byte 2048"),
        (lambda tar: tar[:2048] + bytes(512), ["a.jpg", "b.jpg"], None),
        (lambda tar: tar, ["a.jpg", "b.jpg"], None),
    ],
)
def test_a_tar_that_does_not_end_as_it_should_is_told(tmp_path, torn, names, message):
    path = make_tar(tmp_path / "x.tar", ["a.jpg", "b.jpg"])
    path.write_bytes(torn(path.read_bytes()))
    expected = pytest.raises(tarfile.TarError, match=message) if message else nullcontext()
    found = []

    with expected:
        found.extend(member.name for member in members(path))

    assert found == names


def test_without_images_the_folders_of_the_tables_are_asked(tmp_path):
    tables = [tmp_path / "a" / "t.jsonl", tmp_path / "b" / "t.jsonl", tmp_path / "a" / "u.jsonl"]

    assert [place.path for place in find_places([], tables)] == [tmp_path / "a", tmp_path / "b"]


@pytest.mark.parametrize(
    "other", [".cache/a.jpg", "out/a.jpg", "out.store/a.jpg", "old.work/a.jpg", "mix/a.jpg"]
)
def test_what_stands_beside_a_table_and_is_none_of_its_pictures_is_not_walked(tmp_path, other):
    def digest():
        own = (tmp_path / "out", tmp_path / "out.store")
        (place,) = find_places([], [tmp_path / "t.csv"], own=own)
        return place.digest

    (tmp_path / "mix").mkdir()
    (tmp_path / "mix" / "manifest.json").write_text("{}")
    before = digest()
    (tmp_path / other).parent.mkdir(exist_ok=True)
    (tmp_path / other).write_bytes(b"1")
    assert digest() == before
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "a.jpg").write_bytes(b"1")
    assert digest() != before


def test_a_build_inside_a_named_folder_is_no_picture_of_its_own(tmp_path):
    own = (tmp_path / "out", tmp_path / "out.work")
    before = find_places([str(tmp_path)], [], own=own)
    for folder in own:
        folder.mkdir()
        (folder / "a.jpg").write_bytes(b"1")
        make_tar(folder / "a.tar", ["a.jpg"])
    assert find_places([str(tmp_path)], [], own=own) == before
    assert find_places([str(tmp_path)], []) != before


def test_where_the_web_is_asked_nobody_looks_what_else_is_beside_a_table(tmp_path):
    tables = [tmp_path / "a" / "t.csv", tmp_path / "b" / "t.csv"]
    before = find_places([], tables, fetching=True)
    for table in tables:
        table.parent.mkdir()
        (table.parent / "cat.jpg").write_bytes(b"1")
    assert find_places([], tables, fetching=True) == before
    assert len({place.unit for place in before}) == 2


def test_a_named_folder_brings_its_tars_and_archives(tmp_path, archive):
    make_tar(tmp_path / "x.tar", ["a.jpg"])
    archive.image("http://x.org/a.png", b"\x89PNG\r\n\x1a\n").write(tmp_path / "y.warc.gz")
    (tmp_path / "notes.txt").write_text("nothing")

    places = find_places([str(tmp_path)], [])

    assert [(place.kind, place.path.name) for place in places] == [
        ("folder", tmp_path.name),
        ("tar", "x.tar"),
        ("archive", "y.warc.gz"),
    ]


def test_a_folders_digest_follows_its_images_and_nothing_else(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"1")
    (before,) = find_places([str(tmp_path)], [])
    (tmp_path / "notes.txt").write_text("new")
    (same,) = find_places([str(tmp_path)], [])
    (tmp_path / "b.JPG").write_bytes(b"1")
    (other,) = find_places([str(tmp_path)], [])

    assert before == same
    assert before.digest != other.digest


@pytest.mark.parametrize(
    ("name", "message"),
    [("x.tar.gz", "unpack it"), ("x.bin", "not a tar or web archive"), ("gone", "no such file")],
)
def test_other_files_are_refused(tmp_path, name, message):
    if name != "gone":
        (tmp_path / name).write_bytes(b"something")

    with pytest.raises(InputError, match=message):
        find_places([str(tmp_path / name)], [])
