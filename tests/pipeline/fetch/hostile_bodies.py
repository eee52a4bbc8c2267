"""Endpoints of the hostile server: good answers, slow ones, large ones, and lengths that lie."""

import asyncio
import functools
import gzip
import zlib

import brotli
import zstandard
from hostile_wire import PICTURE, Wire, endpoint

EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"  # of deflate: five bytes that stand for none


# Answers that are good, in every shape that HTTP has.


@endpoint("/good", "a picture with its length", body=PICTURE, keeps=True)
async def good(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Type: image/jpeg", body=PICTURE)


@endpoint("/chunked", "a picture in chunks", body=PICTURE, keeps=True)
async def chunked(wire: Wire) -> None:
    await wire.say("200 OK", "Transfer-Encoding: chunked")
    for at in range(0, len(PICTURE), 50):
        piece = PICTURE[at : at + 50]
        await wire.send(b"%x;lie=1\r\n%b\r\n" % (len(piece), piece))
    await wire.send(b"0\r\nTrailer: yes\r\n\r\n")


@endpoint("/until-close", "a picture that ends where the connection does", body=PICTURE)
async def until_close(wire: Wire) -> None:
    await wire.say()
    await wire.send(PICTURE)


@endpoint("/http10", "HTTP/1.0", body=PICTURE)
async def http10(wire: Wire) -> None:
    await wire.send(b"HTTP/1.0 200 Fine\r\n\r\n" + PICTURE)


@endpoint("/gzip", "a gzip picture, though nobody asked for one", body=PICTURE, keeps=True)
async def gzipped(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Encoding: gzip", body=gzip.compress(PICTURE))


@endpoint("/raw-deflate", "deflate without its frame", body=PICTURE, keeps=True)
async def raw_deflate(wire: Wire) -> None:
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(PICTURE) + packer.flush()
    await wire.say("200 OK", "Content-Encoding: deflate", body=packed)


@endpoint("/encoding-utf-8", "an encoding that is none", body=PICTURE, keeps=True)
async def encoding_utf8(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Encoding: utf-8", body=PICTURE)


@endpoint("/early-hints", "103 and 100 before the answer", body=PICTURE, keeps=True)
async def early_hints(wire: Wire) -> None:
    await wire.say("103 Early Hints", "Link: </x.css>; rel=preload")
    await wire.say("100 Continue")
    await wire.say(body=PICTURE)


@endpoint("/latin-1", "bytes beyond ASCII in headers", body=PICTURE, keeps=True)
async def latin1(wire: Wire) -> None:
    await wire.say("200 OK", 'ETag: "caf\xe9"', "X-Utf: \xc3\xa9", body=PICTURE)


@endpoint("/cookies", "a cookie that must not come back", body=PICTURE, keeps=True)
async def cookies(wire: Wire) -> None:
    await wire.say("200 OK", "Set-Cookie: id=1; Path=/", body=PICTURE)


@endpoint("/big-field", "a policy of 20 kB", body=PICTURE, keeps=True)
async def big_field(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Security-Policy: " + "x" * 20_000, body=PICTURE)


@endpoint("/no-reason", "a status line without a reason", body=PICTURE, keeps=True)
async def no_reason(wire: Wire) -> None:
    await wire.say("200", body=PICTURE)


@endpoint("/bare-lf", "lines that end as in Unix", body=PICTURE, keeps=True)
async def bare_lf(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 200 OK\nContent-Length: %d\n\n" % len(PICTURE) + PICTURE)


@endpoint("/folded", "a header on two lines", body=PICTURE, whole="opt_out", keeps=True)
async def folded(wire: Wire) -> None:
    await wire.say("200 OK", "X-Robots-Tag: noindex,\r\n noai", body=PICTURE)


# Time.


@endpoint(
    "/slow-body", "a byte now and then, for ever", reason="total_timeout", waits="total", body=b""
)
async def slow_body(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Length: 100000")
    await wire.forever(b"x", every=0.02)


@endpoint("/stalled-body", "half a body, then nothing", reason="idle_timeout", waits="idle")
async def stalled_body(wire: Wire) -> None:
    await wire.say("200 OK", f"Content-Length: {len(PICTURE)}")
    await wire.send(PICTURE[:100])
    await wire.silence()


@endpoint(
    "/slow-headers",
    "a byte of a header now and then",
    reason="total_timeout",
    status=0,
    waits="total",
)
async def slow_headers(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    await wire.forever(b"x", every=0.02)


@endpoint("/silent", "no answer at all", reason="idle_timeout", status=0, waits="idle")
async def silent(wire: Wire) -> None:
    await wire.silence()


@endpoint(
    "/stalled-headers", "half a head, then nothing", reason="idle_timeout", status=0, waits="idle"
)
async def stalled_headers(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    await wire.silence()


@endpoint("/endless-100", "100 Continue, for ever", reason="total_timeout", status=0, waits="total")
async def endless_100(wire: Wire) -> None:
    await wire.forever(b"HTTP/1.1 100 Continue\r\n\r\n", every=0.01)


@endpoint("/slow-404", "a 404 whose page never ends", status=404, whole="not_found")
async def slow_404(wire: Wire) -> None:
    await wire.say("404 Not Found", "Transfer-Encoding: chunked")
    await wire.forever(b"1\r\nx\r\n", every=0.02)


# Size.


@endpoint("/infinite", "a body without end", reason="too_large", body=None)
async def infinite(wire: Wire) -> None:
    await wire.say()
    await wire.forever(b"\xff" * 65536)


@endpoint("/infinite-chunks", "chunks of one byte without end", reason="too_large", body=None)
async def infinite_chunks(wire: Wire) -> None:
    await wire.say("200 OK", "Transfer-Encoding: chunked")
    await wire.forever(b"1\r\nx\r\n" * 10_000)


@endpoint("/said-too-large", "a length beyond every bound", reason="too_large", body=b"")
async def said_too_large(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Length: 1000000000000")
    await wire.forever(b"\xff" * 65536)


@functools.cache
def bomb(name: str) -> bytes:
    """300 MB of nothing."""
    piece, pieces = bytes(1 << 20), 300
    if name == "gzip":
        packer = zlib.compressobj(9, wbits=31)
        return b"".join(packer.compress(piece) for _ in range(pieces)) + packer.flush()
    if name == "br":
        squeezer = brotli.Compressor(quality=1)
        return b"".join(squeezer.process(piece) for _ in range(pieces)) + squeezer.finish()
    writer = zstandard.ZstdCompressor().compressobj()
    return b"".join(writer.compress(piece) for _ in range(pieces)) + writer.flush()


@endpoint("/bomb-gzip", "300 MB in 300 kB", reason="too_large", body=None)
async def bomb_gzip(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Encoding: gzip", body=bomb("gzip"))


@endpoint("/bomb-br", "300 MB in a few hundred bytes", reason="too_large", body=None)
async def bomb_br(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Encoding: br", body=bomb("br"))


@endpoint("/bomb-zstd", "300 MB in 9 kB", reason="too_large", body=None)
async def bomb_zstd(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Encoding: zstd", body=bomb("zstd"))


@endpoint("/bomb-twice", "a bomb packed twice", reason="too_large", body=None)
async def bomb_twice(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Encoding: gzip, gzip", body=gzip.compress(bomb("gzip")))


@endpoint("/gzip-of-nothing", "gzip that never yields a byte", reason="too_large", body=b"")
async def gzip_of_nothing(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Encoding: gzip")
    await wire.send(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
    await wire.forever(EMPTY_BLOCK * 10_000)


@endpoint("/many-members", "a gzip member for every 20 bytes", reason="bad_encoding")
async def many_members(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Encoding: gzip", body=gzip.compress(b"") * 5_000)


@endpoint("/many-layers", "gzip in gzip in gzip in gzip", reason="bad_encoding")
async def many_layers(wire: Wire) -> None:
    body = functools.reduce(lambda data, _: gzip.compress(data), range(4), PICTURE)
    await wire.say(
        "200 OK", "Content-Encoding: gzip, gzip", "Content-Encoding: gzip,gzip", body=body
    )


@endpoint("/many-headers", "a thousand headers", reason="bad_response", status=0)
async def many_headers(wire: Wire) -> None:
    await wire.say("200 OK", *(f"X-{i}: y" for i in range(1000)), body=PICTURE)


@endpoint("/huge-header", "a header of 1 MB", reason="bad_response", status=0)
async def huge_header(wire: Wire) -> None:
    await wire.say("200 OK", "X-Huge: " + "y" * 1_000_000, body=PICTURE)


@endpoint("/infinite-header", "a header without end", reason="bad_response", status=0)
async def infinite_header(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 200 OK\r\nX-Huge: ")
    await wire.forever(b"y" * 65536)


@endpoint("/infinite-status", "a status line without end", reason="bad_response", status=0)
async def infinite_status(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 200 ")
    await wire.forever(b"y" * 65536)


@endpoint("/infinite-trailer", "a trailer without end", reason="bad_response")
async def infinite_trailer(wire: Wire) -> None:
    await wire.say("200 OK", "Transfer-Encoding: chunked")
    await asyncio.sleep(0.02)
    await wire.send(b"1\r\nx\r\n0\r\nX-Trailer: ")
    await wire.forever(b"y" * 65536)


@endpoint("/infinite-trailers", "trailers without end", reason="bad_response")
async def infinite_trailers(wire: Wire) -> None:
    await wire.say("200 OK", "Transfer-Encoding: chunked")
    await asyncio.sleep(0.02)
    await wire.send(b"1\r\nx\r\n0\r\n")
    await wire.forever(b"X-Trailer: y\r\n" * 100)


@endpoint(
    "/infinite-extension", "a chunk extension without end", reason="total_timeout", waits="total"
)
async def infinite_extension(wire: Wire) -> None:
    await wire.say("200 OK", "Transfer-Encoding: chunked")
    await wire.send(b"1;x=")
    await wire.forever(b"y" * 1000, every=0.01)


# Lengths that lie.


@endpoint("/short", "fewer bytes than promised", reason="connection_lost")
async def short(wire: Wire) -> None:
    await wire.say("200 OK", f"Content-Length: {len(PICTURE) + 100}")
    await wire.send(PICTURE)


@endpoint("/long", "more bytes than promised", body=PICTURE[:100])
async def long(wire: Wire) -> None:
    # RFC 9112, section 6.3: the length decides; what follows belongs to no answer of ours.
    await wire.say("200 OK", "Content-Length: 100")
    await wire.send(PICTURE[:100])
    await asyncio.sleep(0.02)
    await wire.send(PICTURE[100:])


@endpoint("/long-at-once", "more bytes than promised, in one packet", body=PICTURE[:100])
async def long_at_once(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + PICTURE)


@endpoint("/two-lengths", "two lengths that differ", reason="bad_response", status=0)
async def two_lengths(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Length: 3", body=PICTURE)


@endpoint("/negative-length", "a length below zero", reason="bad_response", status=0)
async def negative_length(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Length: -1")
    await wire.send(PICTURE)


@endpoint("/length-and-chunks", "a length beside chunks", reason="bad_response", status=0)
async def length_and_chunks(wire: Wire) -> None:
    # RFC 9112, section 6.1: a smuggler's tool, or an error.
    await wire.say("200 OK", "Transfer-Encoding: chunked", "Content-Length: 3")
    await wire.send(b"3\r\nabc\r\n0\r\n\r\n")


@endpoint("/cut-chunks", "chunks that break off", reason="connection_lost")
async def cut_chunks(wire: Wire) -> None:
    await wire.say("200 OK", "Transfer-Encoding: chunked")
    await wire.send(b"64\r\n" + PICTURE[:100] + b"\r\n64\r\n" + PICTURE[:20])


@endpoint("/no-last-chunk", "chunks without a last one", reason="connection_lost")
async def no_last_chunk(wire: Wire) -> None:
    await wire.say("200 OK", "Transfer-Encoding: chunked")
    await wire.send(b"64\r\n" + PICTURE[:100] + b"\r\n")


@endpoint("/chunk-lies", "a chunk longer than its size", reason="bad_response")
async def chunk_lies(wire: Wire) -> None:
    await wire.say("200 OK", "Transfer-Encoding: chunked")
    await asyncio.sleep(0.02)
    await wire.send(b"5\r\n" + PICTURE[:100] + b"\r\n0\r\n\r\n")
    await wire.silence()


@endpoint("/chunk-no-hex", "a chunk size that is no number", reason="bad_response")
async def chunk_no_hex(wire: Wire) -> None:
    await wire.say("200 OK", "Transfer-Encoding: chunked")
    await asyncio.sleep(0.02)
    await wire.send(b"many\r\n" + PICTURE + b"\r\n0\r\n\r\n")
    await wire.silence()


@endpoint("/bad-gzip", "a picture said to be gzip", reason="bad_encoding")
async def bad_gzip(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Encoding: gzip", body=PICTURE)


@endpoint(
    "/cut-gzip", "half a gzip stream, with its right length", reason="bad_encoding", keeps=True
)
async def cut_gzip(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Encoding: gzip", body=gzip.compress(PICTURE)[:-20])
