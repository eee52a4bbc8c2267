"""Tests of what passes over a connection, and of when it is used again."""

import asyncio
import dataclasses
import logging

import pytest
from asking import HERE, ask
from hostile import PICTURE, HostileServer

from openm3w.pipeline.fetch.client import request
from openm3w.pipeline.fetch.client.request import Session
from openm3w.pipeline.fetch.client.resolving import StubResolver
from openm3w.pipeline.fetch.outcomes import Answer

# Connections that are kept.


def test_a_host_s_connection_is_used_again_and_never_for_another_host() -> None:
    async def get(server: HostileServer, session: Session) -> list[int]:
        connections = []
        for host in ("a.test", "a.test", "b.test", "b.test", "a.test"):
            assert (await session.get(server.url("/good", host))).body == PICTURE
            connections.append(server.connections)
        return connections

    assert ask(get, resolver=StubResolver(default=["127.0.0.1"])) == [1, 1, 2, 2, 2]


def test_a_connection_made_for_one_name_serves_no_other_over_tls(certificates, monkeypatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))

    async def get(server: HostileServer, session: Session) -> list[tuple[str, int]]:
        hosts = ("localhost", "localhost", "other.test", "127.0.0.1")
        return [
            ((await session.get(server.url("/tls", host))).reason, server.connections)
            for host in hosts
        ]

    stub = StubResolver(default=["127.0.0.1"])
    found = ask(get, certificates=certificates, resolver=stub)

    # The certificate is not for other.test, though its connection goes to the same server.
    assert found == [("", 1), ("", 1), ("tls_failure", 1), ("", 2)]


@pytest.mark.parametrize(
    "path", ["/missing", "/missing-later", "/forbidden", "/loop", "/no-content", "/not-modified"]
)
def test_after_a_short_answer_that_is_not_wanted_the_connection_is_kept(path: str) -> None:
    async def get(server: HostileServer, session: Session) -> tuple[bytes, int]:
        await session.get(server.url(path))
        return (await session.get(server.url("/good"))).body, server.connections

    assert ask(get) == (PICTURE, 1)


@pytest.mark.parametrize(
    "path", ["/long", "/long-at-once", "/missing-large", "/slow-404", "/infinite", "/chunk-lies"]
)
def test_after_an_answer_that_cannot_be_trusted_or_waited_for_it_is_not(path: str) -> None:
    async def get(server: HostileServer, session: Session) -> tuple[bytes, int]:
        await session.get(server.url(path))
        await asyncio.sleep(0.1)
        return (await session.get(server.url("/good"))).body, server.connections

    assert ask(get) == (PICTURE, 2)


def test_a_kept_connection_that_was_closed_meanwhile_costs_nobody_an_answer() -> None:
    async def get(server: HostileServer, session: Session) -> tuple[list[bytes], int, int]:
        bodies = [(await session.get(server.url("/once"))).body for _ in range(2)]
        return bodies, server.requests["/once"], server.connections

    assert ask(get) == ([PICTURE, PICTURE], 3, 2)


def test_no_more_connections_are_kept_than_files_may_be_open(monkeypatch) -> None:
    monkeypatch.setattr(request, "_most_open", lambda: 3)

    async def get(server: HostileServer, session: Session) -> tuple[int, int]:
        for host in ("a.test", "b.test", "c.test", "d.test", "e.test", "a.test", "e.test"):
            assert (await session.get(server.url("/good", host))).body == PICTURE
            await asyncio.sleep(0.01)
        while server.open > 3:  # the server sees the end of a connection a little later
            await asyncio.sleep(0.01)
        return server.open, server.connections

    # The first three are kept; a fourth is closed when it has served, and made again.
    assert ask(get, resolver=StubResolver(default=["127.0.0.1"])) == (3, 6)


def test_what_is_said_stays_said_when_the_rest_takes_too_long() -> None:
    limits = dataclasses.replace(HERE, total_seconds=0.3)

    async def get(server: HostileServer, session: Session) -> Answer:
        return await session.get(server.url("/slow-404"))

    answer = ask(get, limits)

    assert (answer.reason, answer.status) == ("", 404)


def test_many_requests_at_once_are_answered_each_its_own() -> None:
    async def get(server: HostileServer, session: Session) -> list[tuple[str, bytes]]:
        server.pictures = {f"/{i}.jpg": bytes([i]) * 1000 * i for i in range(1, 41)}
        answers = await asyncio.gather(*(session.get(server.url(p)) for p in server.pictures))
        return [(answer.url.rpartition("/")[2], answer.body) for answer in answers]

    assert ask(get) == [(f"{i}.jpg", bytes([i]) * 1000 * i) for i in range(1, 41)]


# Whose answer it is.


def test_what_is_left_of_the_answer_before_spoils_none_that_comes_after() -> None:
    async def other(wire) -> None:
        if wire.number == 1:  # a byte too many, which comes when the connection is in use again
            await wire.say("200 OK", body=PICTURE)
        elif wire.number == 2:
            await wire.send(b"x" + b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!")

    async def get(server: HostileServer, session: Session) -> list[object]:
        server.other = other
        found = [await session.get(server.url(path)) for path in ("/1", "/2", "/3")]
        return [
            [(answer.reason, answer.body == PICTURE) for answer in found],
            server.connections,
            dict(server.requests),
        ]

    right = [[("", True)] * 3, 3, {"/1": 1, "/2": 2, "/3": 2}]
    assert ask(get) == right


def test_an_answer_that_came_before_it_was_asked_for_is_nobody_s() -> None:
    async def other(wire) -> None:
        await wire.say("200 OK", body=PICTURE)
        if wire.path == "/1":
            await asyncio.sleep(0.05)  # or it is seen with the first, whose connection then goes
            await wire.say("200 OK", body=b"planted")

    async def get(server: HostileServer, session: Session) -> tuple[object, ...]:
        server.other = other
        first = await session.get(server.url("/1"))
        await asyncio.sleep(0.2)
        second = await session.get(server.url("/2"))
        return first.body == PICTURE, second.body == PICTURE, server.connections, server.requests

    assert ask(get) == (True, True, 2, {"/1": 1, "/2": 1})


def test_silence_after_a_provisional_answer_is_an_idle_timeout() -> None:
    async def other(wire) -> None:
        await wire.say("103 Early Hints")
        await wire.silence()

    async def get(server: HostileServer, session: Session) -> str:
        server.other = other
        return (await session.get(server.url("/a"))).reason

    assert ask(get, dataclasses.replace(HERE, idle_seconds=0.2)) == "idle_timeout"


@pytest.mark.parametrize(
    "length", ["+3", "3 3", "3, 3", "-3", "0x3", "3_0", "", "9" * 30, "9" * 5000]
)
@pytest.mark.parametrize("status", ["200 OK", "302 Found", "204 No Content"])
def test_a_length_that_is_no_number_is_no_http(length, status, caplog) -> None:
    async def other(wire) -> None:
        await wire.send(f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\nabc".encode())

    async def get(server: HostileServer, session: Session) -> str:
        server.other = other
        return (await session.get(server.url("/a"))).reason

    assert ask(get) == "bad_response"
    assert all(record.levelno < logging.ERROR for record in caplog.records)


def test_an_answer_that_is_none_on_a_new_connection_is_not_asked_for_again() -> None:
    async def get(server: HostileServer, session: Session) -> tuple[str, int]:
        answer = await session.get(server.url("/garbage"))
        return answer.reason, server.requests["/garbage"]

    assert ask(get) == ("bad_response", 1)


def test_cancelling_is_all_that_is_raised_and_it_closes_the_connection() -> None:
    async def get(server: HostileServer, session: Session) -> bool:
        asking = asyncio.create_task(session.get(server.url("/silent")))
        while not server.requests["/silent"]:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return (await session.get(server.url("/good"))).body == PICTURE

    assert ask(get)
