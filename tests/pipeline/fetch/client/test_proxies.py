"""Tests of requests through a proxy that the user named in the environment."""

import asyncio
import base64
import contextlib
import dataclasses

import pytest
from asking import STRICT, ask
from hostile import HostileServer

from openm3w.pipeline.fetch.client import request
from openm3w.pipeline.fetch.client.request import Session
from openm3w.pipeline.fetch.client.resolving import StubResolver
from openm3w.pipeline.fetch.outcomes import Answer
from openm3w.pipeline.fetch.settings import Manners


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
    # A process says once, too, that private networks are let in; a test before may have made it.
    (said,) = (text for record in caplog.records if "proxy" in (text := record.getMessage()))
    assert "correct http_proxy" in said


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
