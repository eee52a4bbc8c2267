import pytest

from openm3w.pipeline.fetch.store import compacting, writing
from openm3w.pipeline.fetch.store.compacting import parquet
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.remembered import (
    Remembered,
    key_of,
    moment,
    moment_of,
    shard_of,
    stale,
)

NOW = 1_795_000_000.0
DAY = 86_400.0


def remembered(outcome="fetched", reason="", at=NOW):
    at = at if isinstance(at, str) else moment(at)
    return Remembered(url_key="k", url="u", outcome=outcome, reason=reason, at=at)


@pytest.mark.parametrize("refetch", ["", "failed"])
def test_what_was_fetched_is_fresh_at_any_age(refetch):
    assert not stale(remembered(at=0.0), refetch, NOW, 1)


@pytest.mark.parametrize(
    ("outcome", "reason", "again"),
    [
        ("fetched", "", False),
        ("failed", "not_found", True),
        ("failed", "connect_timeout", True),
        ("failed", "lost", True),
        ("dropped", "robots_unreachable", True),
        ("dropped", "asked_to_wait", True),
        ("dropped", "robots_disallowed", False),
        ("dropped", "opt_out", False),
        ("dropped", "private_address", False),
    ],
)
def test_failed_means_what_did_not_come_or_could_not_be_asked_then(outcome, reason, again):
    assert stale(remembered(outcome, reason), "failed", NOW, 0) is again
    assert not stale(remembered(outcome, reason), "", NOW, 0)


@pytest.mark.parametrize("outcome", ["fetched", "failed", "dropped"])
@pytest.mark.parametrize(("age", "again"), [(DAY - 1, False), (DAY, False), (DAY + 1, True)])
def test_older_than_begins_after_the_bound(outcome, age, again):
    assert stale(remembered(outcome, at=NOW - age), "older-than", NOW, DAY) is again


@pytest.mark.parametrize("at", ["", "yesterday", "2026-13-01T00:00:00Z"])
def test_what_is_no_date_is_no_moment(at):
    assert moment_of(at) == ""


def test_what_has_no_date_is_older_than_anything():
    assert stale(remembered(at="yesterday"), "older-than", NOW, 1e12)
    assert stale(remembered(at=""), "older-than", NOW, 1e12)


@pytest.mark.parametrize(
    "at", ["2026-11-23T05:12:47Z", "2026-11-23T05:12:47", "2026-11-23T06:12:47+01:00"]
)
def test_a_date_without_a_zone_is_utc(at):
    now = 1_795_410_767.0
    assert moment(now) == moment_of(at) == "2026-11-23T05:12:47Z"

    assert not stale(remembered(at=at), "older-than", now, 0)
    assert stale(remembered(at=at), "older-than", now + 1, 0)


@pytest.mark.parametrize("refetch", ["", "failed", "older-than", "all"])
def test_a_tombstone_is_never_stale(refetch):
    assert not stale(remembered("dropped", "tombstone", at=0.0), refetch, NOW, 1)


def test_all_means_all():
    assert all(stale(remembered(outcome), "all", NOW, DAY) for outcome in ("fetched", "dropped"))


@pytest.mark.parametrize("shards", [1, 3, 256])
def test_shards_are_even_ranges_of_keys(shards):
    urls = sorted((f"http://h/{n}" for n in range(4096)), key=key_of)
    found = [shard_of(url, shards) for url in urls]

    assert found == sorted(found)
    assert set(found) == set(range(shards))


def test_a_key_is_the_beginning_of_a_sha256():
    # printf 'http://a/' | sha256sum
    assert f"{key_of('http://a/'):016x}" == "282a35d7a0da6ae4"


def without_wishes(rows, **options):
    """Files as they were before rows said which files of a site were asked."""
    return parquet(rows.drop_columns(["wishes"]), **options)


def test_rows_of_older_stores_heard_nothing_of_a_site(uri, fetches, monkeypatch):
    memory, names = Memory.open(uri), range(6)
    with monkeypatch.context() as older:
        older.setattr(writing, "parquet", without_wishes)
        older.setattr(compacting, "parquet", without_wishes)
        for name in names[:2]:
            fetches.store(memory, "merged", [name])
        memory.compact(full=True)
        fetches.store(memory, "loose", names[2:4])
    fetches.store(memory, "new", names[4:], wishes=("robots.txt", "ai.txt"))

    def heard():
        memory = Memory.open(uri)
        found = memory.lookup(map(fetches.key, names))
        assert all(memory.read(one) for one in found.values())
        assert memory.verify()
        assert memory.stats().urls == len(names)
        return [found[fetches.key(name)].wishes for name in names]

    expected = [*[()] * 4, *[("robots.txt", "ai.txt")] * 2]
    assert heard() == expected
    (run,) = fetches.files(memory, "runs")
    memory.blobs.put(f"runs/{run}", b"damaged")
    Memory.open(uri).mend()  # which makes files of units of its parts
    assert heard() == expected
    Memory.open(uri).compact(full=True)
    assert heard() == expected
