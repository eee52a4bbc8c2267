"""A web of many hosts behind one port of loopback; what a host does is drawn by its name.

HTTP and TLS come to the same port, told apart by their first byte, so that a resolver that leads
every name there serves both. What is right to make of each address is known: `expected`.
"""

import asyncio
import contextlib
import hashlib
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography import x509
from hostile_certificates import Authority

from openm3w.filters.url import url_key
from openm3w.pipeline.fetch.client.resolving import StubResolver

HERE: Final = "127.0.0.1"
MOVED: Final = "/moved"
DRIP_SECONDS: Final = 0.5
"""Between two bytes: soon enough for every idle time, and longer than any total time in all."""


@dataclass(frozen=True, slots=True)
class Habit:
    """What a host does when it is asked for a picture."""

    name: str
    share: int
    """Of a hundred hosts."""
    reason: str = ""
    """Why there is no picture in the end; "": there is one."""
    requests: int = 1
    """Of each address, redirects and second attempts with them; 0: it is never asked for."""


HABITS: Final = (
    Habit("a picture, or 404 for every tenth", 59),
    Habit("a redirect to the picture", 4, requests=2),
    Habit("500 the first time", 3, requests=2),
    Habit("429 and Retry-After the first time", 2, requests=2),
    Habit("404", 4, "not_found"),
    Habit("403", 4, "http_status"),
    Habit("robots.txt disallows", 4, "robots_disallowed", 0),
    Habit("robots.txt 503", 1, "robots_unreachable", 0),
    Habit("X-Robots-Tag: noai", 2, "opt_out"),
    Habit("tdmrep.json reserves", 1, "opt_out", 0),
    Habit("a page of HTML", 1, "unknown_format"),
    Habit("slower than it may be", 1, "total_timeout"),
    Habit("never a word", 1, "idle_timeout", 0),
    Habit("a certificate of nobody", 1, "tls_failure", 0),
    Habit("nobody listens", 6, "connect_failure", 0),
    Habit("no such name", 6, "dns_failure", 0),
)


def habit_of(host: str) -> Habit:
    """What a host does, for ever."""
    at = _drawn(host, 100)
    for habit in HABITS:
        at -= habit.share
        if at < 0:
            return habit
    raise ValueError("the shares of HABITS are not a hundred")


def _drawn(text: str, number: int) -> int:
    # With this number the largest hosts of LAION's rows have pictures, and the slow ones are small.
    digest = hashlib.blake2b(f"24 {text}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") % number


@dataclass(frozen=True, slots=True)
class Expected:
    """What is right to make of an address."""

    habit: Habit
    reason: str
    requests: int


def expected(url: str) -> Expected:
    """What is right to make of one of the addresses."""
    key = url_key(url)
    habit = habit_of(urlsplit(key).hostname or "")
    if habit.reason == "tls_failure" and key.startswith("http:"):
        return Expected(habit, "", 1)
    if habit is HABITS[0] and not _drawn(key, 10):
        return Expected(habit, "not_found", 1)
    return Expected(habit, habit.reason, habit.requests)


class Web:
    """Serves all hosts of some addresses. An asynchronous context manager.

    `pictures`: by the canonical spelling of an address. `latency`: seconds before each answer.
    """

    def __init__(
        self,
        pictures: Mapping[str, Callable[[], bytes]],
        folder: Path,
        *,
        latency: float = 0.0,
    ) -> None:
        self._pictures = pictures
        self._authority = Authority(folder)
        self._latency = latency
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._gate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._gate.sni_callback = self._chosen
        self._deaf = socket.socket()  # bound, and nobody listens
        self._deaf.bind((HERE, 0))
        self._listener = socket.socket()
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests: Counter[str] = Counter()
        """By address as it was asked for."""
        self.port = 0

    @property
    def authority(self) -> Path:
        """What to trust, as SSL_CERT_FILE."""
        return self._authority.file

    @property
    def deaf_port(self) -> int:
        """Where nobody listens."""
        return int(self._deaf.getsockname()[1])

    async def __aenter__(self) -> "Web":
        self._listener.bind((HERE, 0))
        self._listener.listen(1024)
        self._listener.settimeout(0)
        self.port = int(self._listener.getsockname()[1])
        self._spawn(self._accept())
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._listener.close()
        self._deaf.close()

    def _spawn(self, what: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._listener)
            self._spawn(self._greet(connection))

    async def _greet(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        heard = asyncio.Event()
        loop.add_reader(connection, heard.set)
        try:
            await heard.wait()
        finally:
            loop.remove_reader(connection)
        with contextlib.suppress(OSError):  # of TLS too: the other side does not trust us
            is_tls = connection.recv(1, socket.MSG_PEEK) == b"\x16"
            reader = asyncio.StreamReader()
            writer, protocol = await loop.connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(reader),
                connection,
                ssl=self._gate if is_tls else None,
            )
            stream = asyncio.StreamWriter(writer, protocol, reader, loop)
            try:
                await self._serve(reader, stream, "https" if is_tls else "http")
            finally:
                writer.abort()

    def _chosen(self, tls: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        """Has a connection go on with a certificate for the name that it asks for."""
        host = name or HERE
        if host not in self._contexts:
            names = (x509.DNSName(host),)
            bad = habit_of(host).reason == "tls_failure"
            make = self._authority.self_signed if bad else self._authority.signed
            files = make(f"{len(self._contexts)}", names)
            self._contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._contexts[host].load_cert_chain(*files)
        tls.context = self._contexts[host]

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, scheme: str
    ) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            while True:
                first, *lines = (
                    (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                )
                fields = (line.partition(":") for line in lines)
                host = next(v.strip() for name, _, v in fields if name.lower() == "host")
                url = f"{scheme}://{host}{first.split(' ')[1]}"
                self.requests[url] += 1
                if self._latency:
                    await asyncio.sleep(self._latency)
                await self._answer(url, reader, writer)

    async def _answer(
        self, url: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        habit, path = habit_of(urlsplit(url).hostname or ""), urlsplit(url).path
        if habit.reason == "idle_timeout":
            await reader.read()  # until the other side has had enough
            return
        if habit.reason == "total_timeout" and path not in SITE_FILES:
            await _say(writer, "200 OK", "Content-Length: 1000")
            while True:
                await asyncio.sleep(DRIP_SECONDS)
                writer.write(b"x")
                await writer.drain()
        status, fields, body = self._said(habit, url, path)
        await _say(writer, status, *fields, f"Content-Length: {len(body)}", body=body)

    def _said(self, habit: Habit, url: str, path: str) -> tuple[str, tuple[str, ...], bytes]:
        """Status, header fields and body."""
        if path in SITE_FILES:
            found = SITE_FILES[path].get(habit.name)
            return found or ("404 Not Found", (), b"")
        if expected(url).reason == "not_found":
            return "404 Not Found", (), b"no such picture"
        if habit.reason == "http_status":
            return "403 Forbidden", (), b"not for you"
        if habit.reason == "unknown_format":
            return "200 OK", ("Content-Type: text/html",), b"<html>" + b"a page of its own " * 500
        if habit.name.startswith("a redirect") and not path.startswith(MOVED):
            parts = urlsplit(url)
            place = f"{parts.path}?{parts.query}" if parts.query else parts.path
            return "302 Found", (f"Location: {MOVED}{place}",), b""
        if self.requests[url] == 1 and habit.name.startswith("500"):
            return "500 Oops", (), b""
        if self.requests[url] == 1 and habit.name.startswith("429"):
            return "429 Too Many Requests", ("Retry-After: 1",), b""
        optout = ("X-Robots-Tag: noai",) if habit.name.startswith("X-Robots-Tag") else ()
        picture = self._pictures.get(url_key(url.replace(MOVED, "", 1)))
        if picture is None:
            return "404 Not Found", (), b"asked for what nobody named"
        return "200 OK", ("Content-Type: image/jpeg", *optout), picture()


def resolver(urls: Iterable[str], port: int, deaf_port: int) -> StubResolver:
    """Leads all hosts to a web, but for those of whom nobody listens or who have no address."""
    places = {"connect_failure": [(HERE, deaf_port)], "dns_failure": []}
    hosts = {urlsplit(url_key(url)).hostname or "" for url in urls}
    odd = {host: places[reason] for host in hosts if (reason := habit_of(host).reason) in places}
    return StubResolver(odd, default=[(HERE, port)])


_RESERVED: Final = b'[{"location": "/", "tdm-reservation": 1}]'
SITE_FILES: Final[dict[str, dict[str, tuple[str, tuple[str, ...], bytes]]]] = {
    "/robots.txt": {
        "robots.txt disallows": ("200 OK", (), b"User-agent: *\nDisallow: /\n"),
        "robots.txt 503": ("503 Service Unavailable", (), b""),
    },
    "/.well-known/tdmrep.json": {"tdmrep.json reserves": ("200 OK", (), _RESERVED)},
    "/ai.txt": {},
}
"""What sites say, by path and habit."""


async def _say(writer: asyncio.StreamWriter, status: str, *fields: str, body: bytes = b"") -> None:
    head = "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""])
    writer.write(head.encode("latin-1") + body)
    await writer.drain()
