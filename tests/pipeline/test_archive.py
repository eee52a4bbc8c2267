import gzip
import io
import random
import zlib

import brotli
import pytest
import zstandard

from openm3w.pipeline.archive import Damage, Record, read_record_at, read_records, sniff
from openm3w.shards.document import make_doc_id

LIMIT = 1_000_000


def read(path):
    found = list(read_records(path, max_body=LIMIT))
    records = [item for item in found if isinstance(item, Record)]
    return records, [item for item in found if isinstance(item, Damage)]


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


def test_a_record_carries_its_place_headers_and_payload(archive, tmp_path):
    path = archive.page(
        "http://a.example/", "<html>x</html>", headers=(("X-Robots-Tag", "noai"),)
    ).write(tmp_path / "a.warc.gz")

    (record,), damage = read(path)

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


def test_a_plain_archive_reads_like_a_compressed_one(archive, tmp_path):
    archive.page("http://a.example/1", "<p>1").image("http://a.example/i.png", b"\x89PNG\r\n\x1a\n")
    packed = archive.write(tmp_path / "a.warc.gz")
    plain = tmp_path / "a.warc"
    plain.write_bytes(gzip.decompress(archive.bytes()))

    assert [r.body for r in read(plain)[0]] == [r.body for r in read(packed)[0]]
    assert [r.content_kind for r in read(plain)[0]] == ["html", "image"]


def test_an_arc_file_reads_the_same_every_time_and_its_records_have_no_ids(tmp_path):
    path = arc(tmp_path / "a.arc", ["http://a.example/1", "http://a.example/2"])

    once, damage = read(path)

    assert damage == []
    assert [r.url for r in once if r.kind == "response"] == [
        "http://a.example/1",
        "http://a.example/2",
    ]
    assert {r.record_id for r in once} == {""}
    assert {r.date for r in once} == {"2008-04-30T20:48:25Z"}
    assert len({make_doc_id(r.record_id, "a.arc", r.offset) for r in once}) == 3
    assert read(path)[0] == once
    with path.open("rb") as file:
        assert read_record_at(file, once[-1].offset, max_body=LIMIT) == once[-1]


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
def test_content_encodings_are_undone(archive, tmp_path, encoding, encode, chunked):
    body = encode(b"<html>hello</html>")
    headers = [("Content-Encoding", encoding)]
    if chunked:
        headers.append(("Transfer-Encoding", "chunked"))
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    archive.add("http://a.example/", body, headers=tuple(headers)).page(
        "http://a.example/next", "<p>n"
    )

    records, damage = read(archive.write(tmp_path / "a.warc.gz"))

    assert [r.body for r in records] == [b"<html>hello</html>", b"<p>n"]
    assert damage == []


def test_a_bomb_is_cut_at_the_limit_and_the_next_record_is_read(archive, tmp_path):
    for encoding, encode in (("gzip", gzip.compress), ("br", brotli.compress)):
        headers = (("Content-Encoding", encoding),)
        archive.add("http://a.example/", encode(b"x" * 5 * LIMIT), headers=headers)
    archive.page("http://a.example/next", "<p>n")

    records, _ = read(archive.write(tmp_path / "a.warc.gz"))

    assert [(len(r.body), r.body_cut) for r in records] == [
        (LIMIT, True),
        (LIMIT, True),
        (4, False),
    ]


def test_a_payload_that_does_not_decode_is_an_error_of_its_record_only(archive, tmp_path):
    archive.add(
        "http://a.example/", b"\x00not brotli at all", headers=(("Content-Encoding", "br"),)
    )
    archive.page("http://a.example/next", "<p>n")

    records, damage = read(archive.write(tmp_path / "a.warc.gz"))

    assert [bool(r.body_error) for r in records] == [True, False]
    assert damage == []


@pytest.mark.parametrize(
    ("encoding", "encode"), [("br", brotli.compress), ("zstd", zstandard.ZstdCompressor().compress)]
)
def test_a_payload_that_was_stored_cut_off_is_an_error(archive, tmp_path, encoding, encode):
    body = encode(bytes(range(256)) * 40)
    archive.add(
        "http://a.example/", body[: len(body) // 2], headers=(("Content-Encoding", encoding),)
    )

    (record,), _ = read(archive.write(tmp_path / "a.warc.gz"))

    assert record.body_error


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_cut_off_archive_keeps_the_records_before_and_says_where(archive, tmp_path, cut):
    archive.page("http://a.example/1", "<p>1").page("http://a.example/2", "<p>2" * 100)
    path = tmp_path / "a.warc.gz"
    path.write_bytes(archive.bytes()[:-cut])

    records, (damage,) = read(path)

    assert records[0].url == "http://a.example/1"
    assert damage.offset == archive.offsets[1]


def test_damage_in_a_member_keeps_the_records_before(archive, tmp_path):
    archive.page("http://a.example/1", "<p>1").page("http://a.example/2", "<p>2" * 100)
    data = bytearray(archive.bytes())
    data[archive.offsets[1] + 1] ^= 0xFF
    path = tmp_path / "a.warc.gz"
    path.write_bytes(data)

    records, damage = read(path)

    assert [r.url for r in records] == ["http://a.example/1"]
    assert len(damage) == 1


@pytest.mark.parametrize(
    "content", [b"", b"no archive at all", gzip.compress(b"neither", mtime=0), b"\x1f\x8b\x08"]
)
def test_a_file_that_is_no_archive_is_damage_at_its_beginning(tmp_path, content):
    path = tmp_path / "a.warc.gz"
    path.write_bytes(content)

    records, (damage,) = read(path)

    assert records == []
    assert damage.offset == 0


def test_a_plain_record_that_ends_early_is_marked(archive, tmp_path):
    plain = gzip.decompress(archive.page("http://a.example/1", "<p>" + "x" * 500).bytes())
    path = tmp_path / "a.warc"
    path.write_bytes(plain[:-200])

    (record,), _ = read(path)

    assert "cut off" in record.body_error


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"\xef\xbb\xbf \n<!DOCTYPE HTML>", "html"),
        (b"<?xml version='1.0'?>\n<html xmlns='x'>", "html"),
        (b"<?xml version='1.0'?><rss>", "other"),
        (b"<center>1998</center>", "html"),
        (b"\xff\xd8\xff\xe0", "image"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image"),
        (b"\0\0\0\x1cftypavif", "image"),
        (b"%PDF-1.7", "other"),
        (b"", "other"),
    ],
)
def test_sniffing_follows_browsers(body, kind):
    assert sniff(body) == kind


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
    archive, tmp_path, content_type, body, kind
):
    path = archive.add("http://a.example/", body, content_type=content_type).write(
        tmp_path / "a.warc.gz"
    )

    assert read(path)[0][0].content_kind == kind


@pytest.mark.real
def test_every_real_and_damaged_archive_is_read_without_an_exception(realdata):
    counts = {
        path.name: tuple(map(len, read(path)))
        for path in sorted((realdata / "warc").rglob("*"))
        if path.is_file()
    }

    assert counts["gimp-help-en-200.warc.gz"] == (854, 0)
    assert counts["archivesunleashed-aut_example.arc.gz"] == (300, 0)
    assert counts["transfer_compression_brotli.warc.gz"] == (5, 0)
    assert counts["chatnoir-eu-chatnoir-resiliparse_clipped.warc.gz"] == (1, 1)


def test_stderr_of_the_parser_is_not_needed_to_notice_a_short_content_length(archive, tmp_path):
    plain = gzip.decompress(archive.page("http://a.example/1", "<p>1").bytes())
    stream = io.BytesIO(plain.replace(b"WARC/1.0", b"WORC/1.0", 1))
    path = tmp_path / "a.warc"
    path.write_bytes(stream.getvalue())

    assert len(read(path)[1]) == 1


def test_a_response_without_an_address_costs_only_itself(archive, tmp_path):
    plain = gzip.decompress(archive.page("http://a.example/1", "<p>1").bytes())
    nameless = plain.replace(b"WARC-Target-URI: http://a.example/1\r\n", b"", 1)
    path = tmp_path / "a.warc"
    path.write_bytes(nameless + plain)

    records, damage = read(path)

    assert [(r.url, r.status, r.body) for r in records] == [
        ("", 200, b"<p>1"),
        ("http://a.example/1", 200, b"<p>1"),
    ]
    assert damage == []


def test_a_block_that_does_not_inflate_is_damage_of_its_member_and_prints_nothing(
    archive, tmp_path, capsys
):
    noise = random.Random(1).randbytes(100_000)
    archive.page("http://a.example/1", "<p>1").image("http://a.example/2.png", noise)
    data = bytearray(archive.bytes())
    at = archive.offsets[1]
    data[at + 60_000 : at + 60_100] = b"\xff" * 100
    path = tmp_path / "a.warc.gz"
    path.write_bytes(data)

    records, (damage,) = read(path)

    assert records[0].url == "http://a.example/1"
    assert damage.offset == at
    assert capsys.readouterr().err == ""


def test_http_headers_are_read_whatever_the_address_is(archive, tmp_path):
    path = archive.page("local:page.html", "<html>x</html>").write(tmp_path / "a.warc.gz")

    (record,), _ = read(path)

    assert (record.status, record.content_type, record.body) == (
        200,
        "text/html",
        b"<html>x</html>",
    )


@pytest.mark.parametrize("block", [b"", b"no status line at all\r\n\r\nwords"])
def test_a_response_without_http_headers_costs_only_itself(archive, tmp_path, block):
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: local:x\r\nWARC-Record-ID: <urn:x>\r\n"
        "WARC-Date: 2024-01-01T00:00:00Z\r\nContent-Type: application/http\r\n"
        f"Content-Length: {len(block)}\r\n\r\n"
    )
    archive.page("http://a.example/next", "<p>n")
    path = tmp_path / "a.warc"
    path.write_bytes(head.encode() + block + b"\r\n\r\n" + gzip.decompress(archive.bytes()))

    records, damage = read(path)

    assert [record.status for record in records] == [0, 200]
    assert damage == []


HEAD = (
    "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/{n}\r\n"
    "WARC-Record-ID: <urn:{n}>\r\nContent-Type: application/http\r\n{more}"
)
BLOCK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>words of the page"
LENGTH = len(BLOCK)


def record(n, *, length=LENGTH, more="", block=BLOCK):
    size = "" if length is None else f"Content-Length: {length}\r\n"
    return HEAD.format(n=n, more=f"{size}{more}").encode() + b"\r\n" + block + b"\r\n\r\n"


def urls(tmp_path, data):
    (tmp_path / "a.warc").write_bytes(data)
    records, damage = read(tmp_path / "a.warc")
    return [r.url.rpartition("/")[2] for r in records], [(d.offset, d.error) for d in damage]


def test_a_plain_archive_that_is_cut_anywhere_says_so(tmp_path):
    """But within the blank lines that end a record."""
    whole = len(record(1))
    for end in range(whole + 1, whole + len(record(2))):
        found, damage = urls(tmp_path, (record(1) + record(2))[:end])

        if end >= whole + len(record(2)) - 4:
            assert (found, damage) == (["1", "2"], [])
            continue
        ((offset, error),) = damage
        assert found[0] == "1"
        assert offset == whole
        assert "cut off" in error or "no record begins here" in error


@pytest.mark.parametrize("length", ["9" * 18, "9" * 19, "9" * 40, "9" * 5000])
def test_a_length_that_no_file_has_is_damage(tmp_path, length):
    found, damage = urls(tmp_path, record(1) + record(2, length=length) + record(3))

    assert found == ["1", "2"]
    assert damage[0][0] == len(record(1))


def test_a_length_that_no_file_has_costs_only_its_member(tmp_path):
    members = [record(1), record(2, length="9" * 40), record(3)]

    found, damage = urls(tmp_path, b"".join(map(gzip.compress, members)))

    assert (found, damage) == (["1", "2", "3"], [])


def test_a_record_without_a_length_is_damage(tmp_path):
    found, damage = urls(tmp_path, record(1) + record(2, length=None) + record(3))

    assert found == ["1"]
    assert damage == [(len(record(1)), "the record has no Content-Length; the rest was not read")]


@pytest.mark.parametrize(("by", "others"), [(20, ["4"]), (-20, ["3", "4"])])
def test_a_record_that_does_not_end_where_it_says_is_told(tmp_path, by, others):
    wrong = record(2, length=len(BLOCK) + by)

    found, damage = urls(tmp_path, b"".join([record(1), wrong, record(3), record(4)]))

    assert found[:2] == ["1", "2"]
    assert set(found[2:]) <= set(others)
    assert damage[0][0] == len(record(1))
    assert "does not end where its Content-Length says" in damage[0][1]


@pytest.mark.parametrize("where", ["warc", "http"])
@pytest.mark.parametrize(("size", "read_it"), [(1_000_000, True), (1_100_000, False)])
def test_headers_are_read_up_to_a_bound(tmp_path, where, size, read_it):
    line = "X: " + "x" * size + "\r\n"
    block = BLOCK.replace(b"\r\n", b"\r\n" + line.encode(), 1) if where == "http" else BLOCK
    more = line if where == "warc" else ""
    long = record(2, more=more, block=block, length=len(block))

    (tmp_path / "a.warc").write_bytes(record(1) + long + record(3))
    records, damage = read(tmp_path / "a.warc")

    statuses = {r.url[-1]: r.status for r in records}
    if read_it:
        assert (statuses, damage) == ({"1": 200, "2": 200, "3": 200}, [])
        return
    # Where the WARC header ends says where the record does; HTTP headers cost only themselves.
    assert statuses == ({"1": 200} if where == "warc" else {"1": 200, "2": 0, "3": 200})
    (found,) = damage
    assert found.offset == len(record(1))
    assert found.error.startswith("a header is longer than 1,048,576 bytes")
    assert ("the rest was not read" in found.error) == (where == "warc")


def test_many_short_header_lines_count_together(tmp_path):
    found, damage = urls(tmp_path, record(1) + record(2, more="X: y\r\n" * 300_000))

    assert (found, len(damage)) == (["1"], 1)
