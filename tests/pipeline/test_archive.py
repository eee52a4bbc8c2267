import gzip
import io
import random

import pytest

from openm3w.pipeline.archive import read_record_at
from openm3w.shards.document import make_doc_id

LIMIT = 1_000_000


def arc(path, urls):
    """An ARC file (version 1, not compressed) with a page at each address."""
    version = b"1 0 test\nURL IP-address Archive-date Content-type Archive-length\n"
    parts = [b"filedesc://%s 0.0.0.0 20080430204825 text/plain %d\n" % (b"a.arc", len(version))]
    parts.append(version)
    for url in urls:
        http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>" + url.encode()
        parts.append(f"\n{url} 127.0.0.1 20080430204825 text/html {len(http)}\n".encode() + http)
    path.write_bytes(b"".join(parts) + b"\n")
    return path


def test_a_record_carries_its_place_headers_and_payload(archive, tmp_path, read_archive):
    path = archive.page(
        "http://a.example/", "<html>x</html>", headers=(("X-Robots-Tag", "noai"),)
    ).write(tmp_path / "a.warc.gz")

    (record,), damage = read_archive(path)

    assert damage == []
    assert (record.url, record.status, record.body) == ("http://a.example/", 200, b"<html>x</html>")
    assert record.header("x-robots-tag") == "noai"
    assert (record.offset, record.length) == (0, path.stat().st_size)
    assert record.content_kind == "html"


def test_a_record_is_read_again_by_its_offset(archive, tmp_path):
    archive.page("http://a.example/1", "<p>1").page("http://a.example/2", "<p>2")
    path = archive.write(tmp_path / "a.warc.gz")

    with path.open("rb") as file:
        record = read_record_at(file, archive.offsets[1], max_body=LIMIT)

    assert record.url == "http://a.example/2"


def test_a_plain_archive_reads_like_a_compressed_one(archive, tmp_path, read_archive):
    archive.page("http://a.example/1", "<p>1").image("http://a.example/i.png", b"\x89PNG\r\n\x1a\n")
    packed = archive.write(tmp_path / "a.warc.gz")
    plain = tmp_path / "a.warc"
    plain.write_bytes(gzip.decompress(archive.bytes()))

    assert [r.body for r in read_archive(plain)[0]] == [r.body for r in read_archive(packed)[0]]
    assert [r.content_kind for r in read_archive(plain)[0]] == ["html", "image"]


def test_an_arc_file_reads_the_same_every_time_and_its_records_have_no_ids(tmp_path, read_archive):
    path = arc(tmp_path / "a.arc", ["http://a.example/1", "http://a.example/2"])

    once, damage = read_archive(path)

    assert damage == []
    assert [r.url for r in once if r.kind == "response"] == [
        "http://a.example/1",
        "http://a.example/2",
    ]
    assert {r.record_id for r in once} == {""}
    assert {r.date for r in once} == {"2008-04-30T20:48:25Z"}
    assert len({make_doc_id(r.record_id, "a.arc", r.offset) for r in once}) == 3
    assert read_archive(path)[0] == once
    with path.open("rb") as file:
        assert read_record_at(file, once[-1].offset, max_body=LIMIT) == once[-1]


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_cut_off_archive_keeps_the_records_before_and_says_where(
    archive, tmp_path, cut, read_archive
):
    archive.page("http://a.example/1", "<p>1").page("http://a.example/2", "<p>2" * 100)
    path = tmp_path / "a.warc.gz"
    path.write_bytes(archive.bytes()[:-cut])

    records, (damage,) = read_archive(path)

    assert records[0].url == "http://a.example/1"
    assert damage.offset == archive.offsets[1]


def test_damage_in_a_member_keeps_the_records_before(archive, tmp_path, read_archive):
    archive.page("http://a.example/1", "<p>1").page("http://a.example/2", "<p>2" * 100)
    data = bytearray(archive.bytes())
    data[archive.offsets[1] + 1] ^= 0xFF
    path = tmp_path / "a.warc.gz"
    path.write_bytes(data)

    records, damage = read_archive(path)

    assert [r.url for r in records] == ["http://a.example/1"]
    assert len(damage) == 1


@pytest.mark.parametrize(
    "content", [b"", b"no archive at all", gzip.compress(b"neither", mtime=0), b"\x1f\x8b\x08"]
)
def test_a_file_that_is_no_archive_is_damage_at_its_beginning(tmp_path, content, read_archive):
    path = tmp_path / "a.warc.gz"
    path.write_bytes(content)

    records, (damage,) = read_archive(path)

    assert records == []
    assert damage.offset == 0


def test_a_plain_record_that_ends_early_is_marked(archive, tmp_path, read_archive):
    plain = gzip.decompress(archive.page("http://a.example/1", "<p>" + "x" * 500).bytes())
    path = tmp_path / "a.warc"
    path.write_bytes(plain[:-200])

    (record,), _ = read_archive(path)

    assert "cut off" in record.body_error


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        ("text/html", b"plain words", "html"),
        ("text/html", b"\x89PNG\r\n\x1a\n", "image"),
        ("", b"<html>", "html"),
        ("text/plain", b"<html>", "html"),
        ("application/json", b"<html>", "other"),
        ("image/svg+xml", b"<svg>", "image"),
    ],
)
def test_header_and_bytes_decide_together_what_a_payload_is(
    archive, tmp_path, content_type, body, kind, read_archive
):
    path = archive.add("http://a.example/", body, content_type=content_type).write(
        tmp_path / "a.warc.gz"
    )

    assert read_archive(path)[0][0].content_kind == kind


@pytest.mark.real
def test_every_real_and_damaged_archive_is_read_without_an_exception(realdata, read_archive):
    counts = {
        path.name: tuple(map(len, read_archive(path)))
        for path in sorted((realdata / "warc").rglob("*"))
        if path.is_file()
    }

    assert counts["gimp-help-en-200.warc.gz"] == (854, 0)
    assert counts["archivesunleashed-aut_example.arc.gz"] == (300, 0)
    assert counts["transfer_compression_brotli.warc.gz"] == (5, 0)
    assert counts["chatnoir-eu-chatnoir-resiliparse_clipped.warc.gz"] == (1, 1)


def test_stderr_of_the_parser_is_not_needed_to_notice_a_short_content_length(
    archive, tmp_path, read_archive
):
    plain = gzip.decompress(archive.page("http://a.example/1", "<p>1").bytes())
    stream = io.BytesIO(plain.replace(b"WARC/1.0", b"WORC/1.0", 1))
    path = tmp_path / "a.warc"
    path.write_bytes(stream.getvalue())

    assert len(read_archive(path)[1]) == 1


def test_a_response_without_an_address_costs_only_itself(archive, tmp_path, read_archive):
    plain = gzip.decompress(archive.page("http://a.example/1", "<p>1").bytes())
    nameless = plain.replace(b"WARC-Target-URI: http://a.example/1\r\n", b"", 1)
    path = tmp_path / "a.warc"
    path.write_bytes(nameless + plain)

    records, damage = read_archive(path)

    assert [(r.url, r.status, r.body) for r in records] == [
        ("", 200, b"<p>1"),
        ("http://a.example/1", 200, b"<p>1"),
    ]
    assert damage == []


def test_a_block_that_does_not_inflate_is_damage_of_its_member_and_prints_nothing(
    archive, tmp_path, capsys, read_archive
):
    noise = random.Random(1).randbytes(100_000)
    archive.page("http://a.example/1", "<p>1").image("http://a.example/2.png", noise)
    data = bytearray(archive.bytes())
    at = archive.offsets[1]
    data[at + 60_000 : at + 60_100] = b"\xff" * 100
    path = tmp_path / "a.warc.gz"
    path.write_bytes(data)

    records, (damage,) = read_archive(path)

    assert records[0].url == "http://a.example/1"
    assert damage.offset == at
    assert capsys.readouterr().err == ""


def test_http_headers_are_read_whatever_the_address_is(archive, tmp_path, read_archive):
    path = archive.page("local:page.html", "<html>x</html>").write(tmp_path / "a.warc.gz")

    (record,), _ = read_archive(path)

    assert (record.status, record.content_type, record.body) == (
        200,
        "text/html",
        b"<html>x</html>",
    )


@pytest.mark.parametrize("block", [b"", b"no status line at all\r\n\r\nwords"])
def test_a_response_without_http_headers_costs_only_itself(archive, tmp_path, block, read_archive):
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: local:x\r\nWARC-Record-ID: <urn:x>\r\n"
        "WARC-Date: 2024-01-01T00:00:00Z\r\nContent-Type: application/http\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    )
    archive.page("http://a.example/next", "<p>n")
    path = tmp_path / "a.warc"
    path.write_bytes(head.encode() + block + b"\r\n\r\n" + gzip.decompress(archive.bytes()))

    records, damage = read_archive(path)

    assert [record.status for record in records] == [0, 200]
    assert damage == []
