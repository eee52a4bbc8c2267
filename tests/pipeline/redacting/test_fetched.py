"""What is remembered of fetches, without what is buried; locally and in an object store."""

import hashlib
import time
import uuid

import pytest

from openm3w.pipeline.fetch.outcomes import Fetched
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.tombstones import Tombstones
from openm3w.pipeline.redacting import fetched
from openm3w.pipeline.redacting.meant import Meant

PICTURES = {f"http://{host}.example/{name}.png": f"bytes of {host} {name}".encode() * 40
            for host in ("a", "b", "c") for name in ("1", "2")}  # fmt: skip


def remember(memory, urls, unit):
    with memory.writing(unit) as writing:
        for url in urls:
            writing.add(Fetched(url=url, final_url=url, outcome="fetched", data=PICTURES[url]))


def files(memory):
    fs = memory.blobs
    for folder in ("packs", "rows", "merged", "runs"):
        for name in fs.names(folder):
            yield fs.read(f"{folder}/{name}")


@pytest.fixture(params=["local", "memory"])
def uri(request, tmp_path):
    return str(tmp_path / "f") if request.param == "local" else f"memory://{uuid.uuid4().hex}/f"


@pytest.mark.parametrize("merged", [False, True])
def test_rows_and_bytes_go_and_the_others_stay_readable(uri, merged):
    memory = Memory.open(uri)
    urls = sorted(PICTURES)
    remember(memory, urls[:3], "one")
    remember(memory, urls[3:], "two")
    if merged:
        memory.compact(min_files=2, full=True)
    gone = [url for url in urls if "://a." in url] + ["http://b.example/1.png"]
    by_content = hashlib.sha256(PICTURES["http://c.example/2.png"]).hexdigest()
    buried = Tombstones.of(["a.example", "http://b.example/1.png", by_content])

    assert fetched.purge(memory.blobs, Meant(tombstones=buried)) == 4
    assert fetched.purge(memory.blobs, Meant(tombstones=buried)) == 0

    again = Memory.open(uri)
    found = again.lookup(urls)
    left = [url for url in urls if url in found]
    assert left == ["http://b.example/2.png", "http://c.example/1.png"]
    assert all(again.read(found[url]) == PICTURES[url] for url in left)
    assert again.verify()
    data = b"".join(files(again))
    assert not any(PICTURES[url] in data for url in [*gone, "http://c.example/2.png"])
    assert all(PICTURES[url] in data for url in left)


def test_bytes_that_another_address_has_stay_unless_they_are_meant(uri):
    memory, same = Memory.open(uri), b"the same picture" * 30
    with memory.writing("u") as writing:
        for url in ("http://a.example/x", "http://b.example/x"):
            writing.add(Fetched(url=url, final_url=url, outcome="fetched", data=same))
    fetched.purge(memory.blobs, Meant(tombstones=Tombstones.of(["a.example"])))
    again = Memory.open(uri)
    (one,) = again.lookup(["http://b.example/x"]).values()
    assert again.read(one) == same
    digits = hashlib.sha256(same).hexdigest()
    fetched.purge(memory.blobs, Meant(tombstones=Tombstones.of([digits])))
    assert same not in b"".join(files(again))


def test_what_a_later_fetch_took_the_place_of_goes_once_it_is_settled(tmp_path):
    url, now = "http://a.example/1.png", time.time()
    for age, data in ((3, b"of before" * 50), (2, b"of now" * 50)):
        memory = Memory.open(str(tmp_path), clock=lambda age=age: now - age * 86_400.0)
        with memory.writing("u") as writing:
            writing.add(Fetched(url=url, final_url=url, outcome="fetched", data=data))
    memory = Memory.open(str(tmp_path))
    memory.compact(min_files=2, full=True)
    assert b"of before" in b"".join(files(memory))
    fetched.purge(memory.blobs, Meant(tombstones=Tombstones.of(["b.example"])))
    data = b"".join(files(memory))
    assert b"of before" not in data
    assert b"of now" in data
