"""One request over HTTP: guarded, bounded, and answered whatever happens."""

import asyncio
import errno
import functools
import logging
import os
import resource
import socket
import ssl
import time
import urllib.request
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from openm3w.pipeline.fetch.client.addresses import PRIVATE, refuses
from openm3w.pipeline.fetch.client.attempts import ATTEMPT, Attempt, fault
from openm3w.pipeline.fetch.client.exchange import Exchanges
from openm3w.pipeline.fetch.client.hop import Hop
from openm3w.pipeline.fetch.client.protocol import CarefulConnector
from openm3w.pipeline.fetch.client.resolving import (
    TTL,
    CheckedResolver,
    Place,
    Resolver,
    SystemResolver,
)
from openm3w.pipeline.fetch.client.targets import target
from openm3w.pipeline.fetch.outcomes import Answer
from openm3w.pipeline.fetch.settings import Limits, Manners

ACCEPT = "image/avif,image/webp,image/*,*/*;q=0.8"
"""As browsers ask for a picture: servers that choose by it then send one, not a page around it."""
ACCEPT_ENCODING = "identity"
"""Pictures are compressed already; what comes encoded all the same is undone."""

MAX_LINE = 8190
"""Bytes of a status line: aiohttp's own bound, and Apache's for a request."""
MAX_FIELD = 1 << 15
"""Bytes of a header field (ours): security policies of 10 kB are found on the web."""
MAX_FIELDS = 128
"""Header fields: aiohttp's own bound."""
KEEP_ALIVE = 3.0
"""Seconds that a connection is kept for the next request (ours). A host that is asked at all is
asked every quarter of a second."""

_LOGGER = logging.getLogger(__name__)


class _RefusedAddressError(OSError):
    """A connection that must not be made."""


class Session:
    """Connections to many hosts; `get` asks for one URL and never raises.

    Follows no redirects, keeps no cookies, sends no credentials, and reads no proxy, netrc or
    cookie from the environment. Which addresses may be connected to is checked three times: of the
    URL, of all addresses that its host has (one that is refused refuses the host), and once more
    when a socket is made for one of them, which is the address that is then connected to.
    """

    def __init__(
        self,
        limits: Limits,
        manners: Manners,
        *,
        resolver: Resolver | None = None,
        ttl: float = TTL,
    ) -> None:
        """`resolver` looks names up in the place of the system, and is closed with the session.

        `ttl`: seconds that an address is remembered.
        """
        self._limits = limits
        self._manners = manners
        self._given_resolver = resolver
        self._ttl = ttl
        self._proxies: dict[str, str] = {}
        self._exchanges: Exchanges | None = None
        self._resolver: CheckedResolver | None = None

    async def __aenter__(self) -> Self:
        limits = self._limits
        if limits.allow_private_networks:
            _say_private()
        if limits.proxy_from_environment:
            self._proxies = urllib.request.getproxies_environment()
        resolver = self._given_resolver or SystemResolver()
        self._resolver = CheckedResolver(resolver, self._check, ttl=self._ttl)
        self._exchanges = Exchanges(
            CarefulConnector(
                limit=0,  # who asks how much at once is the business of the queues
                resolver=self._resolver,
                use_dns_cache=False,
                socket_factory=self._socket,
                keepalive_timeout=KEEP_ALIVE,
                most_open=_most_open(),
                ssl=_tls(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
            ),
            headers={
                "User-Agent": self._manners.user_agent,
                "Accept": ACCEPT,
                "Accept-Encoding": ACCEPT_ENCODING,
            },
            timeout=aiohttp.ClientTimeout(
                connect=limits.connect_seconds, sock_read=limits.idle_seconds
            ),
            parsing={
                "max_line_size": MAX_LINE,
                "max_field_size": MAX_FIELD,
                "max_headers": MAX_FIELDS,
            },
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._exchanges is not None:
            await self._exchanges.close()
        if self._resolver is not None:
            await self._resolver.close()

    async def get(self, url: str, max_bytes: int | None = None) -> Answer:
        """What one request to this URL is answered; nothing is raised but cancellation.

        `max_bytes`: of the body, where it is not `Limits.max_bytes`; then the answer holds what
        fits of a body that is `too_large`. Else a declared length beyond the bound ends the answer
        at once. An empty body is no failure here; robots.txt may be empty.
        """
        if self._exchanges is None:
            raise RuntimeError("a Session asks inside `async with` alone")
        begun = time.monotonic()
        limits = self._limits
        aim = target(
            url,
            ports=limits.ports,
            allow_private=limits.allow_private_networks,
            nat64=limits.nat64,
        )
        if aim.url is None:
            return Answer(url=url, reason=aim.reason)
        proxy = self._proxy(aim.url.scheme, aim.url.raw_host or "")
        attempt = Attempt(proxied=proxy is not None)
        hop = Hop(url, limits.max_bytes if max_bytes is None else max_bytes)
        hop.reads_all = max_bytes is None
        token = ATTEMPT.set(attempt)
        try:
            async with asyncio.timeout(self._limits.total_seconds):
                await self._exchanges.get(aim.url, proxy, attempt, hop.read)
        except Exception as error:  # noqa: BLE001  # any other would take the whole bundle with it
            if not hop.is_said:
                hop.reason = fault(error, attempt)
        finally:
            ATTEMPT.reset(token)
        return hop.answer(time.monotonic() - begun)

    def _proxy(self, scheme: str, host: str) -> URL | None:
        if not self._proxies or urllib.request.proxy_bypass(host):
            return None
        proxy = self._proxies.get(scheme) or self._proxies.get("all")
        if not proxy:
            return None
        return URL(proxy if "://" in proxy else f"http://{proxy}")

    def _check(self, places: Sequence[Place]) -> None:
        """Refuses a host for any of its addresses; the resolver asks it, and every connect."""
        attempt = ATTEMPT.get()
        if attempt.proxied:
            return  # the address is the proxy's own, whom the user named
        for address, _ in places:
            kind = refuses(address, nat64=self._limits.nat64)
            if kind and not (self._limits.allow_private_networks and kind in PRIVATE):
                attempt.refused = True
                raise _RefusedAddressError(f"{address} must not be connected to: {kind}")

    def _socket(self, info: tuple[Any, Any, int, str, tuple[Any, ...]]) -> socket.socket:
        family, kind, protocol, _, address = info
        ATTEMPT.get().connects += 1
        self._check([(address[0], 0)])
        try:
            return socket.socket(family, kind, protocol)
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                _say_files()
            raise


def _most_open() -> int:
    """Half of the files that may be open: a crawl of many hosts would keep more connections."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return 1 << 16 if soft == resource.RLIM_INFINITY else soft // 2


@functools.lru_cache(maxsize=4)  # reading the system's certificates takes some 40 ms
def _tls(_file: str | None, _folder: str | None) -> ssl.SSLContext:
    """Verifies; trusts what the system trusts, or what SSL_CERT_FILE and SSL_CERT_DIR name."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(("http/1.1",))
    return context


@functools.cache
def _say_private() -> None:
    _LOGGER.warning(
        "allow_private_networks is on: URLs may lead to this machine and to private networks; "
        "use it for tests alone, never on URLs that others wrote"
    )


@functools.cache
def _say_files() -> None:
    _LOGGER.error(
        "no more files can be opened, and requests fail for it; raise the limit (ulimit -n) or "
        "fetch fewer URLs at a time"
    )
