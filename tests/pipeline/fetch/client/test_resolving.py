"""Tests of names to addresses: what is remembered, how often it is asked, and the check."""

import asyncio
import ipaddress
import socket

import pytest

from openm3w.pipeline.fetch.client import resolving
from openm3w.pipeline.fetch.client.resolving import CheckedResolver, StubResolver, SystemResolver


def let_pass(places) -> None:
    pass


def hosts_of(found) -> list[tuple[str, int]]:
    return [(entry["host"], entry["port"]) for entry in found]


def test_an_answer_is_remembered_for_its_time() -> None:
    stub = StubResolver({"a.test": [["8.8.8.8"], ["1.1.1.1"]]})

    async def ask(ttl: float):
        resolver = CheckedResolver(stub, let_pass, ttl=ttl)
        return [hosts_of(await resolver.resolve("a.test", 80)) for _ in range(3)]

    assert asyncio.run(ask(60)) == [[("8.8.8.8", 80)]] * 3
    assert stub.asked["a.test"] == 1
    assert asyncio.run(ask(0)) == [[("1.1.1.1", 80)]] * 3
    assert stub.asked["a.test"] == 4


def test_a_host_that_does_not_exist_is_remembered_too_and_a_silent_server_is_not() -> None:
    class Silent(StubResolver):
        async def places(self, host: str):
            await super().places(host)
            raise socket.gaierror(socket.EAI_AGAIN, "try again")

    stub, silent = StubResolver({"gone.test": []}), Silent({"a.test": ["8.8.8.8"]})

    async def ask(resolver: CheckedResolver, host: str) -> None:
        for _ in range(3):
            with pytest.raises(OSError, match=r"test|again"):
                await resolver.resolve(host, 80)

    asyncio.run(ask(CheckedResolver(stub, let_pass), "gone.test"))
    asyncio.run(ask(CheckedResolver(stub, let_pass), "unknown.test"))
    asyncio.run(ask(CheckedResolver(silent, let_pass), "a.test"))

    assert stub.asked == {"gone.test": 1, "unknown.test": 1}
    assert silent.asked == {"a.test": 3}


def test_many_who_wait_for_one_host_ask_once_and_one_who_gives_up_does_not_matter() -> None:
    stub = StubResolver({"a.test": ["8.8.8.8"]}, seconds=0.05)

    async def ask() -> list[object]:
        resolver = CheckedResolver(stub, let_pass)
        asking = [asyncio.create_task(resolver.resolve("a.test", 80)) for _ in range(5)]
        await asyncio.sleep(0.01)
        asking[0].cancel()
        return await asyncio.gather(*asking, return_exceptions=True)

    first, *others = asyncio.run(ask())

    assert isinstance(first, asyncio.CancelledError)
    assert [hosts_of(found) for found in others] == [[("8.8.8.8", 80)]] * 4
    assert stub.asked["a.test"] == 1


def test_the_check_sees_every_answer_each_time_and_may_refuse_it() -> None:
    seen = []

    def check(places) -> None:
        seen.append([address for address, _ in places])
        if "10.0.0.1" in seen[-1]:
            raise OSError("refused")

    stub = StubResolver({"good.test": ["8.8.8.8", "::1"], "bad.test": ["8.8.8.8", "10.0.0.1"]})

    async def ask() -> None:
        resolver = CheckedResolver(stub, check)
        await resolver.resolve("good.test", 80)
        await resolver.resolve("good.test", 80)
        with pytest.raises(OSError, match="refused"):
            await resolver.resolve("bad.test", 80)

    asyncio.run(ask())

    assert seen == [["8.8.8.8", "::1"]] * 2 + [["8.8.8.8", "10.0.0.1"]]


def test_answers_kept_are_bounded(monkeypatch) -> None:
    monkeypatch.setattr(resolving, "MAX_HOSTS", 2)
    stub = StubResolver(default=["8.8.8.8"])

    async def ask() -> None:
        resolver = CheckedResolver(stub, let_pass)
        for host in ("a", "b", "c", "b", "c", "a"):
            await resolver.resolve(host, 80)

    asyncio.run(ask())

    assert stub.asked == {"a": 2, "b": 1, "c": 1}


def test_closing_ends_what_is_under_way() -> None:
    async def ask() -> object:
        resolver = CheckedResolver(StubResolver(default=["8.8.8.8"], seconds=60), let_pass)
        asking = asyncio.create_task(resolver.resolve("a.test", 80))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await resolver.close()
        return await asyncio.gather(asking, return_exceptions=True)

    assert isinstance(asyncio.run(ask())[0], asyncio.CancelledError)


def test_a_stub_may_name_another_port_and_a_default() -> None:
    stub = StubResolver({"a.test": [("127.0.0.1", 8080)]}, default=["8.8.8.8"])

    async def ask():
        resolver = CheckedResolver(stub, let_pass)
        found = [await resolver.resolve(host, 80) for host in ("a.test", "b.test")]
        return [hosts_of(entries) for entries in found]

    assert asyncio.run(ask()) == [[("127.0.0.1", 8080)], [("8.8.8.8", 80)]]


def test_the_system_knows_localhost_and_says_what_is_no_name() -> None:
    async def ask():
        resolver = SystemResolver(threads=1)
        try:
            with pytest.raises(OSError, match="no host name"):
                await resolver.places("a" * 64 + ".example")
            return await resolver.places("localhost")
        finally:
            await resolver.close()

    found = asyncio.run(ask())

    assert found
    assert all(ipaddress.ip_address(address).is_loopback for address, _ in found)
