import asyncio
import contextlib
import os
import pickle
import sys
import types
import uuid
from typing import ClassVar

import fsspec
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from openm3w.errors import OutputError
from openm3w.pipeline.fetch.store import blobs as blobs_module
from openm3w.pipeline.fetch.store.blobs import Blobs
from openm3w.pipeline.fetch.store.memory import Memory


def test_a_file_appears_when_its_block_ends_and_not_where_it_fails(uri):
    blobs = Blobs.open(uri)
    with blobs.writing("rows/a") as file:
        file.write(b"12345")
        assert blobs.names("rows") == {}
    with pytest.raises(RuntimeError), blobs.writing("rows/b") as file:  # noqa: PT012
        file.write(b"12345")
        raise RuntimeError

    assert blobs.names("rows") == {"a": 5}
    assert blobs.read("rows/a") == b"12345"


def test_files_above_and_below_the_size_of_one_request_arrive_whole(uri, monkeypatch):
    monkeypatch.setattr(blobs_module, "_ONE_PUT", 10)
    blobs = Blobs.open(uri)
    for size in (0, 10, 11, 5000):
        blobs.put(f"rows/{size}", b"x" * size)

    assert blobs.names("rows") == {str(size): size for size in (0, 10, 11, 5000)}


def test_ranges_come_in_the_order_asked_and_end_where_the_file_does(uri):
    blobs = Blobs.open(uri)
    blobs.put("a", b"0123456789")
    blobs.put("b", b"abc")

    ranges = [("b", 1, 2), ("a", 8, 20), ("a", 0, None), ("a", 20, 30)]
    assert blobs.read_ranges(ranges) == [b"b", b"89", b"0123456789", b""]


def test_a_missing_file_and_folder_are_not_there(uri):
    blobs = Blobs.open(uri)

    assert blobs.names("rows") == {}
    with pytest.raises(FileNotFoundError, match="rows/a"):
        blobs.read("rows/a")
    blobs.remove(["rows/a"])


def test_folders_and_files_below_them_are_not_listed(uri):
    blobs = Blobs.open(uri)
    blobs.put("rows/a", b"")
    blobs.put("rows/deeper/b", b"")

    assert list(blobs.names("rows")) == ["a"]


def test_parquet_is_read_by_several_readers_at_once(uri):
    blobs = Blobs.open(uri)
    table = __import__("pyarrow").table({"n": list(range(10_000))})
    with blobs.writing("a.parquet") as file:
        pq.write_table(table, file, row_group_size=100)
    size = blobs.names("")["a.parquet"]

    files = [pq.ParquetFile(blobs.source("a.parquet", size)) for _ in range(2)]
    read = [[file.read_row_group(g).column("n")[0].as_py() for file in files] for g in range(100)]

    assert read == [[g * 100, g * 100] for g in range(100)]


def test_a_folder_is_found_from_another_working_folder(tmp_path, monkeypatch, fetches):
    monkeypatch.chdir(tmp_path)
    memory = Memory.open("store")
    fetches.store(memory, "u", ["a"])
    parcel = pickle.dumps(memory)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    assert len(pickle.loads(parcel).lookup([fetches.key("a")])) == 1


def test_a_store_serves_within_a_running_event_loop(uri, fetches):
    async def work():
        memory = Memory.open(uri)
        fetches.store(memory, "u", ["a"])
        return memory.read(memory.lookup([fetches.key("a")])[fetches.key("a")])

    assert asyncio.run(work()) == fetches("a").data


class ClientError(Exception):
    """As botocore's: no OSError, and of several lines."""


class ClosedFiles(MemoryFileSystem):
    """An object store whose client raises errors of its own."""

    protocol = "closed"
    store: ClassVar[dict] = {}
    pseudo_dirs: ClassVar[list] = [""]

    def _refuse(self, *_, **__):
        raise ClientError("Unable to locate\n  credentials")

    ls = pipe_file = cat_file = rm_file = _refuse


def test_errors_of_a_client_are_told_in_one_line(monkeypatch):
    client = types.ModuleType("botocore.exceptions")
    client.ClientError = client.BotoCoreError = ClientError
    monkeypatch.setitem(sys.modules, "botocore.exceptions", client)
    fsspec.register_implementation("closed", ClosedFiles, clobber=True)
    blobs = Blobs.open("closed://bucket/store")

    for work in (
        lambda: blobs.names("rows"),
        lambda: blobs.read("rows/a"),
        lambda: blobs.put("rows/a", b""),
        lambda: blobs.remove(["rows/a"]),
    ):
        with pytest.raises(OutputError, match=r"closed://bucket/store/rows.*locate cred") as told:
            work()
        assert "\n" not in str(told.value)


def test_a_file_that_goes_while_it_is_listed_hides_no_other(tmp_path, monkeypatch):
    blobs = Blobs.open(str(tmp_path))
    for name in "abc":
        blobs.put(f"rows/{name}", b"")
    scan = os.scandir

    @contextlib.contextmanager
    def slow(path):
        with scan(path) as entries:
            found = list(entries)
        (tmp_path / "rows/b").unlink(missing_ok=True)
        yield iter(found)

    monkeypatch.setattr(blobs_module.os, "scandir", slow)

    assert sorted(blobs.names("rows")) == ["a", "c"]


class RacingFiles(MemoryFileSystem):
    """As `memory://` where a file goes while it is listed: it is looked up and not there."""

    protocol = "racing"
    store: ClassVar[dict] = {}
    pseudo_dirs: ClassVar[list] = [""]
    lists = 0

    def ls(self, path, detail=True, **kwargs):  # noqa: FBT002 - as fsspec has it
        RacingFiles.lists += 1
        if RacingFiles.lists == 1:
            raise KeyError("/bucket/rows/b")
        return super().ls(path, detail, **kwargs)


def test_a_list_that_a_removal_broke_is_made_again():
    fsspec.register_implementation("racing", RacingFiles, clobber=True)
    blobs = Blobs.open("racing://bucket")
    blobs.put("rows/a", b"")

    assert list(blobs.names("rows")) == ["a"]
    assert RacingFiles.lists == 2


def test_a_client_that_works_asynchronously_serves_a_whole_store(fetches):
    """As those of S3, Google and Azure do; they share fsspec's AsyncFileSystem."""
    wrapper = pytest.importorskip("fsspec.implementations.asyn_wrapper")
    root = f"/{uuid.uuid4().hex}"
    files = wrapper.AsyncFileSystemWrapper(fsspec.filesystem("memory"), asynchronous=False)
    memory = Memory(Blobs(f"cloud:/{root}", files, root, local=False))
    for unit in range(3):
        fetches.store(memory, f"u{unit}", range(unit * 5, unit * 5 + 5))
    memory.compact(min_files=2)
    fetches.store(memory, "last", [15])

    found = memory.lookup(map(fetches.key, range(16)))

    assert {one.url: data for one, data in memory.read_many(found.values())} == {
        fetches.url(n): fetches(n).data for n in range(16)
    }
    assert memory.verify()
    memory.blobs.remove(f"packs/{name}" for name in fetches.files(memory, "packs")[:1])
    with pytest.raises(OutputError, match="missing"):
        list(memory.read_many(found.values()))
    fsspec.filesystem("memory").rm(root, recursive=True)


@pytest.mark.parametrize("spelling", ["{}/deep", "{}/deep/", "deep", "./deep/", "file://{}/deep"])
def test_a_folder_is_one_store_in_every_spelling(tmp_path, monkeypatch, spelling):
    monkeypatch.chdir(tmp_path)
    blobs = Blobs.open(spelling.format(tmp_path))
    assert blobs.uri == str(tmp_path / "deep")
    blobs.put("a", b"123")
    assert (tmp_path / "deep/a").read_bytes() == blobs.read("a") == b"123"
    blobs.remove(["a", "b"])
    assert list((tmp_path / "deep").iterdir()) == []
