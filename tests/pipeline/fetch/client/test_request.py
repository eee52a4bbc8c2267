"""Tests of one request against the hostile server, an endpoint at a time, and of its guards."""

import asyncio
import base64
import contextlib
import dataclasses
import logging
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hostile import ENDPOINTS, PICTURE, Certificates, Endpoint, HostileServer, make_certificates

from openm3w.pipeline.fetch.client import request
from openm3w.pipeline.fetch.client.attempts import ATTEMPT, Attempt
from openm3w.pipeline.fetch.client.request import Session
from openm3w.pipeline.fetch.client.resolving import StubResolver
from openm3w.pipeline.fetch.outcomes import FAULTS, REFUSED, Answer
from openm3w.pipeline.fetch.settings import Limits, Manners

HERE = Limits(
    connect_seconds=10,
    idle_seconds=10,
    total_seconds=20,
    max_bytes=300_000,
    ports=(),
    allow_private_networks=True,
)
"""Lets loopback through; its times are for a machine that is busy with other things."""
STRICT = dataclasses.replace(HERE, allow_private_networks=False)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def ask(
    what: Callable[[HostileServer, Session], Awaitable[object]],
    limits: Limits = HERE,
    *,
    certificates: Certificates | None = None,
    **session,
):
    """Runs `what` with a server and a session, and then sees that every connection was closed."""

    async def run():
        async with HostileServer(certificates=certificates) as server:
            async with Session(limits, Manners(), **session) as asking:
                found = await what(server, asking)
            for _ in range(200):
                if not server.open:
                    break
                await asyncio.sleep(0.01)
            assert server.open == 0
            return found

    return asyncio.run(run())


def limits_for(endpoint: Endpoint) -> Limits:
    """A short time for what the endpoint stretches, and time enough for the rest."""
    if endpoint.waits == "idle":
        return dataclasses.replace(HERE, idle_seconds=0.3)
    return dataclasses.replace(HERE, total_seconds=0.4) if endpoint.waits == "total" else HERE


@pytest.mark.parametrize("path", ENDPOINTS)
def test_every_endpoint_has_the_answer_that_is_right(path: str, certificates, monkeypatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    endpoint = ENDPOINTS[path]

    async def get(server: HostileServer, session: Session) -> tuple[Answer, int, str, int]:
        answer = await session.get(server.url(path))
        here = f"http://127.0.0.1:{server.port}"
        return answer, server.requests[path], here, server.bytes_sent

    answer, requests, here, sent = ask(get, limits_for(endpoint), certificates=certificates)

    assert (answer.reason, answer.status) == (endpoint.reason, endpoint.status)
    assert answer.reason in {"", *FAULTS, *REFUSED}
    assert answer.location == endpoint.location.replace("{here}", here)
    if endpoint.body is not None:
        assert answer.body == endpoint.body
    assert len(answer.body) <= HERE.max_bytes
    assert requests == (0 if endpoint.tls and endpoint.reason else 1)
    assert sent < 16_000_000  # of what has no end; the kernel's buffers hold some of it


def test_the_endpoints_are_many_and_numbered() -> None:
    numbers = [endpoint.number for endpoint in ENDPOINTS.values()]

    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 30


# What is sent.


def test_a_request_says_who_we_are_and_nothing_of_the_user(monkeypatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")

    async def get(server: HostileServer, session: Session) -> list[tuple[str, dict[str, str]]]:
        await session.get(server.url("/cookies").replace("//", "//name:word@"))
        await session.get(server.url("/cookies") + "?a=%2F#fragment")
        return [*server.seen, ("port", {"port": str(server.port)})]

    first, second, (_, place) = ask(get)

    assert first == ("/cookies", second[1])
    assert second[0] == "/cookies?a=%2F"
    assert second[1] == {
        "host": f"127.0.0.1:{place['port']}",
        "user-agent": Manners().user_agent,
        "accept": request.ACCEPT,
        "accept-encoding": "identity",
    }


def test_a_proxy_is_asked_where_a_setting_says_so(monkeypatch) -> None:
    limits = dataclasses.replace(STRICT, proxy_from_environment=True)
    monkeypatch.setenv("no_proxy", "direct.test")

    async def get(server: HostileServer, _: Session) -> tuple[list[str], list[Answer]]:
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{server.port}")
        stub = StubResolver({"direct.test": ["127.0.0.1"]})
        async with Session(limits, Manners(), resolver=stub) as session:
            answers = [
                await session.get(url)
                for url in ("http://far.test/a", "http://127.0.0.1/a", "http://direct.test/a")
            ]
        return [path for path, _ in server.seen], answers

    seen, (through, literal, direct) = ask(get)

    # The proxy alone is connected to; what is asked for directly is checked as ever.
    assert seen == ["http://far.test/a"]
    assert through.status == 404
    assert (literal.reason, direct.reason) == ("private_address", "private_address")


def test_a_proxy_is_told_its_credentials_with_each_request(monkeypatch) -> None:
    limits = dataclasses.replace(STRICT, proxy_from_environment=True)

    async def get(server: HostileServer, _: Session) -> tuple[set[str | None], int, str]:
        monkeypatch.setenv("http_proxy", f"http://me:se%40cret@127.0.0.1:{server.port}")
        async with Session(limits, Manners(), resolver=StubResolver()) as session:
            for path in ("/1", "/2"):
                await session.get(f"http://far.test{path}")
        told = {headers.get("proxy-authorization") for _, headers in server.seen}
        return told, server.connections, server.seen[0][0]

    credentials = base64.b64encode(b"me:se@cret").decode()
    assert ask(get) == ({f"Basic {credentials}"}, 1, "http://far.test/1")


@pytest.mark.parametrize(
    "proxy",
    ["http://[bad", "http://host:port", "socks5://127.0.0.1:9", "ftp://127.0.0.1/", "http://"],
)
def test_a_proxy_that_is_none_is_a_failure_and_said_once(proxy, monkeypatch, caplog) -> None:
    request._say_proxy.cache_clear()
    monkeypatch.setenv("http_proxy", proxy)
    limits = dataclasses.replace(STRICT, proxy_from_environment=True)

    async def get(*_: object) -> list[str]:
        async with Session(limits, Manners(), resolver=StubResolver()) as session:
            return [(await session.get(f"http://{at}.test/")).reason for at in "ab"]

    assert ask(get) == ["connect_failure"] * 2
    (record,) = caplog.records
    assert "correct http_proxy" in record.getMessage()


async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A proxy that does what CONNECT asks for."""

    async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(1 << 16):
                sink.write(data)
        sink.close()
        with contextlib.suppress(ConnectionError):
            await sink.wait_closed()

    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    port = head.split(" ")[1].rpartition(":")[2]
    there = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
    await asyncio.gather(pour(reader, there[1]), pour(there[0], writer))


def test_tls_is_verified_through_a_proxy_too(certificates, monkeypatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    limits = dataclasses.replace(STRICT, proxy_from_environment=True)

    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    async def get(server: HostileServer, _: Session) -> list[tuple[str, int]]:
        tunnels = []
        proxy = await asyncio.start_server(
            lambda *ends: tunnels.append(asyncio.create_task(tunnel(*ends))), "127.0.0.1", 0
        )
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
        async with proxy, Session(limits, Manners(), resolver=StubResolver()) as session:
            hosts = ("far.test", "localhost")
            reasons = [(await session.get(server.url("/tls", host))).reason for host in hosts]
        await asyncio.gather(*tunnels)
        return [*zip(reasons, (server.requests["/tls"], len(tunnels)), strict=True)]

    # The certificate is for localhost alone; nothing but the proxy was looked up or connected to.
    assert ask(get, certificates=certificates) == [("tls_failure", 1), ("", 2)]


# Addresses.


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "2130706433", "loop.test"])
def test_nothing_connects_to_loopback_unless_it_may(host: str) -> None:
    async def get(server: HostileServer, session: Session) -> tuple[str, int]:
        answer = await session.get(server.url("/good", host))
        return answer.reason, server.connections

    stub = StubResolver({"loop.test": ["127.0.0.1"]})
    assert ask(get, STRICT, resolver=stub) == ("private_address", 0)


def test_names_and_addresses_may_lead_to_loopback_where_that_is_allowed() -> None:
    async def get(server: HostileServer, session: Session) -> list[bytes]:
        hosts = ("127.0.0.1", "loop.test")
        return [(await session.get(server.url("/good", host))).body for host in hosts]

    assert ask(get, resolver=StubResolver({"loop.test": ["127.0.0.1"]})) == [PICTURE, PICTURE]


@pytest.mark.parametrize("other", ["169.254.169.254", "64:ff9b::a00:1", "0.0.0.0"])  # noqa: S104
def test_a_host_with_one_address_that_is_refused_is_refused_wholly(other: str) -> None:
    async def get(server: HostileServer, session: Session) -> list[tuple[str, int]]:
        answers = [await session.get(server.url("/good", host)) for host in ("a.test", "b.test")]
        return [(answer.reason, server.connections) for answer in answers]

    stub = StubResolver({"a.test": ["127.0.0.1", other], "b.test": [other, "127.0.0.1"]})
    # Loopback may be connected to here, so that only the other address can be the reason.
    assert ask(get, HERE, resolver=stub) == [("private_address", 0)] * 2


def test_of_a_public_and_a_private_address_neither_is_connected_to() -> None:
    async def get(server: HostileServer, session: Session) -> tuple[str, int]:
        return (await session.get(server.url("/good", "a.test"))).reason, server.connections

    stub = StubResolver({"a.test": ["8.8.8.8", "127.0.0.1"]})
    assert ask(get, STRICT, resolver=stub) == ("private_address", 0)


def test_a_name_that_changes_its_address_is_checked_again() -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]

    async def get(server: HostileServer, session: Session) -> list[str]:
        url = server.url("/until-close", "a.test")  # a new connection each time
        return [(await session.get(url)).reason for _ in range(2)]

    assert ask(get, resolver=StubResolver({"a.test": answers}), ttl=0) == ["", "private_address"]
    # An address that is remembered is the one that was checked.
    assert ask(get, resolver=StubResolver({"a.test": answers}), ttl=60) == ["", ""]


def test_every_socket_is_checked_whatever_came_before() -> None:
    async def connect(_: HostileServer, session: Session) -> list[bool]:
        refused = []
        for address in ("10.0.0.1", "::ffff:10.0.0.1", "169.254.169.254"):
            token = ATTEMPT.set(Attempt())
            with pytest.raises(OSError, match="must not be connected to"):
                session._socket((socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)))
            refused.append(ATTEMPT.get().refused)
            ATTEMPT.reset(token)
        return refused

    assert ask(connect, STRICT) == [True] * 3


def test_allowing_private_networks_is_said_once_and_lets_no_metadata_through(caplog) -> None:
    request._say_private.cache_clear()

    async def get(server: HostileServer, session: Session) -> list[str]:
        urls = ("http://169.254.169.254/", "http://meta.test/", "http://[::]/", server.url("/good"))
        return [(await session.get(url)).reason for url in urls]

    stub = StubResolver({"meta.test": ["fd00:ec2::254"]})
    with caplog.at_level(logging.WARNING):
        reasons = [ask(get, resolver=stub) for _ in range(2)]

    assert reasons == [["private_address"] * 3 + [""]] * 2
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "allow_private_networks is on"
    ]


def test_ports_are_those_allowed() -> None:
    async def get(server: HostileServer, _: Session) -> list[str]:
        reasons = []
        for ports in ((80, 443), (80, server.port)):
            limits = dataclasses.replace(HERE, ports=ports)
            async with Session(limits, Manners()) as session:
                reasons.append((await session.get(server.url("/good"))).reason)
        return [*reasons, str(server.connections)]

    assert ask(get) == ["bad_port", "", "1"]


# Names and connections that fail.


def test_a_name_nobody_knows_and_one_that_takes_too_long_are_failures_of_the_look_up() -> None:
    limits = dataclasses.replace(HERE, connect_seconds=0.2)

    async def get(server: HostileServer, session: Session) -> str:
        return (await session.get(server.url("/good", "a.test"))).reason

    assert ask(get, resolver=StubResolver()) == "dns_failure"
    slow = StubResolver({"a.test": ["127.0.0.1"]}, seconds=60)
    assert ask(get, limits, resolver=slow) == "dns_failure"


def test_a_port_that_nobody_listens_on_is_a_connect_failure() -> None:
    with socket.socket() as taken:  # bound, not listening: nobody else gets the port
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"

        async def get(_: HostileServer, session: Session) -> Answer:
            return await session.get(url)

        answer = ask(get)

    assert (answer.url, answer.reason, answer.status) == (url, "connect_failure", 0)


def test_a_handshake_that_is_never_answered_is_a_connect_timeout() -> None:
    limits = dataclasses.replace(HERE, connect_seconds=0.3)

    async def get(server: HostileServer, session: Session) -> str:
        return (await session.get(f"https://127.0.0.1:{server.port}/")).reason

    assert ask(get, limits) == "connect_timeout"


def test_the_total_time_includes_connecting() -> None:
    limits = dataclasses.replace(HERE, total_seconds=0.3)

    async def get(server: HostileServer, session: Session) -> Answer:
        return await session.get(f"https://127.0.0.1:{server.port}/")

    answer = ask(get, limits)

    assert answer.reason == "total_timeout"
    assert answer.seconds >= 0.3


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


# Bounds.


def test_the_bound_on_bytes_is_inclusive_and_what_fits_is_there() -> None:
    async def get(server: HostileServer, session: Session) -> list[tuple[str, bytes]]:
        bounds = (len(PICTURE), len(PICTURE) - 1)
        answers = [
            await session.get(server.url(path), max_bytes=bound)
            for path in ("/good", "/chunked", "/gzip")
            for bound in bounds
        ]
        return [(answer.reason, answer.body) for answer in answers]

    fits, cut = ("", PICTURE), ("too_large", PICTURE[:-1])
    assert ask(get) == [fits, cut, fits, cut, fits, cut]


@pytest.mark.parametrize(("bound", "reason"), [(len(PICTURE), ""), (len(PICTURE) - 1, "too_large")])
def test_of_a_picture_that_is_announced_as_too_large_nothing_is_read(bound, reason) -> None:
    async def get(server: HostileServer, session: Session) -> tuple[str, bytes]:
        answer = await session.get(server.url("/good"))
        return answer.reason, answer.body

    found = ask(get, dataclasses.replace(HERE, max_bytes=bound))
    assert found == (reason, b"" if reason else PICTURE)


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


def test_headers_come_in_order_with_their_bytes_readable() -> None:
    async def get(server: HostileServer, session: Session) -> Answer:
        return await session.get(server.url("/latin-1"))

    answer = ask(get)

    assert answer.headers == (
        ("etag", '"café"'),
        ("x-utf", "é"),
        ("content-length", str(len(PICTURE))),
    )


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


def test_a_session_asks_only_while_it_is_open() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        asyncio.run(Session(HERE, Manners()).get("http://a.test/"))


GREEDY = """
import asyncio, re, sys
from pathlib import Path
from openm3w.pipeline.fetch.client.request import Session
from openm3w.pipeline.fetch.settings import Limits, Manners

def peak():  # getrusage would begin with what the parent had when it forked
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])

async def main(first, *urls):
    limits = Limits(max_bytes=2_000_000, ports=(), allow_private_networks=True)
    async with Session(limits, Manners()) as session:
        assert not (await session.get(first)).reason
        before = peak()
        for url in urls:
            for _ in range(3):
                answer = await session.get(url)
                assert answer.reason in ("too_large", "bad_response"), answer.reason
                del answer
        print(peak() - before)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measures by Linux's /proc")
def test_bombs_and_bodies_without_end_take_a_flat_amount_of_memory() -> None:
    paths = ["/good", "/infinite", "/bomb-gzip", "/bomb-br", "/bomb-zstd", "/bomb-twice",
             "/gzip-of-nothing", "/said-too-large", "/infinite-header", "/infinite-status"]  # fmt: skip

    async def run() -> int:
        async with HostileServer() as server:
            urls = [server.url(path) for path in paths]
            child = await asyncio.create_subprocess_exec(
                sys.executable, "-c", GREEDY, *urls, stdout=asyncio.subprocess.PIPE
            )
            out, _ = await child.communicate()
            assert child.returncode == 0
            return int(out)

    # 2 MB are let through, a decoder's window of 8 MB beside them; the bombs are of 300 MB.
    assert asyncio.run(run()) < 32_000  # kB
