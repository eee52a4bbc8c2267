"""A web server that behaves badly on purpose, on loopback: raw asyncio, no HTTP library in between.

`ENDPOINTS` numbers what it does, each with the answer that is right. `HostileServer` serves them
and counts requests, connections and bytes; it also serves pictures for benchmarks, as slowly as
wished. `python tests/pipeline/fetch/hostile.py` serves until it is stopped and prints the URLs.
"""

import argparse
import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import Mapping

import hostile_bodies  # noqa: F401  # they list themselves, in this order
import hostile_replies  # noqa: F401
from hostile_certificates import Certificates, make_certificates
from hostile_wire import ENDPOINTS, PICTURE, Behaviour, Endpoint, Wire

__all__ = [
    "ENDPOINTS",
    "PICTURE",
    "Certificates",
    "Endpoint",
    "HostileServer",
    "Wire",
    "make_certificates",
]


class HostileServer:
    """Serves ENDPOINTS, and pictures. An asynchronous context manager."""

    def __init__(
        self,
        *,
        pictures: Mapping[str, bytes] | None = None,
        latency: float = 0.0,
        certificates: Certificates | None = None,
        other: Behaviour | None = None,
    ) -> None:
        """What to serve.

        `pictures` by path, for whatever host; `latency` in seconds before each answer; `other`
        answers for paths that are neither picture nor endpoint, which are else missing.
        """
        self.pictures = dict(pictures or {})
        self.latency = latency
        self.certificates = certificates
        self.other = other or _missing
        self.port = 0
        self.tls_ports: dict[str, int] = {}
        self.requests: Counter[str] = Counter()
        self.seen: list[tuple[str, dict[str, str]]] = []
        """Path and headers of every request."""
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.in_flight: Counter[str] = Counter()
        self.most_in_flight: Counter[str] = Counter()
        """Requests of a host (as it was asked for, with its port) answered at the same time."""
        self.most_under_way = 0
        """The same of all hosts together."""
        self.bytes_sent = 0
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "HostileServer":
        self.port = await self._listen(None)
        for name, files in (self.certificates.files if self.certificates else {}).items():
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*files)
            self.tls_ports[name] = await self._listen(context)
        self.tls_ports["none"] = await self._listen(None, _plain)
        return self

    async def __aexit__(self, *_: object) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The address of an endpoint or a picture."""
        found = ENDPOINTS.get(path)
        if found is not None and found.tls:
            return f"https://{host}:{self.tls_ports[found.tls]}{path}"
        return f"http://{host}:{self.port}{path}"

    async def _listen(self, context: ssl.SSLContext | None, serve: object = None) -> int:
        server = await asyncio.start_server(
            serve or self._serve, "127.0.0.1", 0, ssl=context, backlog=1024, limit=1 << 16
        )
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            wire = Wire(self, reader, writer)
            while await wire.request() and await self._answer(wire):
                pass
        except (ConnectionError, TimeoutError, ssl.SSLError, asyncio.CancelledError):
            pass  # the other side had enough, or the server stops
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(Exception):
                await writer.wait_closed()

    async def _answer(self, wire: Wire) -> bool:
        """Whether the connection goes on."""
        host = wire.headers.get("host", "")
        self.in_flight[host] += 1
        self.most_in_flight[host] = max(self.most_in_flight[host], self.in_flight[host])
        self.most_under_way = max(self.most_under_way, self.in_flight.total())
        try:
            return await self._say(wire)
        finally:
            self.in_flight[host] -= 1

    async def _say(self, wire: Wire) -> bool:
        if self.latency:
            await asyncio.sleep(self.latency)
        path = wire.path.partition("?")[0]
        picture = self.pictures.get(path)
        if picture is not None:
            await wire.say("200 OK", "Content-Type: image/jpeg", body=picture)
            return True
        found = ENDPOINTS.get(path)
        await (found.behave if found else self.other)(wire)
        return found.keeps if found else True


async def _missing(wire: Wire) -> None:
    await wire.say("404 Not Found", body=b"")


async def _plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What a web server without TLS says to a client that begins with it."""
    with contextlib.suppress(ConnectionError):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await reader.read()
    writer.close()


async def _serve_for_ever(latency: float) -> None:
    async with HostileServer(latency=latency) as server:
        for found in ENDPOINTS.values():
            if not found.tls or found.tls == "none":
                print(f"{found.number:3} {server.url(found.path)}  {found.says}")  # noqa: T201
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serves hostile endpoints on loopback.")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve_for_ever(parser.parse_args().latency))
