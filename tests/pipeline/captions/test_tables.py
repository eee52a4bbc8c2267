import datetime
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openm3w.errors import InputError
from openm3w.pipeline.captions.tables import find_tables, read_rows
from openm3w.shards.caption_tables import _cell

ROWS = [{"url": f"http://x.org/{n}.jpg", "text": f"caption {n}"} for n in range(3)]


def write(path, rows=ROWS):
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def only(path):
    (table,) = find_tables([str(path)], url="", text="")
    return table


@pytest.mark.parametrize("name", ["t.parquet", "t.jsonl", "t.jsonl.gz"])
def test_parquet_and_jsonl_give_the_same_rows(tmp_path, name):
    rows = list(read_rows(only(write(tmp_path / name))))

    assert [(row.number, row.url, row.text) for row in rows] == [
        (n, f"http://x.org/{n}.jpg", f"caption {n}") for n in range(3)
    ]


def test_of_a_folder_the_tables_are_taken(tmp_path):
    for name in ("b.parquet", "a.jsonl"):
        write(tmp_path / name)
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")

    tables = find_tables([str(tmp_path)], url="", text="")

    assert [table.source.name for table in tables] == ["a.jsonl", "b.parquet"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("t.parquet", b"", "the file is empty"),
        ("t.parquet", b"no table", "not a Parquet, JSONL, CSV or TSV table"),
        ("t.parquet", b"PAR1 and then nothing", "not a readable Parquet file"),
        ("t.jsonl", b"\n\n", "it has no lines"),
        ("t.jsonl", b"not json\n", "no JSON object in its first lines"),
        ("t.txt", b"url,text\n", "not a Parquet, JSONL, CSV or TSV table"),
    ],
)
def test_what_is_no_table_is_one_line(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)

    with pytest.raises(InputError, match=message) as caught:
        only(path)

    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_a_missing_table_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.parquet: no such file"):
        only(tmp_path / "gone.parquet")


def test_a_damaged_line_is_a_row_with_its_number(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"url": "a", "text": "b"}\n{"url":\n{"url": "c", "text": "d"}\n')

    rows = list(read_rows(only(path)))

    assert [(row.number, row.error) for row in rows] == [(0, ""), (1, "malformed_json"), (2, "")]


def test_a_parquet_file_damaged_inside_ends_with_a_row_that_says_so(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.Table.from_pylist([{"url": f"{n}", "text": "x" * 50} for n in range(5000)]),
        path,
        compression="none",
        use_dictionary=False,
        row_group_size=2500,
    )
    table = only(path)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 60_000] = b"\xff" * 60_000
    path.write_bytes(data)

    *_, last = read_rows(table)

    assert last.error == "damaged_file"


def test_a_damaged_row_group_is_one_row_that_stands_for_all(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.Table.from_pylist([{"url": f"{n}", "text": "x" * 50} for n in range(1000)]),
        path,
        compression="none",
        use_dictionary=False,
        row_group_size=500,
    )
    table = only(path)
    data = bytearray(path.read_bytes())
    at = pq.ParquetFile(path).metadata.row_group(0).column(1).data_page_offset
    data[at : at + 100] = b"\xff" * 100
    path.write_bytes(data)

    first, *rest = read_rows(table)

    assert (first.number, first.error, first.count) == (0, "damaged_file", 500)
    assert [row.number for row in rest] == list(range(500, 1000))


@pytest.mark.parametrize("name", ["t.parquet", "t.jsonl.gz"])
def test_tables_elsewhere_give_the_same_rows(tmp_path, memory_files, web_files, name):
    path = write(tmp_path / name)
    here = list(read_rows(only(path)))

    for files in (memory_files, web_files):
        table = only(files.put(name, path.read_bytes()))

        assert list(read_rows(table)) == here
        assert table.source.name == name


def test_columns_that_samples_carry_keep_type_and_value_of_parquet(tmp_path):
    day = datetime.date(2024, 5, 6)
    table = pa.table(
        {
            "url": ["a", "b"],
            "text": ["one", "two"],
            "similarity": pa.array([0.3, None], pa.float32()),
            "id": pa.array([2**60, 1], pa.int64()),
            "tags": [["x"], None],
            "day": [day, None],
            "ratio": [float("nan"), 2.0],
            "other": [1, 2],
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    names = ["id", "tags", "day", "ratio"]

    (found,) = find_tables([str(tmp_path)], url="", text="", own=names)

    assert found.columns.own == {
        "similarity": "float",
        "id": "int64",
        "tags": "string",
        "day": "string",
        "ratio": "double",
    }
    first, second = (dict(row.own) for row in read_rows(found))
    similarity = table["similarity"][0].as_py()
    assert first == {
        "similarity": similarity, "id": 2**60, "tags": ["x"], "day": "2024-05-06", "ratio": None
    }  # fmt: skip
    assert second == {"similarity": None, "id": 1, "tags": None, "day": None, "ratio": 2.0}


def test_columns_of_lines_have_the_type_of_the_first_hundred(tmp_path):
    rows = [{"url": "a", "text": "b", "n": 1, "b": True, "s": None, "m": 1}]
    rows += [{"url": "a", "text": "b", "n": 0.5, "b": False, "s": "x", "m": "one"}]
    path = write(tmp_path / "t.jsonl", rows)

    (found,) = find_tables([str(path)], url="", text="", own=["n", "b", "s", "m"])

    assert found.columns.own == {"n": "double", "b": "bool", "s": "string", "m": "string"}
    assert [row.own["m"] for row in read_rows(found)] == [1, "one"]


def test_a_cell_that_does_not_fit_its_column_is_null():
    kinds = {name: pa.type_for_alias(name) for name in ("string", "bool", "double", "int64")}
    fitting = [
        ("string", "a", "a"),
        ("string", 5, "5"),
        ("string", ["a"], '["a"]'),
        ("string", None, None),
        ("bool", True, True),
        ("bool", 1, None),
        ("double", 1, 1.0),
        ("double", True, None),
        ("double", 10**400, None),
        ("double", 2**60 + 1, 2.0**60),
        ("double", "1", None),
        ("int64", 2**63 - 1, 2**63 - 1),
        ("int64", 2**63, None),
        ("int64", 0.5, None),
        ("int64", "1", None),
    ]
    for name, value, expected in fitting:
        assert _cell(value, kinds[name]) == expected, (name, value)
        assert pa.array([_cell(value, kinds[name])], kinds[name]).to_pylist() == [expected]
