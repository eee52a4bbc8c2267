"""The bytes of a file, decompressed as they are asked for: gzip and zstd by their first bytes."""

import gzip
import io
import zlib
from contextlib import ExitStack
from typing import Any, BinaryIO, cast

import zstandard

from openm3w.pipeline.remote import File

DECODER_ERRORS = (EOFError, OSError, zlib.error, zstandard.ZstdError)
"""What reading a damaged file raises."""

_BUFFER = 1 << 17
# Compressed bytes handed to the decoder at once: bounds what a bomb inflates to in one step.
_PIECE = 1 << 12
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


def opened(file: File) -> BinaryIO:
    """A file to read from beginning to end.

    Raises:
        OSError: it cannot be opened.
        InputError: it is elsewhere and cannot be read.
    """
    raw = file.open("rb")
    with ExitStack() as failing:
        failing.callback(raw.close)
        head = raw.read(4)
        raw.seek(0)
        failing.pop_all()
    if head[:2] == _GZIP:
        return cast(BinaryIO, _Gzip(raw))
    if head == _ZSTD:
        return cast(BinaryIO, io.BufferedReader(_Zstd(raw), buffer_size=_BUFFER))
    return raw


class _Gzip(gzip.GzipFile):
    """A gzip file that closes what it reads from."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._file = file

    def close(self) -> None:
        super().close()
        self._file.close()


class _Zstd(io.RawIOBase):
    """A zstd file of one or more frames, decompressed; zstandard's own is silent about a cut."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._inside = False
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            if self._frame.eof:
                rest, self._inside = self._frame.unused_data, False
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            else:
                rest = b""
            piece = rest or self._file.read(_PIECE)
            if not piece:
                if self._inside:
                    raise EOFError("the file ends inside a zstd frame: it is cut off")
                return 0
            self._inside = True
            self._ready = memoryview(self._frame.decompress(piece))
        count = min(len(buffer), len(self._ready))
        buffer[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
