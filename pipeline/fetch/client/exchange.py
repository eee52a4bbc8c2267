"""One request and its answer on a connection of aiohttp's, by its parser and without its session.

What aiohttp's `ClientSession` does for each request beside that - cookies, redirects, traces, its
own second attempts - is never wanted here, and takes two fifths of a request's time. Connectors,
their connections and what those parse are no public interface in all that is used of them, so
that the version of aiohttp is held to one in which the tests of the hostile server pass.
"""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import aiohttp
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from openm3w.pipeline.fetch.client.attempts import Attempt

Read = Callable[[RawResponseMessage, aiohttp.StreamReader], Awaitable[None]]
"""Takes an answer's head, and of its body what it wants."""

MAX_ORIGINS: Final = 4096
"""Origins whose request is remembered (ours), some 2 kB each."""
_SWITCHING_PROTOCOLS: Final = 101


class Exchanges:
    """GET requests, each at most once on a new connection."""

    def __init__(
        self,
        connector: aiohttp.BaseConnector,
        *,
        headers: Mapping[str, str],
        timeout: aiohttp.ClientTimeout,
        parsing: Mapping[str, Any],
    ) -> None:
        """Takes the connector over, for use within a running loop.

        Args:
            connector: closed by `close`.
            headers: sent with each request, beside Host.
            timeout: `connect` and `sock_read`, in seconds.
            parsing: bounds of the parser: `max_line_size`, `max_field_size` and `max_headers`.
        """
        self._connector = connector
        self._headers = headers
        self._timeout = timeout
        self._parsing = parsing
        self._request_to = functools.lru_cache(MAX_ORIGINS)(self._made)

    async def close(self) -> None:
        """Closes all connections."""
        await self._connector.close()

    async def get(self, url: URL, proxy: URL | None, attempt: Attempt, read: Read) -> None:
        """Asks for a URL and has its answer read.

        Asks again only where a connection had been kept, and the server has closed it meanwhile
        (RFC 9112, section 9.3.1) or left something of the answer before on it.

        Raises:
            aiohttp.ClientError, HttpProcessingError, OSError,
            TimeoutError: no answer, or none that can be read.
            Whatever `read` does.
        """
        # To connect, only a URL's origin matters; what a proxy wants is written into its request.
        request = self._made(url, proxy) if proxy else self._request_to(url.origin())
        while True:
            connection = await self._connect(request)
            try:
                try:
                    message, body = await self._ask(connection, _head(request, url))
                except _OF_KEPT:
                    if attempt.connects:
                        raise
                    connection.close()
                    continue
                await read(message, body)
            except BaseException:  # a cancelled one, too, must not be the answer to the next
                connection.close()
                raise
            connection.release()  # closes what is not at its end
            return

    def _made(self, url: URL, proxy: URL | None = None) -> aiohttp.ClientRequest:
        loop = asyncio.get_running_loop()
        return aiohttp.ClientRequest("GET", url, headers=self._headers, proxy=proxy, loop=loop)

    async def _connect(self, request: aiohttp.ClientRequest) -> Connection:
        try:
            return await self._connector.connect(request, traces=[], timeout=self._timeout)
        except TimeoutError as error:
            raise aiohttp.ConnectionTimeoutError(f"no connection to {request.url}") from error

    async def _ask(
        self, connection: Connection, head: bytes
    ) -> tuple[RawResponseMessage, aiohttp.StreamReader]:
        protocol = connection.protocol
        if protocol is None or protocol.transport is None or protocol.transport.is_closing():
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(
            read_until_eof=True,
            auto_decompress=False,
            read_timeout=self._timeout.sock_read,
            **self._parsing,
        )
        protocol.transport.write(head)
        protocol.start_timeout()
        while True:
            message, body = await protocol.read()
            if not 100 <= message.code < 200 or message.code == _SWITCHING_PROTOCOLS:
                return message, body


_OF_KEPT = (
    aiohttp.ClientOSError,
    aiohttp.ServerDisconnectedError,
    HttpProcessingError,
)
"""What a kept connection breaks with before there is an answer."""


def _head(request: aiohttp.ClientRequest, url: URL) -> bytes:
    """The request as it is sent: to a proxy of plain HTTP with the whole URL."""
    aim = str(url) if request.proxy and not request.is_ssl() else url.raw_path_qs
    fields = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"GET {aim} HTTP/1.1\r\n{fields}\r\n".encode()
