"""Attempts that are killed, that run side by side, and that meet a full disk; each a process."""

import errno
import random
import resource
import subprocess
import sys
import textwrap
from typing import ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from openm3w.errors import OutputError
from openm3w.pipeline.fetch.store.memory import Memory

CHILD = """
import os, signal, sys
from openm3w.pipeline.fetch.store.blobs import Blobs
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.outcomes import Fetched

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def fetched(name):
    return Fetched(url=f"http://site.example/{name}", outcome="fetched", status=200,
                   fetched_at="2026-11-23T05:00:00Z", data=f"picture {name}".encode() * 20)

memory = Memory.open(sys.argv[1])
"""


def child(code, *arguments):
    script = CHILD + textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )


def run_killed(code, *arguments):
    process = child(code, *arguments)
    process.communicate()
    assert process.returncode == -9


UNIT = """
with memory.writing("u") as unit:
    for name in range(5):
        unit.add(fetched(name))
"""
AT_SYNC = """
sync, synced = os.fsync, []
def fsync(file):
    synced.append(file)
    return die() if len(synced) == {} else sync(file)  # marker, pack, rows: each with its folder
os.fsync = fsync
"""
MOMENTS = {
    "in the middle of the pack": """
with memory.writing("u") as unit:
    unit.add(fetched(0))
    unit.add(fetched(1))
    die()
""",
    "before the pack has its name": AT_SYNC.format(3) + UNIT,
    "between bytes and rows": """
put = Blobs.put
Blobs.put = lambda self, name, data: die() if name.startswith("rows/") else put(self, name, data)
"""
    + UNIT,
    "before the rows have their name": AT_SYNC.format(5) + UNIT,
}
"""What a child does before it is killed: nothing of its unit may be seen then."""


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_attempt_is_not_seen_and_the_next_commits(tmp_path, fetches, moment):
    run_killed(MOMENTS[moment], tmp_path)

    memory = Memory.open(str(tmp_path))
    keys = [fetches.key(name) for name in range(5)]
    assert memory.lookup(keys) == {}
    assert memory.stats().urls == 0
    left = list((tmp_path / "packs").iterdir())
    assert len(left) == 1  # the test is about a moment at which bytes were on their way
    assert memory.verify().damaged == ()

    fetches.store(memory, "u", range(5))
    assert memory.lookup(keys).keys() == set(keys)
    verified = memory.verify()
    assert (verified.urls, verified.contents, verified.damaged) == (5, 5, ())
    assert list(verified.orphans) == [path.name for path in left if path.suffix == ".tar"]


MERGE_MOMENTS = {
    "before the run has its list": """
put = Blobs.put
Blobs.put = lambda self, name, data: die() if name.startswith("runs/") else put(self, name, data)
""",
    "before anything is removed": """
Blobs.remove = lambda self, names: die() if list(names) else None
""",
    "while old files are removed": """
remove = Blobs.remove
def some(self, names):
    names = list(names)
    remove(self, names[:2])
    if names:
        die()
Blobs.remove = some
""",
}


@pytest.mark.parametrize("moment", MERGE_MOMENTS)
def test_a_killed_merge_loses_nothing_and_the_next_cleans_up(tmp_path, fetches, moment):
    memory = Memory.open(str(tmp_path))
    for unit in range(4):
        fetches.store(memory, f"u{unit}", range(unit * 5, unit * 5 + 5))
    code = MERGE_MOMENTS[moment] + "\nmemory.compact(min_files=2)"
    run_killed(code, tmp_path)

    keys = {fetches.key(name) for name in range(20)}
    assert memory.lookup(keys).keys() == keys
    assert memory.stats().urls == 20
    assert memory.verify()

    memory.compact(full=True)
    assert fetches.files(memory, "rows") == []
    assert len(fetches.files(memory, "runs")) == 1
    assert memory.lookup(keys).keys() == keys


def test_after_a_kill_at_any_time_all_that_was_committed_is_there(tmp_path, fetches):
    committed = 0
    for lines in (1, 5):
        process = child(
            """
            for number in range(int(sys.argv[2]), 10**6):
                with memory.writing(f"u{number}") as unit:
                    for part in range(3):
                        unit.add(fetched(f"{number}-{part}"))
                print(number, flush=True)
                memory.compact(min_files=3)
            """,
            tmp_path,
            committed,
        )
        for _ in range(lines):
            committed = int(process.stdout.readline()) + 1
        process.kill()
        rest = process.communicate()[0].split()
        committed = int(rest[-1]) + 1 if rest else committed

        memory = Memory.open(str(tmp_path))
        keys = {fetches.key(f"{n}-{part}") for n in range(committed) for part in range(3)}
        found = memory.lookup(keys)
        assert found.keys() == keys
        assert len(list(memory.read_many(found.values()))) == len(keys)
        assert memory.verify()
        half = memory.lookup(fetches.key(f"{committed}-{part}") for part in range(3))
        assert len(half) in (0, 3)
    memory.compact(full=True)
    assert memory.lookup(keys).keys() == keys


def test_processes_that_commit_the_same_units_at_once_do_not_mix(tmp_path, fetches):
    code = """
        for number in range(8):
            with memory.writing(f"u{number}") as unit:
                for name in (f"shared-{number}", f"{sys.argv[2]}-{number}"):
                    unit.add(fetched(name))
        """
    merging = """
        for _ in range(15):
            memory.compact(min_files=2)
        """
    processes = [child(code, tmp_path, "a"), child(code, tmp_path, "b"), child(merging, tmp_path)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0

    memory = Memory.open(str(tmp_path))
    names = [f"{who}-{n}" for who in ("a", "b", "shared") for n in range(8)]
    found = memory.lookup(map(fetches.key, names))
    assert {one.url: data for one, data in memory.read_many(found.values())} == {
        fetches.url(name): fetches(name).data for name in names
    }
    assert memory.stats().urls == len(names)
    assert memory.verify()


@pytest.fixture
def small_files():
    """No file of this process grows beyond 64 kB, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("small_files")
def test_a_disk_that_fills_within_the_pack_leaves_nothing(tmp_path, fetches):
    memory = Memory.open(str(tmp_path))
    with pytest.raises(OutputError, match=r"packs/.*cannot be written.*--store") as told:
        fetches.store(memory, "u", ["a"], data=b"x" * 100_000)
    assert "\n" not in str(told.value)

    assert list((tmp_path / "packs").iterdir()) == []
    assert memory.lookup([fetches.key("a")]) == {}
    fetches.store(memory, "u", ["a"], data=b"x" * 1000)
    assert memory.read(memory.lookup([fetches.key("a")])[fetches.key("a")]) == b"x" * 1000


@pytest.mark.usefixtures("small_files")
def test_a_disk_that_fills_within_the_rows_leaves_no_row(tmp_path, fetches):
    memory = Memory.open(str(tmp_path))
    etags = [random.Random(n).randbytes(500).hex() for n in range(200)]  # that no zstd makes small
    rows = [fetches(n, b"same", etag=etag) for n, etag in enumerate(etags)]
    full = pytest.raises(OutputError, match=r"rows/.*cannot be written.*--store")
    with full, memory.writing("u") as unit:
        for row in rows:
            unit.add(row)

    assert list((tmp_path / "rows").iterdir()) == []
    assert memory.verify().urls == 0


@pytest.mark.usefixtures("small_files")
def test_a_unit_whose_pack_broke_is_not_committed_though_the_error_was_passed_over(
    tmp_path, fetches
):
    memory = Memory.open(str(tmp_path))
    with pytest.raises(OutputError, match="not whole"), memory.writing("u") as unit:  # noqa: PT012
        unit.add(fetches("a", b"1"))
        with pytest.raises(OutputError):
            unit.add(fetches("b", b"x" * 100_000))

    assert memory.lookup([fetches.key("a")]) == {}
    assert list((tmp_path / "packs").iterdir()) == []


class FullFiles(MemoryFileSystem):
    """An object store that refuses the folder of which it is said to be full."""

    protocol = "full"
    store: ClassVar[dict] = {}
    pseudo_dirs: ClassVar[list] = [""]
    full = ""

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        if f"/{FullFiles.full}/" in path:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().pipe_file(path, value, mode, **kwargs)


@pytest.mark.parametrize("folder", ["packs", "rows"])
def test_an_object_store_that_is_full_is_told_in_one_line(fetches, folder):
    fsspec.register_implementation("full", FullFiles, clobber=True)
    memory = Memory.open(f"full://bucket/{folder}-store")
    FullFiles.full = folder
    with pytest.raises(OutputError, match=rf"{folder}/.*No space left.*--store") as told:
        fetches.store(memory, "u", range(3))
    assert "\n" not in str(told.value)

    FullFiles.full = "none"
    assert memory.lookup([fetches.key(1)]) == {}
    fetches.store(memory, "u", range(3))
    assert len(memory.lookup([fetches.key(1)])) == 1
    assert memory.verify()
