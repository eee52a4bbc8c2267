"""JSON lines, plain or compressed, to objects; damage is a value.

A line that does not parse costs only itself. A compressed file that is cut off ends with a value
that says so, after the lines before the cut.
"""

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import zstandard

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson", ".ndjson.gz", ".ndjson.zst")

MAX_LINE_BYTES = 64_000_000
"""Ours: a longer line is a file of another kind, and would fill the memory."""

_DECODER_ERRORS = (EOFError, OSError, zlib.error, zstandard.ZstdError)
# Compressed bytes handed to the decoder at once: bounds what a bomb inflates to in one step.
_PIECE = 1 << 12
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line that is not blank."""

    number: int
    """From 1, blank lines counted: what an editor shows."""
    value: dict[str, Any]
    error: str = ""
    """`malformed_json`, `not_an_object`, `line_too_long`, `damaged_file`, or ""."""
    detail: str = ""


def read_lines(path: Path) -> Iterator[Line]:
    """The lines of a file, compressed as its first bytes say."""
    number = 0
    try:
        with _opened(path) as file:
            while raw := file.readline(MAX_LINE_BYTES + 1):
                number += 1
                if len(raw) > MAX_LINE_BYTES:
                    yield _failed(number, "line_too_long", f"over {MAX_LINE_BYTES} bytes")
                    _skip_line(file)
                elif raw.strip():
                    yield parse(number, raw)
    except _DECODER_ERRORS as error:
        yield _failed(number + 1, "damaged_file", " ".join(str(error).split())[:200])


def parse(number: int, raw: bytes) -> Line:
    """One line as an object, or as an error."""
    try:
        value = json.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError) as error:
        return _failed(number, "malformed_json", str(error)[:100])
    if not isinstance(value, dict):
        return _failed(number, "not_an_object", f"found {type(value).__name__}")
    return Line(number=number, value=value)


def plain_text(value: str) -> str:
    """`value` without lone surrogates, which JSON can spell and UTF-8 cannot."""
    return value.encode("utf-8", "replace").decode()


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        head = file.read(4)
    if head[:2] == _GZIP:
        return gzip.open(path)  # type: ignore[return-value]
    if head == _ZSTD:
        return io.BufferedReader(_ZstdFile(path), buffer_size=1 << 17)
    return path.open("rb")


class _ZstdFile(io.RawIOBase):
    """A zstd file of one or more frames, decompressed; zstandard's own is silent about a cut."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
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


def _skip_line(file: BinaryIO) -> None:
    while (piece := file.readline(MAX_LINE_BYTES)) and not piece.endswith(b"\n"):
        pass


def _failed(number: int, error: str, detail: str) -> Line:
    return Line(number=number, value={}, error=error, detail=detail)
