import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from openm3w.errors import InputError
from openm3w.pipeline.remote import find
from openm3w.pipeline.tables.forms import columns_of, form_of, is_remote_table, read_table

ROWS = [{"url": f"http://x.org/{n}", "text": f"caption {n}"} for n in range(3)]
NAMES = ["t.parquet", "t.json.gz", "t.json.zst", *(f"t.{form}{packed}" for form in ("jsonl", "ndjson", "csv", "tsv")
                        for packed in ("", ".gz", ".zst"))]  # fmt: skip


def encoded(name, rows=ROWS):
    """The rows as a file of this name would hold them."""
    form = name.split(".")[1]
    if form == "parquet":
        buffer = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows), buffer)
        return buffer.getvalue().to_pybytes()
    if form in ("jsonl", "ndjson", "json"):
        text = "".join(json.dumps(row) + "\n" for row in rows)
    else:
        lines = [rows[0], *(row.values() for row in rows)]
        text = "".join(("," if form == "csv" else "\t").join(line) + "\n" for line in lines)
    packers = {".gz": gzip.compress, "zst": zstandard.ZstdCompressor().compress}
    return packers.get(name[-3:], bytes)(text.encode())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("where", ["here", "memory", "web"])
def test_each_form_gives_the_same_rows_here_and_elsewhere(
    tmp_path, memory_files, web_files, name, where
):
    data = encoded(name)
    file = tmp_path / name
    file.write_bytes(data)
    if where != "here":
        files = {"memory": memory_files, "web": web_files}[where]
        (found,) = find(files.put(name, data), "")
        assert is_remote_table(found)
        file = found.file

    rows = list(read_table(file, ["url", "text", "absent"]))

    assert columns_of(file) == {"url": "string", "text": "string"}
    assert [(row.number, row.values, row.error) for row in rows] == [
        (n, row, "") for n, row in enumerate(ROWS)
    ]


@pytest.mark.parametrize(
    ("name", "data", "form"),
    [
        ("t.CSV", b"", "csv"),
        ("t.tsv.GZ", b"", "tsv"),
        ("t.ndjson.zst", b"", "lines"),
        ("part-00000", b"PAR1....", "parquet"),
        ("t.jsonl", b"PAR1....", "parquet"),
        ("t.parquet", b"words", None),
        ("t.json", b"{}", None),
        ("csv", b"", None),
    ],
)
def test_parquet_is_told_by_its_first_bytes_and_the_rest_by_name(tmp_path, name, data, form):
    (tmp_path / name).write_bytes(data)

    assert form_of(tmp_path / name) == form


def test_of_a_folder_elsewhere_files_are_told_by_name_alone(memory_files):
    for name in ("a.parquet", "b.csv", "c.jpg", "part-0"):
        memory_files.put(name, b"PAR1")

    listed = {one.name: is_remote_table(one) for one in find(memory_files.uri, "")}
    (alone,) = find(f"{memory_files.uri}/part-0", "")

    assert listed == {"a.parquet": True, "b.csv": True, "c.jpg": False, "part-0": False}
    assert is_remote_table(alone)


def test_elsewhere_a_name_is_believed_without_a_request(web_files):
    (found,) = find(web_files.put("t.parquet", b"words"), "")
    web_files.requests.clear()

    assert form_of(found.file) == "parquet"
    assert not web_files.requests
    with pytest.raises(InputError, match=r"t\.parquet: not a readable Parquet file"):
        columns_of(found.file)


@pytest.mark.parametrize(("at", "seen"), [(99, True), (100, False)])
def test_of_json_lines_the_first_hundred_say_what_the_columns_are(tmp_path, at, seen):
    lines = [{"url": "u"} for _ in range(200)]
    lines[at]["text"] = "t"
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))

    assert ("text" in columns_of(path)) == seen


def test_what_is_no_table_any_more_is_told(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"words")

    for read in (columns_of, lambda file: read_table(file, ["text"])):
        with pytest.raises(InputError, match=r"t\.parquet: not a Parquet, JSONL, CSV or TSV table"):
            read(path)


def test_of_two_columns_of_one_name_no_type_is_told(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,b\nx,y,z\n")

    assert columns_of(path) == {"a": "string", "b": "twice"}
