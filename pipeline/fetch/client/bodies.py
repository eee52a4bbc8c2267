"""Bodies: their content encoding undone piece by piece, never beyond a bound."""

import io
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import brotli
import zstandard

PIECE = 1 << 16
"""Bytes that a decoder gives at a time (ours): a bomb is noticed one piece too late, no more."""
MAX_LAYERS = 3
"""Encodings one over the other (ours); servers use one, by mistake two."""
MAX_MEMBERS = 64
"""Members of one gzip or zstd stream (ours); servers send one. Each costs a copy of what follows,
so that a body of empty ones would cost the square of its length."""
ZSTD_WINDOW = 8 << 20
"""Bytes; RFC 9659 allows no larger window for a content encoding."""

# A body said to be encoded may be longer than what comes out of it: five bytes in each 16 kB that
# deflate does not compress. What is longer than that holds nothing, on purpose.
_OVERHEAD = 64
_ZSTD_SLICE = 64  # bytes; this decoder knows no bound, and four bytes can mean 128 kB


class BadEncodingError(Exception):
    """The bytes are not in the encoding that the header says."""


class TooLargeError(Exception):
    """The body is larger than it may be."""


class Body:
    """A body as it comes in; at most `max_bytes` are taken, counted when its encodings are undone.

    Words that name no encoding (`utf-8`, `binary`, `none`) are passed over, as browsers do it.
    """

    def __init__(self, encodings: Sequence[str], max_bytes: int) -> None:
        """`encodings`: the values of Content-Encoding headers.

        Raises:
            BadEncodingError: too many encodings.
        """
        words = [word.strip().lower() for value in encodings for word in value.split(",")]
        known = [_LAYERS[word] for word in words if word in _LAYERS]
        if len(known) > MAX_LAYERS:
            raise BadEncodingError
        self._layers = [layer() for layer in reversed(known)]  # listed as they were applied
        self._max_bytes = max_bytes
        self._max_raw = max_bytes + max_bytes // _OVERHEAD + 1024
        self._raw = 0
        self._buffer = io.BytesIO()

    @property
    def is_plain(self) -> bool:
        """Whether the bytes are taken as they come."""
        return not self._layers

    def feed(self, piece: bytes) -> None:
        """Takes the next bytes.

        Raises:
            BadEncodingError: they cannot be undone.
            TooLargeError: the body is too large; what fits is kept.
        """
        if not self._layers:
            self._add(piece)
            return
        self._raw += len(piece)
        if self._raw > self._max_raw:
            raise TooLargeError
        self._undo(0, piece)

    def finish(self) -> bytes:
        """The whole body.

        Raises:
            BadEncodingError: an encoding breaks off.
        """
        # A body of no bytes is no broken one, whatever encoding it is said to have.
        if self._raw and not all(layer.is_complete for layer in self._layers):
            raise BadEncodingError
        return self.taken

    @property
    def taken(self) -> bytes:
        """What was taken so far."""
        return self._buffer.getvalue()  # hands its buffer over without a copy

    def _undo(self, at: int, data: bytes) -> None:
        if at == len(self._layers):
            self._add(data)
            return
        for piece in self._layers[at].undo(data):
            self._undo(at + 1, piece)

    def _add(self, data: bytes) -> None:
        room = self._max_bytes - self._buffer.tell()
        self._buffer.write(data if len(data) <= room else data[:room])
        if len(data) > room:
            raise TooLargeError


class _Layer(Protocol):
    """One encoding."""

    @property
    def is_complete(self) -> bool: ...

    def undo(self, data: bytes) -> Iterator[bytes]: ...


class _Members(ABC):
    """Streams of one or more members, each with a decoder of its own."""

    def __init__(self) -> None:
        self._decoder: Any = None
        self._members = 0

    @property
    def is_complete(self) -> bool:
        return self._decoder is None or bool(self._decoder.eof)

    def undo(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._decoder is None or self._decoder.eof:
                if self._decoder is not None and not self._goes_on(data):
                    return  # what follows the stream is passed over, as browsers do it
                self._members += 1
                if self._members > MAX_MEMBERS:
                    raise BadEncodingError
                self._decoder = self._new(data)
            try:
                yield from self._pieces(data)
            except (zlib.error, zstandard.ZstdError) as error:
                raise BadEncodingError(str(error)) from error
            data = self._decoder.unused_data if self._decoder.eof else b""

    @abstractmethod
    def _goes_on(self, data: bytes) -> bool:
        """Whether another member follows the one that has ended."""

    @abstractmethod
    def _new(self, data: bytes) -> Any:
        """A decoder of the member that begins here."""

    @abstractmethod
    def _pieces(self, data: bytes) -> Iterator[bytes]:
        """What the data are, piece by piece."""


class _Gzip(_Members):
    def _goes_on(self, data: bytes) -> bool:
        return data.startswith(b"\x1f")

    def _new(self, data: bytes) -> Any:  # noqa: ARG002
        return zlib.decompressobj(16 + zlib.MAX_WBITS)

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        while True:
            piece = self._decoder.decompress(data, PIECE)
            if piece:
                yield piece
            data = self._decoder.unconsumed_tail
            if self._decoder.eof or (not data and len(piece) < PIECE):
                return


class _Deflate(_Gzip):
    """With the frame of zlib, as RFC 9110 has it, or without one, as some servers do."""

    def _goes_on(self, data: bytes) -> bool:  # noqa: ARG002
        return False

    def _new(self, data: bytes) -> Any:
        return zlib.decompressobj(zlib.MAX_WBITS if data[0] & 0xF == 8 else -zlib.MAX_WBITS)


class _Zstd(_Members):
    def _goes_on(self, data: bytes) -> bool:
        return data.startswith(b"\x28") or data[0] & 0xF0 == 0x50  # a frame, or one to be skipped

    def _new(self, data: bytes) -> Any:  # noqa: ARG002
        return zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        yield self._decoder.decompress(data)

    def undo(self, data: bytes) -> Iterator[bytes]:
        for start in range(0, len(data), _ZSTD_SLICE):
            yield from super().undo(data[start : start + _ZSTD_SLICE])


class _Brotli:
    def __init__(self) -> None:
        self._decoder = brotli.Decompressor()

    @property
    def is_complete(self) -> bool:
        return bool(self._decoder.is_finished())

    def undo(self, data: bytes) -> Iterator[bytes]:
        if self._decoder.is_finished():
            return
        try:
            while piece := self._decoder.process(data, output_buffer_limit=PIECE):
                yield piece
                data = b""
        except brotli.error as error:
            raise BadEncodingError(str(error)) from error


_LAYERS: dict[str, type[_Layer]] = {
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "deflate": _Deflate,
    "br": _Brotli,
    "zstd": _Zstd,
}
