import pytest

from openm3w.errors import OutputError
from openm3w.pipeline.fetch.store import contents
from openm3w.pipeline.fetch.store.contents import stretches
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.remembered import Remembered


def one(pack, offset, length):
    return Remembered(
        url_key="", url="", outcome="fetched", sha256="x", pack=pack, offset=offset, length=length
    )


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], []),
        ([("p", 512, 10)], [("p", 512, 522, 1)]),
        ([("p", 2048, 10), ("p", 512, 10)], [("p", 512, 2058, 2)]),
        ([("p", 0, 10), ("q", 10, 10)], [("p", 0, 10, 1), ("q", 10, 20, 1)]),
        ([("p", 0, 10), ("p", 10 + 65_536, 10)], [("p", 0, 65_556, 2)]),
        ([("p", 0, 10), ("p", 10 + 65_537, 10)], [("p", 0, 10, 1), ("p", 65_547, 65_557, 1)]),
        ([("p", 0, 10), ("p", 0, 10)], [("p", 0, 10, 2)]),
        ([("p", 5, 0), ("p", 5, 7)], [("p", 5, 12, 2)]),
        ([("p", 0, 100), ("p", 50, 10)], [("p", 0, 100, 2)]),
        ([("p", 0, 1 << 23), ("p", 1 << 23, 1 << 23)], [("p", 0, 1 << 24, 2)]),
        (
            [("p", 0, 1 << 23), ("p", 1 << 23, (1 << 23) + 1)],
            [("p", 0, 1 << 23, 1), ("p", 1 << 23, (1 << 24) + 1, 1)],
        ),
        ([("p", 0, 1 << 25)], [("p", 0, 1 << 25, 1)]),
    ],
)
def test_neighbours_are_read_by_one_request(places, expected):
    found = list(stretches(one(*place) for place in places))

    assert [(s.pack, s.start, s.end, len(s.wanted)) for s in found] == expected


@pytest.mark.parametrize(("window", "at_once"), [(4096, 1), (1, 1), (3, 500), (2, 1 << 30)])
def test_bounds_of_memory_change_nothing_of_what_is_read(
    uri, fetches, monkeypatch, window, at_once
):
    monkeypatch.setattr(contents, "_WINDOW", window)
    monkeypatch.setattr(contents, "_AT_ONCE", at_once)
    monkeypatch.setattr(contents, "_GAP", 0)
    memory = Memory.open(uri)
    for unit in range(3):
        fetches.store(memory, "u", [f"{unit}-{n}" for n in range(4)])
    names = [f"{unit}-{n}" for unit in range(3) for n in range(4)]

    found = memory.lookup(map(fetches.key, names)).values()

    assert {one.url: data for one, data in memory.read_many(found)} == {
        fetches.url(name): fetches(name).data for name in names
    }


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("cut", r"packs/\w+\.u\.tar: shorter than its ledger says at \d+ of http://site.example/b"),
        ("flipped", r"packs/\w+\.u\.tar: damaged at \d+ of http://site.example/b"),
        ("removed", r"packs/\w+\.u\.tar: missing"),
    ],
)
def test_damaged_bytes_are_told_in_one_line(uri, fetches, how, told):
    memory = Memory.open(uri)
    with memory.writing("u") as unit:
        unit.add(fetches("a"))
        unit.add(fetches("b"))
    found = memory.lookup([fetches.key("a"), fetches.key("b")])
    b = found[fetches.key("b")]
    name = f"packs/{b.pack}"
    data = memory.blobs.read(name)
    if how == "removed":
        memory.blobs.remove([name])
    else:
        end = b.offset + b.length - 1
        memory.blobs.put(name, data[:end] if how == "cut" else data[:end] + b"?" + data[end + 1 :])

    with pytest.raises(OutputError, match=told) as error:
        memory.read(b)
    assert "\n" not in str(error.value)
    with pytest.raises(OutputError, match=told):
        list(memory.read_many(found.values()))
    if how != "removed":
        assert memory.read(found[fetches.key("a")]) == fetches("a").data


def test_one_missing_pack_does_not_hide_the_contents_of_others(uri, fetches):
    memory = Memory.open(uri)
    fetches.store(memory, "u", ["a"])
    fetches.store(memory, "v", ["b"])
    found = memory.lookup([fetches.key("a"), fetches.key("b")])
    memory.blobs.remove([f"packs/{found[fetches.key('a')].pack}"])

    read = dict(contents.read_each(memory.blobs, found.values()))

    assert isinstance(read[found[fetches.key("a")]], OutputError)
    assert read[found[fetches.key("b")]] == fetches("b").data
