import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openm3w.errors import InputError
from openm3w.pipeline.remote import find
from openm3w.pipeline.tables import parquet
from openm3w.pipeline.tables.parquet import column_types, read_parquet

ROWS = [{"url": f"u{n}", "text": f"{n} " + "x" * 50, "other": n} for n in range(5000)]


def write(path, rows=ROWS, group=2500, **options):
    plain = {"compression": "none", "use_dictionary": False, "row_group_size": group}
    pq.write_table(pa.Table.from_pylist(rows), path, **(plain | options))
    return path


def test_rows_have_the_columns_asked_for_and_numbers_across_row_groups(tmp_path):
    path = write(tmp_path / "t.parquet")

    rows = list(read_parquet(path, ["url", "text"]))

    assert column_types(path) == {"url": "string", "text": "string", "other": "int64"}
    assert [row.number for row in rows] == list(range(5000))
    assert rows[4321].values == {"url": "u4321", "text": ROWS[4321]["text"]}


@pytest.mark.parametrize(("group", "kept"), [(0, range(2500, 5000)), (1, range(2500))])
def test_a_damaged_row_group_is_one_outcome_of_all_its_rows_and_the_others_are_read(
    tmp_path, group, kept
):
    path = write(tmp_path / "t.parquet")
    chunk = pq.ParquetFile(path).metadata.row_group(group).column(1)
    data = bytearray(path.read_bytes())
    data[chunk.data_page_offset : chunk.data_page_offset + 60_000] = b"\xff" * 60_000
    path.write_bytes(data)

    rows = list(read_parquet(path, ["url", "text"]))

    (lost,) = (row for row in rows if row.error)
    assert (lost.number, lost.error, lost.count) == (group * 2500, "damaged_file", 2500)
    assert [row.number for row in rows if not row.error] == list(kept)


def test_a_damaged_column_that_is_not_read_costs_nothing(tmp_path):
    path = write(tmp_path / "t.parquet")
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(1)
    data = bytearray(path.read_bytes())
    data[chunk.data_page_offset : chunk.data_page_offset + 60_000] = b"\xff" * 60_000
    path.write_bytes(data)

    assert not any(row.error for row in read_parquet(path, ["url", "other"]))


def test_a_cell_that_cannot_be_read_costs_its_row(tmp_path):
    data = [b"one", b"tw\xff", b"three"]
    dates = pa.array([0, 0, 2**60], pa.timestamp("s"))
    texts = pa.array(data, pa.binary()).view(pa.string())
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"text": texts, "date": dates}), path, coerce_timestamps=None)

    assert [row.error for row in read_parquet(path, ["text"])] == ["", "not_utf8", ""]
    errors = [row.error for row in read_parquet(path, ["text", "date"])]
    assert errors == ["", "not_utf8", "unreadable_value"]


@pytest.mark.parametrize(("bytes_of_batch", "most"), [(1, 1), (10_000, 200), (1 << 30, 1024)])
def test_batches_are_smaller_where_rows_are_long(tmp_path, monkeypatch, bytes_of_batch, most):
    sizes = []
    read = pq.ParquetFile.iter_batches
    monkeypatch.setattr(parquet, "MAX_BATCH_BYTES", bytes_of_batch)
    monkeypatch.setattr(
        pq.ParquetFile,
        "iter_batches",
        lambda self, size, **how: sizes.append(size) or read(self, size, **how),
    )

    rows = list(read_parquet(write(tmp_path / "t.parquet"), ["text"]))

    assert len(rows) == 5000
    assert max(sizes) <= most
    assert min(sizes) >= min(most, 100)


def test_memory_does_not_grow_with_a_row_group(tmp_path):
    rows = [{"text": f"{n}" + "x" * 2000} for n in range(20_000)]
    path = write(tmp_path / "t.parquet", rows, group=20_000, data_page_size=1 << 16)
    before = pa.default_memory_pool().bytes_allocated()

    most = max(
        pa.default_memory_pool().bytes_allocated() - before for _ in read_parquet(path, ["text"])
    )

    assert path.stat().st_size > 40_000_000
    assert most < 10_000_000


def test_elsewhere_only_the_columns_asked_for_are_fetched(tmp_path, web_files):
    path = write(tmp_path / "t.parquet", [{"a": "x" * 10, "b": "y" * 2000}] * 3000, group=3000)
    (found,) = find(web_files.put("t.parquet", path.read_bytes()), "")
    web_files.requests.clear()

    assert len(list(read_parquet(found.file, ["a"]))) == 3000

    asked = [r.removeprefix("bytes=").split("-") for m, r in web_files.requests if m == "GET"]
    assert sum(int(last) - int(first) + 1 for first, last in asked) < 200_000


def test_a_server_that_fails_amid_a_row_group_is_no_damage(tmp_path, web_files, monkeypatch):
    monkeypatch.setattr("openm3w.shards.uris._PAUSES", ())
    (found,) = find(web_files.put("t", write(tmp_path / "t.parquet").read_bytes()), "")
    rows = read_parquet(found.file, ["text"])
    next(rows)
    web_files.failing = 1

    with pytest.raises(InputError, match="503"):
        list(rows)


@pytest.mark.parametrize("data", [b"PAR1 and then nothing", b"PAR1" + b"\0" * 50 + b"PAR1"])
def test_a_damaged_footer_is_one_line(tmp_path, data):
    path = tmp_path / "t.parquet"
    path.write_bytes(data)

    with pytest.raises(InputError, match=r"t\.parquet: not a readable Parquet file") as caught:
        column_types(path)

    assert "\n" not in str(caught.value)


BYTES = [b"one", b"tw\xff", None, "vi\u00e9r".encode()]


@pytest.mark.parametrize(
    "kind", [pa.binary(), pa.large_binary(), pa.dictionary(pa.int32(), pa.binary())]
)
def test_bytes_are_texts_where_they_are_asked_for_as_such(tmp_path, kind):
    plain = pa.array(BYTES, pa.binary())
    texts = plain.dictionary_encode() if pa.types.is_dictionary(kind) else plain.cast(kind)
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"text": texts, "hash": plain}), path)

    rows = list(read_parquet(path, ["text", "hash"], ["text"]))

    assert column_types(path)["text"] == "string"
    assert [row.error for row in rows] == ["", "not_utf8", "", ""]
    assert [row.values.get("text") for row in rows] == ["one", None, None, "vi\u00e9r"]
    assert rows[0].values["hash"] == b"one"


def test_lists_of_bytes_are_lists_of_texts(tmp_path):
    lists = pa.array([[b"a", None], None, [], [b"\xff"], [b"b"]], pa.list_(pa.binary()))
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"text": lists}), path)

    rows = list(read_parquet(path, ["text"], ["text"]))

    assert column_types(path) == {"text": "list<string>"}
    assert [row.error for row in rows] == ["", "", "", "not_utf8", ""]
    assert [row.values.get("text") for row in rows] == [["a", None], None, [], None, ["b"]]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (pa.large_string(), "string"),
        (pa.null(), "string"),
        (pa.decimal128(5, 2), "double"),
        (pa.large_list(pa.string()), "list<string>"),
        (pa.list_(pa.int32()), "list<element: int32>"),
        (pa.date32(), "date32[day]"),
        (pa.struct({"a": pa.string()}), "struct<a: string>"),
        (pa.map_(pa.string(), pa.string()), "map<string, string>"),
        (pa.binary(16), "fixed_size_binary[16]"),
    ],
)
def test_a_type_is_told_by_what_its_values_are_read_as(tmp_path, kind, name):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": pa.array([], kind)}), path)

    assert column_types(path)["a"].startswith(name.removesuffix(">").removesuffix(", string"))


def test_of_two_columns_of_one_name_no_type_is_told(tmp_path):
    path = tmp_path / "t.parquet"
    arrays = [pa.array(["x"])] * 3
    pq.write_table(pa.Table.from_arrays(arrays, names=["a", "b", "b"]), path)

    assert column_types(path) == {"a": "string", "b": "twice"}
    assert [row.values for row in read_parquet(path, ["a"])] == [{"a": "x"}]
