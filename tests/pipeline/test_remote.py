import gzip
import importlib
import json
import os
import pickle

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from openm3w.errors import InputError, MissingError, NotBuiltError
from openm3w.pipeline import remote
from openm3w.pipeline.remote import RemoteFile, find, first_bytes
from openm3w.pipeline.sources import Source, find_sources
from openm3w.pipeline.tables import forms
from openm3w.shards import uris


def tables(*inputs):
    return find_sources(inputs, accepts=forms.is_table, remote=forms.is_remote_table, option="")


def names(*inputs):
    return [source.name for source in tables(*inputs).archives]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(uris, "_PAUSES", (0.0, 0.0))


def test_a_file_is_read_from_any_place_and_pickled(memory_files):
    uri = memory_files.put("a.bin", bytes(range(100)))
    (found,) = find(uri, "")

    file = pickle.loads(pickle.dumps(found.file))

    assert (file.name, file.size, first_bytes(file, 4)) == ("a.bin", 100, b"\0\1\2\3")
    with file.open("rb") as one, file.ranged() as other:
        one.seek(90)
        assert other.read(2) == b"\0\1"
        assert one.read() == bytes(range(90, 100))
        assert other.seek(-3, os.SEEK_END) == 97
        assert other.readall() == bytes([97, 98, 99])


@pytest.mark.parametrize("pattern", ["", "/", "/**/*.csv"])
def test_folders_and_patterns_expand(memory_files, pattern):
    for name in ("b.csv", "deep/a.csv", ".hidden/c.csv", ".d.csv", "photo.jpg"):
        memory_files.put(name, b"url,text\n")

    found = tables(memory_files.uri + pattern)

    is_folder = pattern in ("", "/")
    expected = ["b.csv", "deep/a.csv"] if is_folder else ["a.csv", "b.csv"]
    assert [source.name for source in found.archives] == expected
    assert found.skipped == (("photo.jpg",) if is_folder else ())


def test_a_name_with_pattern_characters_is_first_a_name(memory_files):
    memory_files.put("a[1].csv", b"url,text\n")
    memory_files.put("a1.csv", b"url,text\n")

    assert names(f"{memory_files.uri}/a[1].csv") == ["a[1].csv"]


def test_digests_tell_changed_content(memory_files):
    def digest(data):
        (source,) = tables(memory_files.put("a.csv", data)).archives
        return source.digest

    assert digest(b"url,text\n") == digest(b"url,text\n")
    assert len({digest(b"url,text\n"), digest(b"url,test\n"), digest(b"url,text\nx,y\n")}) == 3
    head = remote.HEAD_BYTES
    for size in (1, 2, head, head + 1, 2 * head, 2 * head + 1):
        assert digest(b"a" * size) != digest(b"a" * (size - 1) + b"b")
        assert digest(b"a" * size) != digest(b"b" + b"a" * (size - 1))


class Tagging(MemoryFileSystem):
    """As object stores do it: each file has a tag of its content."""

    protocol = "tagging"
    tag = "one"
    reads = 0

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.removeprefix("tagging:/"))

    def info(self, path, **kwargs):
        return {**super().info(path, **kwargs), "ETag": f'"{self.tag}"'}

    def cat_file(self, path, start=None, end=None, **kwargs):
        type(self).reads += 1
        return super().cat_file(path, start, end, **kwargs)


def test_a_tag_of_the_store_is_taken_for_the_content(memory_files):
    fsspec.register_implementation("tagging", Tagging, clobber=True)
    uri = memory_files.put("a.csv", b"url,text\n").replace("memory://", "tagging://")
    (before,) = find(uri, "")
    digest, Tagging.tag = before.digest(), "two"
    (after,) = find(uri, "")

    assert after.digest() != digest
    assert Tagging.reads == 0


def test_equal_names_elsewhere_are_told_apart_and_the_same_file_is_read_once(memory_files):
    one, two = (memory_files.put(f"{folder}/a.csv", b"url,text\n") for folder in "xy")

    named = [{source.name: source.file for source in tables(*order).archives}
             for order in ((one, two), (two, one))]  # fmt: skip
    assert len(named[0]) == 2
    assert named[0] == named[1]
    assert names(one, one) == ["a.csv"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.csv", "no such file or folder, or the pattern matches nothing"),
        ("*.tsv", "no such file or folder, or the pattern matches nothing"),
        ("empty.csv", "the file is empty"),
        ("notes.txt", r"notes.txt: not a WARC or ARC file \(by name and first bytes\)"),
    ],
)
def test_bad_inputs_elsewhere_are_one_line(memory_files, name, message):
    memory_files.put("empty.csv", b"")
    memory_files.put("notes.txt", b"words")

    with pytest.raises(InputError, match=message) as caught:
        tables(f"{memory_files.uri}/{name}")

    assert "\n" not in str(caught.value)


def test_a_protocol_without_its_package_or_unknown_is_one_line(monkeypatch):
    with pytest.raises(InputError, match="nope://b/x: nothing can be read there"):
        tables("nope://b/x")
    known = importlib.import_module("fsspec.registry").known_implementations
    monkeypatch.setitem(known, "absent", {"class": "no_such.Files", "err": "Install absentfs"})
    with pytest.raises(MissingError, match="absent://b/x: Install absentfs"):
        tables("absent://b/x")


@pytest.mark.parametrize("address", ["s3://b/x.warc.gz", "https://me:pw@a.example/x.warc.gz?k=v"])
def test_archives_elsewhere_are_not_built(address):
    with pytest.raises(NotBuiltError, match="not built yet") as caught:
        find_sources([address])

    assert "pw" not in str(caught.value)
    with pytest.raises(NotBuiltError, match="not built yet"):
        Source(name="x", file=RemoteFile(uri=address, size=1), digest="").path.open()


def test_a_file_on_the_web_is_read_by_ranges(web_files):
    data = b"url,text\n" + b"x" * (3 * remote.BLOCK_BYTES)
    (source,) = tables(web_files.put("a.csv", data) + "?download=true").archives
    web_files.requests.clear()

    with source.file.open("rb") as file:
        file.seek(remote.BLOCK_BYTES)
        assert file.read(10) == b"x" * 10
        file.seek(-5, os.SEEK_END)
        assert file.read() == b"x" * 5

    assert source.name == "a.csv"
    asked = [asked for method, asked in web_files.requests if method == "GET"]
    block, size = remote.BLOCK_BYTES, len(data)
    assert asked == [f"bytes={block}-{2 * block - 1}", f"bytes={size - 5}-{size - 1}"]


def test_bytes_come_as_they_are_stored_whatever_the_server_calls_them(web_files):
    packed = gzip.compress(b"url,text\nhttp://x.org/a,words\n")
    (found,) = find(web_files.put("a.csv.gz", packed), "")
    web_files.encoding = "gzip"

    assert first_bytes(found.file, len(packed)) == packed


@pytest.mark.parametrize(
    ("path", "setting", "message"),
    [
        ("gone.csv", {}, "cannot be read: 404"),
        ("a.csv", {"gives_ranges": False}, "gives no parts of files; download it first"),
        ("a.csv", {"tells_length": False}, "does not say how long it is; download it first"),
        ("*.csv", {}, "not listed over HTTP; name each file"),
        ("folder/", {}, "not listed over HTTP; name each file"),
    ],
)
def test_what_a_server_does_not_give_is_one_line(web_files, path, setting, message):
    web_files.put("a.csv", b"url,text\nhttp://x.org/a,words\n")
    for name, value in setting.items():
        setattr(web_files, name, value)

    with pytest.raises(InputError, match=message) as caught:
        tables(f"{web_files.base}/{path}?key=secret")

    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_that_goes_or_shrinks_while_it_is_read_is_no_damaged_file(memory_files):
    lines = "".join(json.dumps({"text": f"text {n}"}) + "\n" for n in range(10))
    (source,) = tables(memory_files.put("a.jsonl", lines.encode())).archives
    memory_files.put("a.jsonl", lines[:50].encode())

    with pytest.raises(InputError, match=r"came as 50 bytes of .* run the same command again"):
        list(forms.read_table(source.file, ["text"]))
    memory_files.clear()
    with pytest.raises(InputError, match="is not there any more"):
        list(forms.read_table(source.file, ["text"]))


class Versioned(MemoryFileSystem):
    """Takes arguments in the order in which s3fs does, and fsspec's other file systems do not."""

    def cat_file(self, path, version_id=None, start=None, end=None, **options):
        if version_id is not None:
            raise OSError(f"no version {version_id}")
        return super().cat_file(path, start=start, end=end, **options)


def test_a_part_is_the_same_where_arguments_have_another_order(memory_files):
    uri = memory_files.put("a.jsonl", b'{"text": "one"}\n')
    fsspec.register_implementation("memory", Versioned, clobber=True)
    try:
        (found,) = find(uri, "")
        assert found.file.ranged().read(4) == b'{"te'
    finally:
        fsspec.register_implementation("memory", MemoryFileSystem, clobber=True)
