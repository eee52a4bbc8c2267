import pytest

from openm3w.pipeline.fetch.store import compacting
from openm3w.pipeline.fetch.store.blobs import Blobs
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.remembered import stale


def test_an_empty_store_holds_nothing_and_is_whole(uri):
    memory = Memory.open(uri)

    assert memory.stats().urls == memory.stats().packs == 0
    assert memory.verify()
    assert memory.compact(full=True).rows == 0


def test_counts_are_of_the_latest_rows(uri, fetches):
    memory = Memory.open(uri)
    fetches.store(memory, "u", ["a", "b"], data=b"12345")
    fetches.store(memory, "u", ["c"], data=b"", outcome="failed", reason="not_found")
    later = {"fetched_at": "2026-11-24T00:00:00Z", "data": b"", "outcome": "failed"}
    fetches.store(memory, "v", ["b"], reason="connect_timeout", **later)

    for _ in range(2):
        stats = memory.stats()
        assert stats.urls == 3
        assert stats.outcomes == {
            ("failed", "connect_timeout"): 1,
            ("failed", "not_found"): 1,
            ("fetched", ""): 1,
        }
        assert (stats.content_bytes, stats.packs) == (5, 1)
        assert stats.pack_bytes == sum(memory.blobs.names("packs").values())
        assert (stats.loose_files, stats.runs) in [(3, 0), (0, 1)]
        files = [*memory.blobs.names("rows").values(), *memory.blobs.names("merged").values()]
        assert stats.row_bytes == sum(files) > 0
        memory.compact(min_files=1)


def test_a_pack_that_no_row_names_is_an_orphan(uri, fetches):
    memory = Memory.open(uri)
    fetches.store(memory, "u", ["a"])
    memory.blobs.put("packs/v.0.tar", b"x" * 7)

    verified = memory.verify()

    assert verified
    assert verified.orphans == {"v.0.tar": 7}


@pytest.fixture
def damaged(uri, fetches, monkeypatch):
    """Six units of five; `damaged(folder)` overwrites the first file of a folder."""
    monkeypatch.setattr(compacting, "PART_ROWS", 8)
    memory = Memory.open(uri)
    for unit in range(6):
        fetches.store(memory, f"u{unit}", range(unit * 5, unit * 5 + 5))

    def damage(folder):
        if folder not in ("rows", "packs"):
            memory.compact(min_files=1)
        name = f"{folder}/{fetches.files(memory, folder)[0]}"
        data = memory.blobs.read(name)
        memory.blobs.put(name, b"\0" * len(data))
        return name

    return damage


@pytest.mark.parametrize("folder", ["rows", "merged", "runs"])
def test_a_damaged_file_of_rows_is_named_and_mended_by_forgetting_it(uri, fetches, damaged, folder):
    name = damaged(folder)
    keys = {fetches.key(n) for n in range(30)}
    memory = Memory.open(uri)
    verified = memory.verify()
    (line,) = verified.damaged
    assert f"{name}: damaged" in line
    assert verified.urls < 30

    mended = memory.mend()

    assert mended.files == (name,)
    assert mended.contents == 0
    for reader in (memory, Memory.open(uri)):
        assert reader.verify()
        found = reader.lookup(keys)
        expected = {"rows": {25}, "merged": set(range(1, 30)), "runs": {30}}[folder]
        assert len(found) in expected
        assert len(list(reader.read_many(found.values()))) == len(found)
    fetches.store(memory, "again", range(30), fetched_at="2026-11-24T00:00:00Z")
    memory.compact(full=True)
    assert memory.lookup(keys).keys() == keys
    assert memory.verify()
    assert memory.mend().files == ()


def test_a_missing_part_is_named_and_mended(uri, fetches, damaged):
    name = damaged("merged")
    memory = Memory.open(uri)
    memory.blobs.remove([name])

    (line,) = memory.verify().damaged
    assert "missing" in line
    assert memory.mend().files == (name,)
    assert 0 < len(memory.lookup(fetches.key(n) for n in range(30))) < 30
    assert memory.verify()


def test_lost_bytes_are_fetched_again_with_what_failed(uri, fetches, damaged):
    damaged("packs")
    memory = Memory.open(uri, clock=lambda: 0.0)  # long before the fetches
    keys = [fetches.key(n) for n in range(30)]
    verified = memory.verify()
    assert (verified.urls, verified.contents, len(verified.damaged)) == (30, 25, 5)

    assert memory.mend().contents == 5

    found = memory.lookup(keys)
    assert sum((one.outcome, one.reason) == ("failed", "lost") for one in found.values()) == 5
    again = [key for key in keys if stale(found[key], "failed", 0.0, 0.0)]
    assert len(again) == 5
    assert memory.verify()
    assert memory.mend().contents == 0
    later = "2026-11-24T00:00:00Z"
    fetches.store(memory, "again", [key.rpartition("/")[2] for key in again], fetched_at=later)
    assert len(list(memory.read_many(memory.lookup(keys).values()))) == 30


def test_mending_that_was_killed_before_it_removed_the_old_list_keeps_the_parts(
    uri, fetches, damaged, monkeypatch
):
    damaged("merged")
    memory = Memory.open(uri)
    remove = Blobs.remove
    with monkeypatch.context() as patched:
        patched.setattr(Blobs, "remove", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            memory.mend()
    assert Blobs.remove is remove
    assert len(fetches.files(memory, "runs")) == 2
    keys = [fetches.key(n) for n in range(30)]
    found = len(memory.lookup(keys))
    assert 0 < found < 30

    fetches.store(memory, "u", ["other"])
    memory.compact(min_files=1)

    assert len(memory.lookup(keys)) == found
    assert memory.verify()


def test_a_place_that_was_mended_is_not_used_again_by_who_wrote_it(uri, fetches):
    memory = Memory.open(uri)
    fetches.store(memory, "u", ["a"])
    (pack,) = fetches.files(memory, "packs")
    memory.blobs.remove([f"packs/{pack}"])
    assert memory.mend().contents == 1

    fetches.store(memory, "again", ["a"], fetched_at="2027-11-24T00:00:00Z")

    assert memory.read(memory.lookup([fetches.key("a")])[fetches.key("a")]) == fetches("a").data
