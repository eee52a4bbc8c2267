import dataclasses
import hashlib
import io
import pickle
import tarfile
from pathlib import Path

import pytest

from openm3w.errors import InputError, MissingError, OutputError
from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.remembered import Remembered


def test_every_field_and_the_bytes_come_back_to_another_reader(uri, fetches):
    full = fetches(
        "a",
        b"\xff\xd8 picture",
        final_url="https://cdn.example/a",
        redirects=1,
        attempts=2,
        seconds=0.125,
        content_type="image/jpeg",
        etag='"x"',
        last_modified="Sat, 01 Nov 2025 00:00:00 GMT",
        signals=("x-robots-tag: noai", "content-usage: train-ai=n"),
    )
    with Memory.open(uri).writing("u") as unit:
        unit.add(full)

    memory = Memory.open(uri)
    found = memory.lookup([fetches.key("a"), fetches.key("b")])

    assert list(found) == [fetches.key("a")]
    one = found[fetches.key("a")]
    assert {name: getattr(one, name) for name in fetches.facts(full)} == fetches.facts(full)
    assert one.sha256 == hashlib.sha256(full.data).hexdigest()
    assert (one.length, one.at) == (len(full.data), full.fetched_at)
    assert memory.read(one) == full.data


def test_what_is_remembered_has_every_field_of_what_was_fetched():
    ours = {field.name for field in dataclasses.fields(Remembered)}

    assert {field.name for field in dataclasses.fields(Fetched)} - ours == {"data"}


def test_failures_are_remembered_without_bytes(uri, fetches):
    memory = Memory.open(uri)
    gone = fetches("a", b"", outcome="failed", reason="not_found", status=404)
    fetches.store(memory, "u", ["a"], data=b"", outcome="failed", reason="not_found", status=404)

    one = memory.lookup([fetches.key("a")])[fetches.key("a")]

    assert {name: getattr(one, name) for name in fetches.facts(gone)} == fetches.facts(gone)
    assert (one.sha256, one.pack, one.length) == ("", "", 0)
    assert fetches.files(memory, "packs") == []
    with pytest.raises(KeyError, match="not_found"):
        memory.read(one)


def test_spellings_of_one_address_are_one(uri):
    memory = Memory.open(uri)
    with memory.writing("u") as unit:
        unit.add(Fetched(url="HTTP://Site.Example:80/a#top", outcome="fetched", data=b"x"))

    (one,) = memory.lookup(["http://site.example/a"]).values()

    assert (one.url_key, one.url) == ("http://site.example/a", "HTTP://Site.Example:80/a#top")


def test_text_that_is_no_unicode_is_escaped_and_found_again(uri):
    memory = Memory.open(uri)
    with memory.writing("u") as unit:
        unit.add(Fetched(url="odd:\udc80", outcome="failed", reason="bad_url", etag="\udcff"))

    assert memory.lookup(["odd:\udc80"])["odd:\udc80"].etag == "\\udcff"


def test_a_unit_is_one_pack_with_each_content_once_and_one_file_of_rows(uri, fetches):
    memory = Memory.open(uri)
    with memory.writing("u") as unit:
        for number in range(6):
            unit.add(fetches(number, b"same" if number % 2 else None))

    assert len(fetches.files(memory, "rows")) == 1
    (pack,) = fetches.files(memory, "packs")
    found = memory.lookup(fetches.key(number) for number in range(6))
    assert len({(one.pack, one.offset) for one in found.values()}) == 4
    with tarfile.open(fileobj=io.BytesIO(memory.blobs.read(f"packs/{pack}"))) as tar:
        members = {member.name: tar.extractfile(member).read() for member in tar}
    assert len(members) == 4
    assert all(hashlib.sha256(data).hexdigest() == name for name, data in members.items())


def test_an_empty_unit_leaves_no_file(uri, fetches):
    memory = Memory.open(uri)
    with memory.writing("u"):
        pass

    assert fetches.files(memory, "rows") == fetches.files(memory, "packs") == []


def test_a_unit_that_ends_in_an_error_is_not_there(uri, fetches):
    memory = Memory.open(uri)
    with pytest.raises(ConnectionError, match="of the block"), memory.writing("u") as unit:  # noqa: PT012
        unit.add(fetches("a"))
        raise ConnectionError("of the block")

    assert memory.lookup([fetches.key("a")]) == {}
    assert fetches.files(memory, "rows") == fetches.files(memory, "packs") == []
    if "memory:" not in uri:
        assert list(Path(uri, "packs").iterdir()) == []


def test_of_two_fetches_in_a_unit_the_second_counts(uri, fetches):
    memory = Memory.open(uri)
    with memory.writing("u") as unit:
        unit.add(fetches("a", b"1"))
        unit.add(fetches("a", b"2"))

    assert memory.read(memory.lookup([fetches.key("a")])[fetches.key("a")]) == b"2"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_latest_fetch_counts_whatever_was_committed_last(uri, fetches, order):
    memory = Memory.open(uri)
    dates = ["2026-11-23T05:00:00Z", "2026-11-23T05:00:01Z"]
    for number in order:
        fetches.store(memory, "u", ["a"], data=b"%d" % number, fetched_at=dates[number])

    one = memory.lookup([fetches.key("a")])[fetches.key("a")]

    assert (one.fetched_at, memory.read(one)) == (dates[1], b"1")


def test_of_the_same_second_the_attempt_that_began_later_counts_for_every_reader(uri, fetches):
    now = 1_800_000_000.0
    for begins, unit in ((2e-6, "b"), (3e-6, "a"), (1e-6, "c")):
        memory = Memory.open(uri, clock=lambda begins=begins: now + begins)
        fetches.store(memory, unit, ["x"], data=unit.encode())

    assert memory.read(memory.lookup([fetches.key("x")])[fetches.key("x")]) == b"a"
    memory.compact(min_files=1)
    assert memory.read(memory.lookup([fetches.key("x")])[fetches.key("x")]) == b"a"


def test_a_refusal_without_an_answer_counts_from_when_it_was_written(uri, fetches):
    now = 1_800_000_000.0  # 2027-01-15, after the fetch
    memory = Memory.open(uri, clock=lambda: now)
    fetches.store(memory, "u", ["a"])
    refused = {"outcome": "dropped", "reason": "robots_disallowed", "fetched_at": "", "data": b""}
    fetches.store(memory, "u", ["a"], **refused)

    one = memory.lookup([fetches.key("a")])[fetches.key("a")]

    assert (one.reason, one.at, one.fetched_at) == ("robots_disallowed", "2027-01-15T08:00:00Z", "")


def test_a_reader_sees_what_others_commit_after_it_was_opened(uri, fetches):
    reader, writer = Memory.open(uri), Memory.open(uri)
    assert reader.lookup([fetches.key("a")]) == {}

    fetches.store(writer, "u", ["a"])

    assert list(reader.lookup([fetches.key("a")])) == [fetches.key("a")]


def test_a_store_travels_to_workers_by_its_uri(uri, fetches):
    memory = Memory.open(uri)
    fetches.store(memory, "u", ["a"])

    assert list(pickle.loads(pickle.dumps(memory)).lookup([fetches.key("a")])) == [fetches.key("a")]


def test_many_contents_are_read_in_the_order_in_which_they_lie(uri, fetches):
    memory = Memory.open(uri)
    for unit in range(3):
        fetches.store(memory, f"u{unit}", range(unit * 10, unit * 10 + 10))
    found = memory.lookup(fetches.key(n) for n in range(29, -1, -1))

    read = list(memory.read_many(found.values()))

    assert {one.url: data for one, data in read} == {
        fetches.url(n): fetches(n).data for n in range(30)
    }
    places = [(one.pack, one.offset) for one, _ in read]
    assert places == sorted(places)


def test_bytes_that_are_fetched_again_unchanged_are_not_stored_again(uri, fetches):
    fetches.store(Memory.open(uri), "u", range(5))
    memory = Memory.open(uri)
    before = memory.lookup(fetches.key(n) for n in range(5))

    fetches.store(memory, "again", range(5), fetched_at="2026-11-24T00:00:00Z")
    after = memory.lookup(fetches.key(n) for n in range(5))

    assert len(fetches.files(memory, "packs")) == 1
    assert {one.fetched_at for one in after.values()} == {"2026-11-24T00:00:00Z"}
    assert [one.offset for one in after.values()] == [one.offset for one in before.values()]
    assert memory.read(after[fetches.key(3)]) == fetches(3).data


def test_an_old_place_that_does_not_hold_the_bytes_any_more_is_not_used(uri, fetches):
    fetches.store(Memory.open(uri), "u", range(5))
    memory = Memory.open(uri)
    memory.lookup(fetches.key(n) for n in range(5))
    (pack,) = fetches.files(memory, "packs")
    memory.blobs.put(f"packs/{pack}", b"\0" * len(memory.blobs.read(f"packs/{pack}")))

    fetches.store(memory, "again", range(5), fetched_at="2026-11-24T00:00:00Z")
    found = memory.lookup(fetches.key(n) for n in range(5))

    assert sorted(data for _, data in memory.read_many(found.values())) == sorted(
        fetches(n).data for n in range(5)
    )


def test_a_content_that_repeats_in_units_of_one_process_is_stored_once(uri, fetches):
    memory = Memory.open(uri)
    fetches.store(memory, "u", ["a"], data=b"no picture here")
    fetches.store(memory, "v", ["b"], data=b"no picture here")

    assert len(fetches.files(memory, "packs")) == 1
    assert memory.read(memory.lookup([fetches.key("b")])[fetches.key("b")]) == b"no picture here"


def test_a_place_of_a_unit_that_was_never_committed_is_not_used(uri, fetches):
    memory = Memory.open(uri)
    with pytest.raises(RuntimeError), memory.writing("u") as unit:  # noqa: PT012
        unit.add(fetches("a", b"same"))
        raise RuntimeError
    fetches.store(memory, "v", ["b"], data=b"same")

    assert memory.read(memory.lookup([fetches.key("b")])[fetches.key("b")]) == b"same"


@pytest.mark.parametrize("unit", ["", "a/b", "a.b", "..", "x" * 101, "ü"])
def test_a_unit_has_a_name_that_a_file_can_have(uri, unit):
    memory = Memory.open(uri)
    with pytest.raises(ValueError, match="unit"), memory.writing(unit):
        pass


def test_a_unit_may_be_named_with_a_hundred_letters(uri, fetches):
    memory = Memory.open(uri)
    fetches.store(memory, "x" * 100, ["a"])

    assert len(memory.lookup([fetches.key("a")])) == 1


def test_no_keys_are_asked_and_none_found(uri):
    assert Memory.open(uri).lookup([]) == {}


def test_another_kind_of_folder_is_refused_in_one_line(uri):
    memory = Memory.open(uri)
    memory.blobs.put("format.json", b'{"kind": "fetches", "format_version": 2}')

    with pytest.raises(
        OutputError, match=r"format\.json: no store of fetches of version 1"
    ) as told:
        Memory.open(uri)
    assert "\n" not in str(told.value)
    with pytest.raises(OutputError), memory.writing("u"):
        pass


@pytest.mark.parametrize("uri", ["", "  ", "nosuch://place"])
def test_a_uri_that_no_store_can_be_at_is_refused_in_one_line(uri):
    with pytest.raises(InputError, match=r"store|nosuch") as told:
        Memory.open(uri)
    assert "\n" not in str(told.value)


def test_a_protocol_whose_package_is_not_installed_is_named():
    fsspec = pytest.importorskip("fsspec")
    try:
        fsspec.get_filesystem_class("oci")
    except ImportError:
        with pytest.raises(MissingError, match="oci://bucket/store"):
            Memory.open("oci://bucket/store")
    else:
        pytest.skip("the package of oci:// is installed")


def test_a_file_in_the_folders_place_is_told_in_one_line(tmp_path, fetches):
    place = tmp_path / "file"
    place.write_bytes(b"mine")

    with pytest.raises(InputError) as told:
        fetches.store(Memory.open(str(place)), "u", ["a"])
    assert str(told.value) == f"{place}: is a file; a store is a folder"
    assert place.read_bytes() == b"mine"
