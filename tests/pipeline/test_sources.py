import gzip
import os
from pathlib import Path

import pytest

from openm3w.errors import InputError, NotBuiltError
from openm3w.pipeline.sources import find_sources


def names(*inputs):
    return [source.name for source in find_sources(map(str, inputs)).archives]


def test_a_folder_gives_archives_at_all_depths_by_relative_name_and_skips_the_rest(
    archive, tmp_path
):
    (tmp_path / "deep").mkdir()
    archive.write(tmp_path / "deep" / "b.warc.gz")
    archive.write(tmp_path / "a.warc.gz")
    (tmp_path / "copyright.txt").write_text("words")

    found = find_sources([str(tmp_path)])

    assert [source.name for source in found.archives] == ["a.warc.gz", "deep/b.warc.gz"]
    assert found.skipped == ("copyright.txt",)


def test_units_do_not_depend_on_where_the_folder_is(archive, tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        archive.page("http://a.example/", "<p>")
    for folder in ("x", "y"):
        archive.write(tmp_path / folder / "a.warc.gz")

    (one,), (two,) = (find_sources([str(tmp_path / f)]).archives for f in ("x", "y"))

    assert (one.unit, one.digest) == (two.unit, two.digest)


def test_one_file_named_twice_is_read_once(archive, tmp_path):
    path = archive.page("http://a.example/", "<p>").write(tmp_path / "a.warc.gz")

    assert names(path, path) == ["a.warc.gz"]


def test_two_files_of_one_name_are_told_apart(archive, tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        archive.page("http://a.example/", "<p>").write(tmp_path / folder / "a.warc.gz")

    assert len(set(names(tmp_path / "x" / "a.warc.gz", tmp_path / "y" / "a.warc.gz"))) == 2


def test_a_glob_and_a_list_of_paths_are_expanded(archive, tmp_path):
    archive.page("http://a.example/", "<p>").write(tmp_path / "a.warc.gz")
    listed = tmp_path / "my.warc.paths.gz"
    listed.write_bytes(gzip.compress(b"a.warc.gz\n"))

    assert names(tmp_path / "*.warc.gz") == ["a.warc.gz"]
    assert names(listed) == ["a.warc.gz"]


def test_an_archive_without_an_archive_name_is_found_by_its_first_bytes(archive, tmp_path):
    assert names(archive.page("http://a.example/", "<p>").write(tmp_path / "crawl.bin")) == [
        "crawl.bin"
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.warc.gz", None, "no such file"),
        ("empty.warc.gz", b"", "empty"),
        ("notes.txt", b"words", "not a WARC"),
        ("list.warc.paths", b"absent.warc.gz\n", "not beside it"),
        ("list.warc.paths.gz", b"\x1f\x8bbroken", "cannot be read"),
    ],
)
def test_bad_inputs_are_one_line_that_names_the_file(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(InputError, match=message) as error:
        find_sources([str(tmp_path / name)])

    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_a_link_to_nothing_a_pipe_and_standard_input_are_told_apart(tmp_path):
    (tmp_path / "gone.warc").symlink_to("nowhere.warc")
    os.mkfifo(tmp_path / "pipe.warc")

    for value, words in (
        (tmp_path / "gone.warc", "is a link to nothing"),
        (tmp_path / "pipe.warc", "a pipe or a device is not read"),
        ("-", "standard input is not read"),
    ):
        with pytest.raises(InputError, match=f"^--input {value}: {words}"):
            find_sources([str(value)])


@pytest.mark.parametrize("pattern", ["", "*.warc.gz"])
def test_files_of_a_folder_that_cannot_be_read_cost_themselves(archive, tmp_path, pattern):
    archive.page("http://a.example/", "<p>").write(tmp_path / "a.warc.gz")
    (tmp_path / "b.warc.gz").symlink_to("nowhere")

    found = find_sources([str(tmp_path / pattern)])

    assert [source.name for source in found.archives] == ["a.warc.gz"]
    assert found.unreadable == (f"{tmp_path}/b.warc.gz: is a link to nothing",)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux")
def test_a_file_that_fails_to_be_read_is_told(tmp_path):
    # A file that even root cannot read: there is nothing at the beginning of a process's memory.
    (tmp_path / "mem.warc").symlink_to("/proc/self/mem")

    with pytest.raises(InputError, match=r"; \S+mem.warc: cannot be read: Input/output error"):
        find_sources([str(tmp_path)])


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everywhere")
def test_files_and_folders_without_permission_are_told(archive, tmp_path):
    path = archive.page("http://a.example/", "<p>").write(tmp_path / "a.warc.gz")
    (tmp_path / "b.warc.gz").write_bytes(path.read_bytes())
    for folder in ("closed", "deep"):
        (tmp_path / folder).mkdir()
    (tmp_path / "closed/c.warc").write_bytes(b"WARC/1.0")
    for name, mode in (("b.warc.gz", 0), ("closed", 0o400), ("deep", 0)):
        (tmp_path / name).chmod(mode)

    found = find_sources([str(tmp_path)])

    assert len(found.archives) == 1
    assert sorted(found.unreadable) == [
        f"{tmp_path}/b.warc.gz: cannot be read: Permission denied",
        f"{tmp_path}/closed/c.warc: cannot be read: Permission denied",
        f"{tmp_path}/deep: cannot be read: Permission denied",
    ]
    with pytest.raises(InputError, match="Permission denied"):
        find_sources([str(tmp_path / "b.warc.gz")])


@pytest.mark.parametrize("address", ["s3://b/x.warc.gz", "gs://b/x", "https://a.example/x.warc.gz"])
def test_remote_archives_are_refused_as_not_built(address):
    with pytest.raises(NotBuiltError, match="not built yet"):
        find_sources([address])


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(InputError, match="empty"):
        find_sources([str(tmp_path)])


def test_a_named_file_of_another_kind_is_refused_however_it_is_written(
    archive, tmp_path, monkeypatch
):
    archive.page("http://a.example/", "<p>").write(tmp_path / "a.warc.gz")
    (tmp_path / "notes.txt").write_text("words")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(InputError, match="not a WARC"):
        find_sources(["a.warc.gz", "./notes.txt"])


def test_a_list_may_name_files_by_absolute_paths_which_are_no_part_of_names(archive, tmp_path):
    (tmp_path / "far").mkdir()
    path = archive.page("http://a.example/", "<p>").write(tmp_path / "far" / "a.warc.gz")
    (tmp_path / "warc.paths").write_text(f"{path}\n")

    assert names(tmp_path / "warc.paths") == ["a.warc.gz"]


def test_an_empty_name_is_not_the_current_folder():
    with pytest.raises(InputError, match="an empty name"):
        find_sources([""])


@pytest.mark.parametrize("size", [3, (1 << 20) + 1, (2 << 20) + 1, (3 << 20)])
def test_two_files_of_one_name_are_two_however_alike_they_are(tmp_path, size):
    head, tail = b"WARC/1.0\n" + b"a" * (size - 1), b"b" * size
    for folder, middle in (("x", b"1"), ("y", b"2"), ("z", b"2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.warc").write_bytes(head + middle + tail)

    found = [tmp_path / folder / "a.warc" for folder in "xyz"]

    assert len(set(names(*found))) == 3
    # Which content a name stands for does not depend on the order in which files are named.
    named = [{s.name: s.path.read_bytes() for s in find_sources(map(str, order)).archives}
             for order in (found, found[::-1])]  # fmt: skip
    assert named[0] == named[1]


def test_one_file_behind_two_paths_is_read_once(archive, tmp_path):
    (tmp_path / "x").mkdir()
    path = archive.page("http://a.example/", "<p>").write(tmp_path / "x" / "a.warc.gz")
    (tmp_path / "link.warc.gz").symlink_to(path)

    assert names(path, tmp_path / "x" / ".." / "x" / "a.warc.gz", tmp_path / "link.warc.gz") == [
        "a.warc.gz"
    ]


def test_what_is_hidden_is_not_searched_be_it_file_or_folder(archive, tmp_path):
    archive.page("http://a.example/", "<p>").write(tmp_path / "a.warc.gz")
    for name in (".b.warc.gz", ".git/c.warc.gz", "x/.cache/y/d.warc.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        archive.write(tmp_path / name)

    assert names(tmp_path) == ["a.warc.gz"]
    assert names(tmp_path / ".git") == ["c.warc.gz"]
