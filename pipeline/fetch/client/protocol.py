"""Three holes of aiohttp's client (3.14) that hostile servers find, closed in its own protocol.

The hooks used are no public interface of aiohttp, as what `exchange` uses is none; the tests of the
hostile server tell whether a version has them.
"""

import asyncio
import functools
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

_HEAD_END = b"\r\n\r\n"


class CarefulHandler(ResponseHandler):
    """A connection's protocol.

    - Bytes after the declared length cost the whole answer, where they come in one packet with its
      head: the parser raises before it hands the answer over. So it gets heads by themselves.
    - A chunk that is none ends the parser and not the body, whose reader waits for ever.
    - A reset in a body that ends with its connection passes for its end.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, crowd: "Crowd") -> None:
        super().__init__(loop)
        self._awaits_head = False
        self._crowd = crowd

    @property
    def should_close(self) -> bool:
        return super().should_close or self._crowd.is_full

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._crowd.open += 1
        super().connection_made(transport)

    def set_response_params(self, **params: Any) -> None:
        self._awaits_head = True
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        if self._awaits_head and data:
            end = data.find(_HEAD_END) + len(_HEAD_END)
            if end >= len(_HEAD_END):
                self._awaits_head = False
                if end < len(data):
                    super().data_received(data[:end])
                    data = data[end:]
        super().data_received(data)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        super().set_exception(exc, *cause)
        if isinstance(exc, HttpProcessingError):
            self._break_body(exc)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._crowd.open -= 1
        if exc is not None:
            self._break_body(aiohttp.ClientPayloadError(f"connection lost: {exc!r}"))
        super().connection_lost(exc)

    def _break_body(self, error: BaseException) -> None:
        body = getattr(self, "_payload", None)
        if body is not None and not body.is_eof() and body.exception() is None:
            body.set_exception(error)


@dataclass(slots=True)
class Crowd:
    """How many connections are open, and up to how many are kept when nobody needs them."""

    most: int
    open: int = 0

    @property
    def is_full(self) -> bool:
        return self.open > self.most


class CarefulConnector(aiohttp.TCPConnector):
    """A connector whose connections are careful; with more than `most_open`, none is kept."""

    def __init__(self, *, most_open: int, **settings: Any) -> None:
        super().__init__(**settings)
        crowd = Crowd(most_open)
        self._factory = functools.partial(CarefulHandler, loop=self._loop, crowd=crowd)  # type: ignore[assignment]
