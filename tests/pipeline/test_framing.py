import gzip

import pytest

HEAD = (
    "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/{n}\r\n"
    "WARC-Record-ID: <urn:{n}>\r\nContent-Type: application/http\r\n{more}"
)
BLOCK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>words of the page"
LENGTH = len(BLOCK)


def record(n, *, length=LENGTH, more="", block=BLOCK):
    size = "" if length is None else f"Content-Length: {length}\r\n"
    return HEAD.format(n=n, more=f"{size}{more}").encode() + b"\r\n" + block + b"\r\n\r\n"


@pytest.fixture
def urls(read_archive, tmp_path):
    """Which records an archive of these bytes has, and its damage."""

    def urls(data):
        (tmp_path / "a.warc").write_bytes(data)
        records, damage = read_archive(tmp_path / "a.warc")
        return [r.url.rpartition("/")[2] for r in records], [(d.offset, d.error) for d in damage]

    return urls


def test_a_plain_archive_that_is_cut_anywhere_says_so(urls):
    """But within the blank lines that end a record."""
    whole = len(record(1))
    for end in range(whole + 1, whole + len(record(2))):
        found, damage = urls((record(1) + record(2))[:end])

        if end >= whole + len(record(2)) - 4:
            assert (found, damage) == (["1", "2"], [])
            continue
        ((offset, error),) = damage
        assert found[0] == "1"
        assert offset == whole
        assert "cut off" in error or "no record begins here" in error


@pytest.mark.parametrize("length", ["9" * 18, "9" * 19, "9" * 40, "9" * 5000])
def test_a_length_that_no_file_has_is_damage(length, urls):
    found, damage = urls(record(1) + record(2, length=length) + record(3))

    assert found == ["1", "2"]
    assert damage[0][0] == len(record(1))


def test_a_length_that_no_file_has_costs_only_its_member(urls):
    members = [record(1), record(2, length="9" * 40), record(3)]

    found, damage = urls(b"".join(map(gzip.compress, members)))

    assert (found, damage) == (["1", "2", "3"], [])


def test_a_record_without_a_length_is_damage(urls):
    found, damage = urls(record(1) + record(2, length=None) + record(3))

    assert found == ["1"]
    assert damage == [(len(record(1)), "the record has no Content-Length; the rest was not read")]


@pytest.mark.parametrize(("by", "others"), [(20, ["4"]), (-20, ["3", "4"])])
def test_a_record_that_does_not_end_where_it_says_is_told(by, others, urls):
    wrong = record(2, length=len(BLOCK) + by)

    found, damage = urls(b"".join([record(1), wrong, record(3), record(4)]))

    assert found[:2] == ["1", "2"]
    assert set(found[2:]) <= set(others)
    assert damage[0][0] == len(record(1))
    assert "does not end where its Content-Length says" in damage[0][1]


@pytest.mark.parametrize("where", ["warc", "http"])
@pytest.mark.parametrize(("size", "read_it"), [(1_000_000, True), (1_100_000, False)])
def test_headers_are_read_up_to_a_bound(tmp_path, where, size, read_it, read_archive):
    line = "X: " + "x" * size + "\r\n"
    block = BLOCK.replace(b"\r\n", b"\r\n" + line.encode(), 1) if where == "http" else BLOCK
    more = line if where == "warc" else ""
    long = record(2, more=more, block=block, length=len(block))

    (tmp_path / "a.warc").write_bytes(record(1) + long + record(3))
    records, damage = read_archive(tmp_path / "a.warc")

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


def test_many_short_header_lines_count_together(urls):
    found, damage = urls(record(1) + record(2, more="X: y\r\n" * 300_000))

    assert (found, len(damage)) == (["1"], 1)
