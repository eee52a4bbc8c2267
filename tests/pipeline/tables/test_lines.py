import gzip

import pytest
import zstandard

from openm3w.errors import InputError
from openm3w.pipeline.tables import lines
from openm3w.pipeline.tables.lines import parse, read_lines
from openm3w.pipeline.tables.rows import plain_text

TEXT = b'{"a": 1}\n\n{"a": 2}\n{"a": 3}\n'


def two_frames(data):
    compress = zstandard.ZstdCompressor().compress
    return compress(data[:9]) + compress(data[9:])


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, zstandard.ZstdCompressor().compress, two_frames]
)
def test_lines_are_read_however_they_are_packed(tmp_path, pack):
    path = tmp_path / "x.jsonl"
    path.write_bytes(pack(TEXT))

    assert [(line.number, line.values) for line in read_lines(path)] == [
        (0, {"a": 1}),
        (2, {"a": 2}),
        (3, {"a": 3}),
    ]


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b'{"a": 1}', ""),
        (b"\xef\xbb\xbf{}", ""),
        (b'{"a": ', "malformed_json"),
        (b"\xff\xfe", "not_utf8"),
        ("{}".encode("utf-16-le"), "malformed_json"),
        (b'{"a": "\xe9"}', "not_utf8"),
        (b"[" * 100_000, "malformed_json"),
        (b"[1]", "not_an_object"),
        (b"null", "not_an_object"),
    ],
)
def test_a_bad_line_is_a_value(raw, error):
    line = parse(7, raw)

    assert (line.number, line.error) == (7, error)


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_cut_file_ends_with_its_damage_after_the_lines_before_it(tmp_path, compress):
    rows = b"".join(b'{"text": "%d %s"}\n' % (i, str(i**50).encode()) for i in range(5000))
    packed = compress(rows)
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])

    *whole, last = read_lines(path)

    assert last.error == "damaged_file"
    assert whole
    assert [line.number for line in whole if not line.error] == list(range(len(whole)))


def test_a_line_too_long_costs_only_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 10)
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": "' + b"x" * 50 + b'"}\n{"a": 2}\n')

    assert [line.error for line in read_lines(path)] == ["", "row_too_long", ""]


def test_lone_surrogates_become_something_that_utf8_can_hold():
    assert plain_text("a\ud800b") == "a?b"


@pytest.mark.parametrize("charset", ["utf-16-le", "utf-16-be"])
def test_utf16_is_refused_by_its_mark(tmp_path, charset):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(("\ufeff" + TEXT.decode()).encode(charset)))

    with pytest.raises(InputError, match=r"x\.jsonl\.gz: is UTF-16; save it as UTF-8"):
        list(read_lines(path))
