"""What must never be asked for, looked up anew while a fetcher works."""

import asyncio
import threading
import time
from collections.abc import Callable
from math import inf
from typing import Final, Protocol

EVERY: Final = 5.0
"""Seconds after which is looked again while URLs are asked for. Ours: a listing of a folder, or a
request to an object store, beside some hundred requests of images."""


class Covers(Protocol):
    """What must never be asked for."""

    def covers(self, url: str) -> bool: ...


class Nothing:
    """Covers nothing."""

    def covers(self, url: str) -> bool:  # noqa: ARG002
        return False


class Forbidden:
    """What a look last found. `look` gives what is forbidden now; it may block, and may raise."""

    def __init__(
        self, look: Callable[[], Covers], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._look = look
        self._clock = clock
        self._covers: Covers = Nothing()
        self._at = -inf
        self._finding = threading.Lock()
        self._waiting = asyncio.Lock()

    def look(self) -> None:
        """Looks now, in the caller's thread.

        Raises:
            Whatever the look does.
        """
        at = self._clock()
        covers = self._look()
        with self._finding:
            if at >= self._at:  # else somebody looked later, and was quicker
                self._covers, self._at = covers, at

    def covers(self, url: str) -> bool:
        """Whether a URL is forbidden, as far as is known."""
        return self._covers.covers(url)

    async def covers_now(self, url: str) -> bool:
        """Whether a URL is forbidden, as of at most `EVERY` seconds ago.

        One of all that wait looks, in a thread beside the loop.

        Raises:
            Whatever the look does.
        """
        if self._is_old:
            async with self._waiting:
                if self._is_old:
                    await asyncio.to_thread(self.look)
        return self.covers(url)

    @property
    def _is_old(self) -> bool:
        return self._clock() - self._at >= EVERY
