"""What is buried while a build runs is not asked for."""

import asyncio
import itertools
import threading

import pytest
from hostile import PICTURE
from serving import HERE, RUDE, Serving, pictures, reasons

from openm3w.pipeline.fetch import forbidden
from openm3w.pipeline.fetch.forbidden import EVERY, Forbidden, Nothing
from openm3w.pipeline.fetch.getting import get
from openm3w.pipeline.fetch.process import close, fetcher_for, memory_at
from openm3w.pipeline.fetch.settings import FetchSettings
from openm3w.pipeline.fetch.store.memory import Memory
from openm3w.pipeline.fetch.store.tombstones import Tombstones

SETTINGS = FetchSettings(limits=HERE, manners=RUDE)


@pytest.fixture(autouse=True)
def _closed():
    yield
    close()


def unit(name, root, urls):
    """What a unit of a build does in its process."""
    root = str(root)
    return list(get(urls, memory_at(root), fetcher_for(SETTINGS, root), unit=name))


def moved(then):
    async def other(wire):
        if wire.path != "/moved":
            await wire.say("404 Not Found", body=b"")
            return
        then()
        await wire.say("302 Found", "Location: /0.jpg", body=b"")

    return other


def test_what_is_buried_between_two_units_is_not_asked_for(tmp_path):
    with Serving(pictures=pictures(3), other=moved(lambda: None)) as server:
        unit("a", tmp_path, [server.url("/2.jpg")])
        another = Memory.open(str(tmp_path))  # as another process has it
        another.bury([server.url("/0.jpg"), server.url("/1.jpg")])
        found = unit("b", tmp_path, [server.url("/moved"), server.url("/1.jpg")])
        assert reasons(found) == {"tombstone": 2}
        assert server.requests["/moved"] == 1
        assert server.requests["/0.jpg"] == server.requests["/1.jpg"] == 0


def test_a_redirect_to_what_is_buried_within_a_unit_is_not_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(forbidden, "EVERY", 0.0)

    def bury():
        Memory.open(str(tmp_path)).bury([server.url("/0.jpg")])

    with Serving(pictures=pictures(1), other=moved(bury)) as server:
        (found,) = unit("a", tmp_path, [server.url("/moved")])
        assert (found.reason, found.data) == ("tombstone", b"")
        assert server.requests["/0.jpg"] == 0


def test_what_is_buried_while_it_waits_for_its_turn_is_not_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(forbidden, "EVERY", 0.0)
    turns = FetchSettings(limits=HERE, manners=RUDE, concurrency=1)

    async def other(wire):
        if wire.path == "/first":
            Memory.open(str(tmp_path)).bury([server.url("/0.jpg")])
        await wire.say("404 Not Found", body=b"")

    with Serving(pictures={"/0.jpg": PICTURE}, other=other) as server:
        urls, root = [server.url("/first"), server.url("/0.jpg")], str(tmp_path)
        found = {
            got.url: got.reason
            for got in get(urls, memory_at(root), fetcher_for(turns, root), unit="a")
        }
        assert found == dict(zip(urls, ("not_found", "tombstone"), strict=True))
        assert server.requests["/0.jpg"] == 0


class Looks:
    """Counts looks, and the clock; `buried` is what they find."""

    def __init__(self):
        self.now, self.looks, self.buried = 1000.0, 0, []
        self.threads = set()

    def __call__(self):
        self.looks += 1
        self.threads.add(threading.get_ident())
        return Tombstones.of(self.buried)


@pytest.mark.parametrize(("seconds", "looks"), [(EVERY - 0.1, 1), (EVERY, 2)])
def test_looks_are_so_far_apart_and_in_no_threads_way(seconds, looks):
    look = Looks()
    known = Forbidden(look, clock=lambda: look.now)

    async def ask():
        first = await asyncio.gather(*(known.covers_now("http://a.example/") for _ in range(9)))
        look.buried, look.now = ["a.example"], look.now + seconds
        return first, await asyncio.gather(*(known.covers_now("http://a.example/") for _ in "ab"))

    first, then = asyncio.run(ask())
    assert look.looks == looks
    assert first == [False] * 9
    assert then == [looks == 2] * 2
    assert threading.get_ident() not in look.threads


def test_a_slow_look_does_not_undo_a_later_one():
    times = itertools.count()

    def look():
        if next(looks) == 0:  # the first takes so long that another one comes between
            known.look()
            return Nothing()
        return Tombstones.of(["a.example"])

    looks = itertools.count()
    known = Forbidden(look, clock=lambda: float(next(times)))
    known.look()
    assert known.covers("http://a.example/")


def test_what_cannot_be_looked_up_is_told():
    def look():
        raise KeyError("damaged")

    with pytest.raises(KeyError):
        asyncio.run(Forbidden(look).covers_now("http://a.example/"))
