import gzip
import zlib

import brotli
import pytest
import zstandard

LIMIT = 100_000


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
    ],
)
@pytest.mark.parametrize("chunked", [False, True])
def test_content_encodings_are_undone(archive, tmp_path, encoding, encode, chunked, read_archive):
    body = encode(b"<html>hello</html>")
    headers = [("Content-Encoding", encoding)]
    if chunked:
        headers.append(("Transfer-Encoding", "chunked"))
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    archive.add("http://a.example/", body, headers=tuple(headers)).page(
        "http://a.example/next", "<p>n"
    )

    records, damage = read_archive(archive.write(tmp_path / "a.warc.gz"))

    assert [r.body for r in records] == [b"<html>hello</html>", b"<p>n"]
    assert damage == []


def test_a_bomb_is_cut_at_the_limit_and_the_next_record_is_read(archive, tmp_path, read_archive):
    for encoding, encode in (("gzip", gzip.compress), ("br", brotli.compress)):
        headers = (("Content-Encoding", encoding),)
        archive.add("http://a.example/", encode(b"x" * 5 * LIMIT), headers=headers)
    archive.page("http://a.example/next", "<p>n")

    records, _ = read_archive(archive.write(tmp_path / "a.warc.gz"), max_body=LIMIT)

    assert [(len(r.body), r.body_cut) for r in records] == [
        (LIMIT, True),
        (LIMIT, True),
        (4, False),
    ]


def test_a_payload_that_does_not_decode_is_an_error_of_its_record_only(
    archive, tmp_path, read_archive
):
    archive.add(
        "http://a.example/", b"\x00not brotli at all", headers=(("Content-Encoding", "br"),)
    )
    archive.page("http://a.example/next", "<p>n")

    records, damage = read_archive(archive.write(tmp_path / "a.warc.gz"))

    assert [bool(r.body_error) for r in records] == [True, False]
    assert damage == []


@pytest.mark.parametrize(
    ("encoding", "encode"), [("br", brotli.compress), ("zstd", zstandard.ZstdCompressor().compress)]
)
def test_a_payload_that_was_stored_cut_off_is_an_error(
    archive, tmp_path, encoding, encode, read_archive
):
    body = encode(bytes(range(256)) * 40)
    archive.add(
        "http://a.example/", body[: len(body) // 2], headers=(("Content-Encoding", encoding),)
    )

    (record,), _ = read_archive(archive.write(tmp_path / "a.warc.gz"))

    assert record.body_error
