"""A record's payload as a browser would have it: transfer and content encoding undone."""

from collections.abc import Callable, Iterator
from typing import Any

import brotli
import zstandard
from warcio.bufferedreaders import ChunkedDataReader

from openm3w.pipeline.parser_errors import PARSER_ERRORS, one_line

_CHUNK = 1 << 20
# Compressed bytes handed to a decoder at once: bounds what a bomb can inflate between two looks
# at the limit (brotli reaches about 1:1e6 on zeros, pages of text 1:10).
_PIECE = 1 << 10


def payload(raw: Any, limit: int) -> tuple[bytes, str]:
    """At most `limit` bytes of the decoded payload, and why decoding stopped, or ""."""
    body = bytearray()
    try:
        for piece in _decoded_pieces(raw):
            body += piece[: limit - len(body)]
            if len(body) >= limit:
                break
    except PARSER_ERRORS as error:
        return bytes(body), one_line(error)
    return bytes(body), ""


def _decoded_pieces(raw: Any) -> Iterator[bytes]:
    """The payload in pieces, transfer and content encoding undone."""
    encoding = (raw.http_headers.get_header("content-encoding") or "") if raw.http_headers else ""
    decode = _DECODERS.get(encoding.strip().lower())
    if decode is None:  # warcio knows chunked, gzip and deflate, and forgives servers that lie
        content = raw.content_stream()
        yield from iter(lambda: content.read(_CHUNK), b"")
        return
    chunked = (raw.http_headers.get_header("transfer-encoding") or "").lower() == "chunked"
    stream = ChunkedDataReader(raw.raw_stream, decomp_type=None) if chunked else raw.raw_stream
    decompress, finished = decode()
    for piece in iter(lambda: stream.read(_PIECE), b""):
        yield decompress(piece)
    if not finished():
        raise EOFError(f"the {encoding} payload ends early")


# warcio's own brotli does not work with the current brotli package, and it has no zstd.
Decoder = tuple[Callable[[bytes], bytes], Callable[[], bool]]


def _brotli() -> Decoder:
    decoder = brotli.Decompressor()
    return decoder.process, decoder.is_finished


def _zstd() -> Decoder:
    decoder = zstandard.ZstdDecompressor().decompressobj()
    return decoder.decompress, lambda: decoder.eof


_DECODERS: dict[str, Callable[[], Decoder]] = {"br": _brotli, "zstd": _zstd}
