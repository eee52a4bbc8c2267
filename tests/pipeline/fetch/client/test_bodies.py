"""Tests of bodies: every encoding undone in pieces of every size, broken ones, and bombs."""

import gzip
import random
import tracemalloc
import zlib

import brotli
import pytest
import zstandard

from openm3w.pipeline.fetch.client.bodies import MAX_MEMBERS, BadEncodingError, Body, TooLargeError

PLAIN = random.Random(0).randbytes(200_000) + bytes(300_000)


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


ENCODERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstandard.compress,
}


def undone(
    data: bytes, *encodings: str, max_bytes: int = len(PLAIN), piece: int = 1 << 16
) -> bytes:
    body = Body(encodings, max_bytes)
    for at in range(0, len(data), piece):
        body.feed(data[at : at + piece])
    return body.finish()


@pytest.mark.parametrize("piece", [997, 1 << 16, 1 << 30])
@pytest.mark.parametrize("name", ENCODERS)
def test_every_encoding_is_undone_in_pieces_of_every_size(name: str, piece: int) -> None:
    assert undone(ENCODERS[name](PLAIN), name, piece=piece) == PLAIN


def test_deflate_without_its_frame_is_undone_too() -> None:
    assert undone(_raw_deflate(PLAIN), "deflate", piece=997) == PLAIN


@pytest.mark.parametrize(
    "encodings",
    [(), ("identity",), ("",), ("utf-8",), ("none", "binary"), ("image/jpeg, 8bit",)],
)
def test_words_that_are_no_encoding_are_passed_over(encodings: tuple[str, ...]) -> None:
    assert undone(PLAIN, *encodings) == PLAIN
    assert Body(encodings, 1).is_plain
    assert not Body(("gzip",), 1).is_plain


def test_encodings_are_undone_in_the_reverse_of_their_order() -> None:
    twice = brotli.compress(gzip.compress(PLAIN), quality=1)

    assert undone(twice, "gzip, br") == PLAIN
    assert undone(twice, "GZIP ", "br") == PLAIN
    with pytest.raises(BadEncodingError):
        undone(twice, "br, gzip")


def test_three_layers_are_undone_and_four_refused() -> None:
    three = gzip.compress(gzip.compress(gzip.compress(b"picture")))

    assert undone(three, "gzip,gzip,gzip") == b"picture"
    with pytest.raises(BadEncodingError):
        undone(gzip.compress(three), "gzip,gzip,gzip,gzip")


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_members_follow_each_other_up_to_a_number(name: str) -> None:
    one, none = ENCODERS[name](b"one"), ENCODERS[name](b"")

    assert undone(one * MAX_MEMBERS, name) == b"one" * MAX_MEMBERS
    with pytest.raises(BadEncodingError):
        undone(none * (MAX_MEMBERS + 1), name)


@pytest.mark.parametrize("name", ["gzip", "deflate", "zstd"])
def test_bytes_after_the_stream_are_passed_over(name: str) -> None:
    assert undone(ENCODERS[name](PLAIN) + b"\r\n", name) == PLAIN


@pytest.mark.parametrize("cut", [1, 7, 5_000, -1])
@pytest.mark.parametrize("name", ENCODERS)
def test_a_stream_that_breaks_off_is_bad(name: str, cut: int) -> None:
    with pytest.raises(BadEncodingError):
        undone(ENCODERS[name](PLAIN)[:cut], name)


@pytest.mark.parametrize("name", ENCODERS)
def test_what_is_not_encoded_as_it_says_is_bad_and_nothing_is_nothing(name: str) -> None:
    with pytest.raises(BadEncodingError):
        undone(b"\xff\xd8\xff\xe0\x00\x10JFIF" * 100, name)
    assert undone(b"", name) == b""


@pytest.mark.parametrize("name", ["identity", *ENCODERS])
def test_the_bound_is_on_what_comes_out_and_what_fits_is_kept(name: str) -> None:
    data = ENCODERS[name](PLAIN) if name in ENCODERS else PLAIN

    assert undone(data, name, max_bytes=len(PLAIN)) == PLAIN
    body = Body((name,), len(PLAIN) - 1)
    with pytest.raises(TooLargeError):
        body.feed(data)
    assert body.taken == PLAIN[:-1]


def test_a_stream_that_yields_nothing_is_bounded_by_what_goes_in() -> None:
    body = Body(("gzip",), 10_000)
    body.feed(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
    for _ in range(11):
        body.feed(b"\x00\x00\x00\xff\xff" * 200)
    with pytest.raises(TooLargeError):
        body.feed(b"\x00\x00\x00\xff\xff" * 200)
    assert body.taken == b""


@pytest.mark.parametrize("name", ["gzip", "br", "zstd"])
def test_a_bomb_takes_no_more_memory_than_its_bound(name: str) -> None:
    bomb = ENCODERS[name](bytes(100_000_000))
    body = Body((name,), 1_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError):
            body.feed(bomb)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 8_000_000
