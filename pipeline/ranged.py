"""A file of which any part can be had, as a file to read."""

import io
from collections.abc import Callable


class Ranged(io.RawIOBase):
    """A file somewhere else, of which each read is one request.

    fsspec's own file objects read ahead, and the one of `memory://` has a single position for all.
    """

    def __init__(self, fetch: Callable[[int, int], bytes], size: int) -> None:
        """A file of `size` bytes; `fetch` gives those from one offset up to another."""
        super().__init__()
        self._fetch = fetch
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        end = self._size if size is None or size < 0 else min(self._at + size, self._size)
        data = self._fetch(self._at, end) if end > self._at else b""
        self._at += len(data)
        return data

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
