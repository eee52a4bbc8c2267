import builtins
import gzip
import zipfile

import pyarrow.parquet as pq
import pytest

from openm3w.errors import InputError, MissingError
from openm3w.shards.interop import tables
from openm3w.shards.interop.rows import Left

LINES = b'{"a": 1}\n\n{"a": NaN}\nno json\n[2]\n{"a": "\xff"}\n'
READ = [{"a": 1}, {"a": None}, *[Left(reason="not_json")] * 3]


def test_lines_plain_in_gzip_and_in_zip_are_the_same(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(LINES)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(LINES))
    with zipfile.ZipFile(tmp_path / "a.jsonl.zip", "w") as archive:
        archive.writestr("a.jsonl", LINES)
        archive.writestr("README.md", "no rows")
    for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zip"):
        assert list(tables.read(tmp_path / name, ())) == READ


@pytest.mark.parametrize(("limit", "is_read"), [(14, True), (13, False)])
def test_a_line_is_bounded_inclusively_and_the_next_one_is_read(
    tmp_path, monkeypatch, limit, is_read
):
    (tmp_path / "a.jsonl").write_bytes(b'{"a": "1234"}\n{"b": 1}\n')
    monkeypatch.setattr(tables, "MAX_LINE", limit)
    first = {"a": "1234"} if is_read else Left(reason="too_large")
    assert list(tables.read(tmp_path / "a.jsonl", ())) == [first, {"b": 1}]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.zip", "a.parquet"])
def test_a_file_that_is_cut_off_is_no_short_one(tmp_path, name):
    path = tmp_path / name
    if name.endswith("parquet"):
        tables.write_parquet(path, (("a", "int64"),), [{"a": 1}])
    elif name.endswith("gz"):
        path.write_bytes(gzip.compress(LINES * 99))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.jsonl", LINES * 99)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="damaged"):
        list(tables.read(path, ()))


def test_parquet_takes_columns_that_it_has(tmp_path):
    tables.write_parquet(
        tmp_path / "a.parquet",
        (("a", "string"), ("b", "list<string>"), ("c", "scores"), ("d", "large_binary")),
        [{"a": "x\ud800", "b": ["ä", None], "c": [("s", 0.5)], "d": b"1"}, {"a": None}],
    )
    assert list(tables.read(tmp_path / "a.parquet", ("b", "a", "none"))) == [
        {"a": "x?", "b": ["ä", None]},
        {"a": None, "b": None},
    ]
    with pytest.raises(InputError, match="has none of the columns none; it has a, b, c, d"):
        list(tables.read(tmp_path / "a.parquet", ("none",)))


def test_parquet_is_written_in_batches_and_the_same_every_time(tmp_path):
    rows = [{"a": number} for number in range(200)]
    for name in ("a.parquet", "b.parquet"):
        tables.write_parquet(tmp_path / name, (("a", "int64"),), iter(rows))
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert pq.read_table(tmp_path / "a.parquet").to_pylist() == rows


def test_without_pyarrow_what_to_install_is_told(tmp_path, monkeypatch):
    (tmp_path / "a.parquet").write_bytes(b"")
    real = builtins.__import__

    def missing(name, *rest, **more):
        if name.split(".")[0] == "pyarrow":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingError, match=r"pip install 'openm3w\[formats\]'"):
        list(tables.read(tmp_path / "a.parquet", ()))


def test_an_encrypted_zip_is_told(tmp_path):
    path = tmp_path / "a.jsonl.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jsonl", LINES)
    data = bytearray(path.read_bytes())
    data[6] |= 1  # flags of the member, and of the directory's entry for it
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"a\.jsonl in it is encrypted; unpack it first"):
        list(tables.read(path, ()))
