import itertools
import os
import random
import threading
import time
from typing import ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from openm3w.errors import OutputError
from openm3w.pipeline.fetch.store import compacting
from openm3w.pipeline.fetch.store.blobs import Blobs
from openm3w.pipeline.fetch.store.compacting import bits_for, to_merge
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.runs import Part, Run, state_of


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of 16 rows with groups of 4, so that few rows make many of both."""
    monkeypatch.setattr(compacting, "PART_ROWS", 16)
    monkeypatch.setattr(compacting, "GROUP_ROWS", 4)


def run(rows, name="r", supersedes=()):
    return Run(name=name, parts=(Part(name="p", rows=rows),), supersedes=frozenset(supersedes))


@pytest.mark.parametrize(
    ("loose", "runs", "chosen"),
    [
        (100, [], []),
        (100, [400], [400]),
        (100, [401], []),
        (100, [400, 2000], [400, 2000]),
        (100, [400, 2001], [400]),
        (0, [5], []),
    ],
)
def test_a_merge_takes_the_runs_that_are_at_most_four_times_as_large(loose, runs, chosen):
    assert [one.rows for one in to_merge(loose, [run(rows) for rows in reversed(runs)])] == chosen


def test_a_full_merge_takes_every_run():
    assert len(to_merge(1, [run(10), run(10_000)], full=True)) == 2


@pytest.mark.parametrize(
    ("rows", "bits"), [(0, 0), (65_536, 0), (65_537, 1), (131_072, 1), (131_073, 2), (10**7, 8)]
)
def test_parts_have_at_most_their_number_of_rows_on_average(rows, bits):
    assert bits_for(rows) == bits


def test_what_a_run_supersedes_does_not_count_also_through_another_run():
    old, new = run(1, "old", ["a"]), run(1, "new", ["old", "b"])

    state = state_of({"a": 1, "b": 1, "c": 1}, [new, old])

    assert list(state.loose) == ["c"]
    assert [one.name for one in state.runs] == ["new"]
    assert (list(state.done_loose), [one.name for one in state.done]) == (["a", "b"], ["old"])


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("seed", range(2))
def test_a_ledger_is_the_same_however_it_is_merged(uri, fetches, seed):
    rng = random.Random(seed)
    memory, expected = Memory.open(uri), {}
    for step in range(16):
        names = rng.sample(range(100), rng.choice([1, 7, 40]))
        second = rng.randrange(60)
        date = f"2026-11-23T05:00:{second:02d}Z"
        unit = f"u{step:02d}"
        fetches.store(memory, unit, names, fetched_at=date, etag=unit)
        for name in names:
            expected[name] = max(expected.get(name, ("", "")), (date, unit))
        if rng.random() < 0.3:
            Memory.open(uri).compact(min_files=rng.choice([1, 3]), full=rng.random() < 0.3)
        if rng.random() < 0.3:
            some = rng.sample(range(100), 20)
            found = memory.lookup(map(fetches.key, some))
            assert {
                n: (found[fetches.key(n)].at, found[fetches.key(n)].etag)
                for n in some
                if n in expected
            } == {n: expected[n] for n in some if n in expected}

    for reader in (memory, Memory.open(uri)):
        found = reader.lookup(map(fetches.key, range(100)))
        assert {key: (one.at, one.etag) for key, one in found.items()} == {
            fetches.key(name): value for name, value in expected.items()
        }
    assert memory.stats().urls == len(expected)
    assert memory.verify()


@pytest.mark.usefixtures("small_parts")
def test_merged_files_take_the_place_of_small_ones(uri, fetches):
    memory = Memory.open(uri)
    for unit in range(10):
        fetches.store(memory, f"u{unit}", range(unit * 10, unit * 10 + 10))

    done = memory.compact(min_files=10)

    assert (done.files_before, done.rows) == (10, 100)
    assert fetches.files(memory, "rows") == []
    parts = fetches.files(memory, "merged")
    assert len(parts) == 8  # 100 rows, in parts of at most 16
    assert done.files_after == len(parts) + len(fetches.files(memory, "runs"))
    assert len(fetches.files(memory, "packs")) == 10
    found = memory.lookup(map(fetches.key, range(100)))
    assert {one.url: data for one, data in memory.read_many(found.values())} == {
        fetches.url(n): fetches(n).data for n in range(100)
    }


def test_too_few_files_are_left_as_they_are(uri, fetches):
    memory = Memory.open(uri)
    for unit in range(3):
        fetches.store(memory, f"u{unit}", [unit])
    before = fetches.files(memory, "rows")

    assert memory.compact(min_files=4).rows == 0
    assert fetches.files(memory, "rows") == before
    assert memory.compact(min_files=3).rows == 3


def test_only_the_latest_row_of_an_address_is_merged(uri, fetches):
    memory = Memory.open(uri)
    for second in (2, 9, 5):
        fetches.store(memory, "u", ["a"], fetched_at=f"2026-11-23T05:00:0{second}Z")

    assert memory.compact(min_files=1).rows == 1
    assert memory.lookup([fetches.key("a")])[fetches.key("a")].at == "2026-11-23T05:00:09Z"


@pytest.mark.parametrize(("full", "left"), [(False, 3), (True, 0)])
def test_more_files_than_are_merged_at_once_are_merged_in_turns(
    uri, fetches, monkeypatch, full, left
):
    monkeypatch.setattr(compacting, "MAX_FILES", 4)
    monkeypatch.setattr("openm3w.pipeline.fetch.store.memory.MAX_FILES", 4)
    memory = Memory.open(uri)
    for unit in range(11):
        fetches.store(memory, f"u{unit}", [unit])

    done = memory.compact(min_files=4, full=full)

    assert (done.files_before, done.rows) == (11, 11 - left)
    assert len(fetches.files(memory, "rows")) == left
    assert len(fetches.files(memory, "runs")) == 1
    assert len(memory.lookup(map(fetches.key, range(11)))) == 11


def test_two_merges_of_the_same_files_lose_nothing(uri, fetches, monkeypatch):
    first, second = Memory.open(uri), Memory.open(uri)
    for unit in range(4):
        fetches.store(first, f"u{unit}", range(unit * 5, unit * 5 + 5))
    put = Blobs.put

    def overtaken(blobs, name, data):
        if name.startswith("runs/"):  # the second has read all and written its parts
            monkeypatch.setattr(Blobs, "put", put)
            first.compact(min_files=1)
        put(blobs, name, data)

    monkeypatch.setattr(Blobs, "put", overtaken)
    second.compact(min_files=1)

    assert len(fetches.files(first, "runs")) == 2
    assert len(first.lookup(map(fetches.key, range(20)))) == 20
    assert first.stats().urls == 20
    first.compact(full=True)
    assert len(fetches.files(first, "runs")) == 1
    assert len(second.lookup(map(fetches.key, range(20)))) == 20
    assert first.verify()


def test_a_merge_that_is_overtaken_while_it_reads_begins_again(uri, fetches, monkeypatch):
    first, second = Memory.open(uri), Memory.open(uri)
    for unit in range(4):
        fetches.store(first, f"u{unit}", range(unit * 5, unit * 5 + 5))
    written = compacting._written

    def overtaken(*args):
        monkeypatch.setattr(compacting, "_written", written)
        first.compact(min_files=1)
        return written(*args)

    monkeypatch.setattr(compacting, "_written", overtaken)
    second.compact(min_files=1)

    assert len(fetches.files(first, "runs")) == 1
    assert len(second.lookup(map(fetches.key, range(20)))) == 20


def test_a_reader_that_is_overtaken_by_a_merge_looks_again(uri, fetches, monkeypatch):
    reader = Memory.open(uri)
    for unit in range(4):
        fetches.store(reader, f"u{unit}", range(unit * 5, unit * 5 + 5))
    reader.lookup([fetches.key(1)])
    find = reader._ledger._find
    states = []

    def overtaken(state, keys):
        states.append(state)
        if len(states) == 1:
            Memory.open(uri).compact(min_files=1)
        return find(state, keys)

    monkeypatch.setattr(reader._ledger, "_find", overtaken)

    assert len(reader.lookup(map(fetches.key, range(20)))) == 20
    assert len(states) == 2


@pytest.mark.usefixtures("small_parts")
def test_readers_writers_and_merges_run_side_by_side(uri, fetches):
    failures, ends = [], threading.Event()

    def guarded(work):
        try:
            work()
        except Exception as error:  # noqa: BLE001 - any would be the defect looked for
            failures.append(error)

    def write(letter):
        memory = Memory.open(uri)
        for unit in range(15):
            fetches.store(memory, f"u{unit}", [f"{letter}{unit}-{n}" for n in range(3)])
            key = fetches.key(f"{letter}{unit}-1")
            assert list(memory.lookup([key])) == [key], "a writer sees what it has committed"

    def merge():
        memory = Memory.open(uri)
        while not ends.is_set():
            memory.compact(min_files=2)
            time.sleep(0.001)

    writers = [threading.Thread(target=guarded, args=[lambda x=x: write(x)]) for x in "ab"]
    mergers = [threading.Thread(target=guarded, args=[merge]) for _ in range(2)]
    for thread in (*mergers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    ends.set()
    for thread in mergers:
        thread.join()

    assert failures == []
    memory = Memory.open(uri)
    keys = {fetches.key(f"{x}{unit}-{n}") for x in "ab" for unit in range(15) for n in range(3)}
    assert memory.lookup(keys).keys() == keys
    assert memory.verify()


class CountedFiles(MemoryFileSystem):
    """An object store that counts what is read of it."""

    protocol = "counted"
    store: ClassVar[dict] = {}
    pseudo_dirs: ClassVar[list] = [""]
    read = 0

    def cat_file(self, path, start=None, end=None, **kwargs):
        data = super().cat_file(path, start, end, **kwargs)
        CountedFiles.read += len(data)
        return data


def test_a_lookup_reads_the_part_of_the_ledger_that_its_keys_are_in(fetches, monkeypatch):
    monkeypatch.setattr(compacting, "PART_ROWS", 1 << 11)
    monkeypatch.setattr(compacting, "GROUP_ROWS", 1 << 8)
    fsspec.register_implementation("counted", CountedFiles, clobber=True)
    memory = Memory.open("counted://bucket/store")
    for unit in range(4):
        fetches.store(
            memory, "u", range(unit * 2000, unit * 2000 + 2000), data=b"", outcome="failed"
        )
    memory.compact(min_files=1)
    total = sum(memory.blobs.names("merged").values())

    CountedFiles.read = 0
    assert len(Memory.open("counted://bucket/store").lookup([fetches.key(7)])) == 1

    assert 0 < CountedFiles.read < total / 5
    CountedFiles.read = 0
    assert Memory.open("counted://bucket/store").lookup([fetches.key("unknown")]) == {}
    assert 0 < CountedFiles.read < total / 5
    CountedFiles.store.clear()


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


FOLDERS = ("rows", "merged", "runs")
DAMAGES = {
    "cut": lambda data: data[: len(data) // 2],
    "emptied": lambda _: b"",
    "flipped": lambda data: flipped(data, len(data) // 2),
    "flipped at its end": lambda data: flipped(data, len(data) - 1),
}


@pytest.mark.parametrize(
    ("folder", "how"),
    [pair for pair in itertools.product(FOLDERS, DAMAGES) if pair != ("merged", "flipped")],
)
def test_a_damaged_ledger_is_never_taken_for_never_fetched(uri, fetches, folder, how):
    memory = Memory.open(uri)
    fetches.store(memory, "u", range(20))
    if folder != "rows":
        memory.compact(min_files=1)
    (name,) = fetches.files(memory, folder)
    memory.blobs.put(f"{folder}/{name}", DAMAGES[how](memory.blobs.read(f"{folder}/{name}")))

    reader = Memory.open(uri)
    with pytest.raises(OutputError, match=rf"{folder}/.*damaged.*mend") as told:
        reader.lookup(map(fetches.key, range(20)))
    assert "\n" not in str(told.value)


def test_a_flipped_bit_of_a_part_is_told_or_changes_nothing(tmp_path, fetches):
    memory = Memory.open(str(tmp_path))
    keys = [fetches.key(n) for n in range(20)]
    fetches.store(memory, "u", range(20))
    memory.compact(min_files=1)
    expected = memory.lookup(keys)
    (path,) = (tmp_path / "merged").iterdir()
    data = path.read_bytes()
    told = 0
    for at in range(0, len(data), 97):
        path.write_bytes(flipped(data, at))
        try:
            assert Memory.open(str(tmp_path)).lookup(keys) == expected
        except OutputError:
            told += 1

    assert told > len(data) / 97 / 2


def test_rows_that_are_whole_and_not_those_of_the_name_are_damage(uri, fetches):
    memory = Memory.open(uri)
    fetches.store(memory, "u", ["a"])
    fetches.store(memory, "v", ["b"])
    first, second = fetches.files(memory, "rows")
    memory.blobs.put(f"rows/{first}", memory.blobs.read(f"rows/{second}"))

    with pytest.raises(OutputError, match=first):
        Memory.open(uri).lookup([fetches.key("a")])


def test_a_missing_part_is_told_and_not_taken_for_never_fetched(uri, fetches):
    memory = Memory.open(uri)
    fetches.store(memory, "u", range(20))
    memory.compact(min_files=1)
    memory.blobs.remove(f"merged/{name}" for name in fetches.files(memory, "merged"))

    with pytest.raises(OutputError, match=r"merged/.*missing.*mend"):
        memory.lookup([fetches.key(1)])


def test_half_written_files_of_killed_attempts_go_a_day_later(tmp_path, fetches):
    memory = Memory.open(str(tmp_path))
    fetches.store(memory, "u", ["a"])
    old, new = tmp_path / "packs/.u.tar.x.tmp", tmp_path / "packs/.v.tar.x.tmp"
    for path, age in ((old, 86_500), (new, 86_000)):
        path.write_bytes(b"x")
        os.utime(path, (time.time() - age,) * 2)

    memory.compact()

    assert (old.exists(), new.exists()) == (False, True)
    assert len(memory.lookup([fetches.key("a")])) == 1


def test_names_of_files_in_the_making_are_not_listed(tmp_path):
    blobs = Blobs.open(str(tmp_path))
    with blobs.writing("rows/a.parquet") as file:
        file.write(b"x")
        file.flush()
        assert blobs.names("rows") == {}

    assert blobs.names("rows") == {"a.parquet": 1}
