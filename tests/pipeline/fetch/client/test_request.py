"""Tests of one request against the hostile server, an endpoint at a time, and of its guards."""

import asyncio
import dataclasses
import logging
import socket
import sys
from pathlib import Path

import pytest
from asking import HERE, STRICT, ask
from hostile import ENDPOINTS, PICTURE, Endpoint, HostileServer

from openm3w.pipeline.fetch.client import request
from openm3w.pipeline.fetch.client.attempts import ATTEMPT, Attempt
from openm3w.pipeline.fetch.client.request import Session
from openm3w.pipeline.fetch.client.resolving import StubResolver
from openm3w.pipeline.fetch.outcomes import FAULTS, REFUSED, Answer
from openm3w.pipeline.fetch.settings import Limits, Manners


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


def test_headers_come_in_order_with_their_bytes_readable() -> None:
    async def get(server: HostileServer, session: Session) -> Answer:
        return await session.get(server.url("/latin-1"))

    answer = ask(get)

    assert answer.headers == (
        ("etag", '"café"'),
        ("x-utf", "é"),
        ("content-length", str(len(PICTURE))),
    )


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
