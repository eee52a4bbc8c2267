"""One connection of the hostile server, and how its endpoints are listed."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hostile import HostileServer

PICTURE = bytes.fromhex(  # 1 x 1, grey
    "ffd8ffe000104a46494600010100000100010000ffdb004300100b0c0e0c0a100e0d0e1211101318281a181616"
    "1831232527283b333d3c3933383740485c4e404457453738506d51575f626768673e4d71797064785c6567"
    "63ffc0000b080001000101011100ffc4001f0000010501010101010100000000000000000102030405060708"
    "090a0bffc400b5100002010303020403050504040000017d01020300041105122131410613516107227114"
    "328191a1082342b1c11552d1f02433627282090a161718191a25262728292a3435363738393a434445464748"
    "494a535455565758595a636465666768696a737475767778797a838485868788898a92939495969798999aa2"
    "a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9"
    "eaf1f2f3f4f5f6f7f8f9faffda0008010100003f002bffd9"
)


class Wire:
    """One connection, from the server's side."""

    def __init__(
        self, server: "HostileServer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.path = ""
        self.number = 0
        """Of the request, on this connection."""
        self.headers: dict[str, str] = {}

    async def request(self) -> bool:
        """Reads the next request; False where none comes."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            return False
        first, *lines = head.decode("latin-1").split("\r\n")[:-2]
        self.path = first.split(" ")[1]
        self.headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        self.number += 1
        self.server.requests[self.path] += 1
        self.server.seen.append((self.path, self.headers))
        return True

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()
        self.server.bytes_sent += len(data)

    async def say(self, status: str = "200 OK", *fields: str, body: bytes | None = None) -> None:
        """A head, and a body with its right length where there is one."""
        lines = [f"HTTP/1.1 {status}", *fields]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        await self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))

    async def forever(self, data: bytes, *, every: float = 0.0) -> None:
        """The same bytes until the other side has had enough."""
        while True:
            await self.send(data)
            await asyncio.sleep(every)

    async def silence(self) -> None:
        """Nothing more, until the other side closes."""
        await self.reader.read()

    def reset(self) -> None:
        """Breaks the connection off: RST instead of FIN."""
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.writer.transport.abort()

    @property
    def here(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"


Behaviour = Callable[[Wire], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One way to misbehave, and what is right to make of it."""

    number: int
    path: str
    says: str
    behave: Behaviour
    reason: str = ""
    """Of the hop."""
    status: int = 200
    """Of the hop; 0: none was understood."""
    body: bytes | None = b""
    location: str = ""
    """Where the hop leads; `{here}` is the server."""
    whole: str | None = None
    """The reason in the end, decoding left out; None: the hop's.

    Redirects are followed (five), passing faults tried again, and of ports only the server's own
    are allowed.
    """
    waits: str = ""
    """`idle` or `total`: the limit that ends it."""
    tls: str = ""
    """`right`, `self-signed`, `wrong-name` or `none`: what the server has where TLS is asked for."""
    keeps: bool = False
    """Whether the connection serves further requests."""


ENDPOINTS: dict[str, Endpoint] = {}
"""By path."""


def endpoint(path: str, says: str, **right: object) -> Callable[[Behaviour], Behaviour]:
    def note(behave: Behaviour) -> Behaviour:
        number = len(ENDPOINTS) + 1
        ENDPOINTS[path] = Endpoint(number=number, path=path, says=says, behave=behave, **right)  # type: ignore[arg-type]
        return behave

    return note
