"""An answer in the making: what is read of a response, and what is not."""

import asyncio

import aiohttp
from aiohttp.http import RawResponseMessage

from openm3w.pipeline.fetch.client.bodies import Body, TooLargeError
from openm3w.pipeline.fetch.client.targets import REDIRECTS, redirected
from openm3w.pipeline.fetch.outcomes import Answer

DRAIN_BYTES = 1 << 16
DRAIN_SECONDS = 1.0
"""What is read of an answer that is not wanted, so that its connection can be kept (ours): about
what a new connection would cost."""


class Hop:
    """An answer in the making."""

    def __init__(self, url: str, max_bytes: int) -> None:
        self.reason = ""
        self.is_said = False
        """Whether what follows can change nothing."""
        self.reads_all = True
        """Whether a body that is too large is of no use."""
        self._url = url
        self._max_bytes = max_bytes
        self._status = 0
        self._headers: tuple[tuple[str, str], ...] = ()
        self._location = ""
        self._body = b""

    async def read(self, message: RawResponseMessage, content: aiohttp.StreamReader) -> None:
        """Takes the head, and of the body what the status makes worth it."""
        self._status = message.code
        self._headers = tuple(
            (name.lower(), value if value.isascii() else _readable(value))
            for name, value in message.headers.items()
        )
        length = int(message.headers.get("Content-Length", 0))
        if message.code == 200:
            await self._read_body(content, length)
            return
        location = message.headers.get("Location", "")
        if message.code in REDIRECTS and location:
            self._location, self.reason = redirected(self._url, location)
        elif message.code < 200:
            self.reason = "bad_response"  # 101: nobody asked for another protocol
        self.is_said = True
        await _drain(content, length)

    async def _read_body(self, content: aiohttp.StreamReader, length: int) -> None:
        encodings = [value for name, value in self._headers if name == "content-encoding"]
        body = Body(encodings, self._max_bytes)
        if self.reads_all and body.is_plain and length > self._max_bytes:
            raise TooLargeError
        try:
            while piece := await content.readany():
                body.feed(piece)
        except TooLargeError:
            self._body = body.taken
            raise
        self._body = body.finish()

    def answer(self, seconds: float) -> Answer:
        return Answer(
            url=self._url,
            reason=self.reason,
            status=self._status,
            headers=self._headers,
            body=self._body,
            location=self._location,
            seconds=seconds,
        )


async def _drain(content: aiohttp.StreamReader, length: int) -> None:
    """Reads the rest of an answer that is not wanted, if it is short; then its connection lives."""
    if length > DRAIN_BYTES:
        return
    seen = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while seen <= DRAIN_BYTES and (piece := await content.readany()):
                seen += len(piece)
    except (TimeoutError, aiohttp.ClientError):
        return  # what matters has been said


def _readable(value: str) -> str:
    """A header's text: UTF-8 where it is that, else ISO-8859-1 (RFC 9110, section 5.5)."""
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes that are no UTF-8 come as lone surrogates
        return value.encode("utf-8", "surrogateescape").decode("latin-1")
    return value
