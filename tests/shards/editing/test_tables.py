"""Tables of caption shards after an edit: every pair in one table still."""

import json
import resource
import signal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openm3w.errors import OutputError, ShardError
from openm3w.shards import caption_tables, manifest, reader
from openm3w.shards.captioned import img2dataset_fields
from openm3w.shards.editing import edits, tables
from openm3w.shards.editing.cutting import Size
from openm3w.shards.verify import verify

quiet = {"say": lambda _: None}


def missed(number):
    return {
        **dict.fromkeys(("width", "height", "original_width", "original_height", "exif", "sha256")),
        "caption": f"lost {number}",
        "url": f"https://lost{number}.example/",
        "key": f"lost-{number}",
        "status": "failed_to_download",
        "error_message": "not_found",
        "price": number / 2,
    }


def with_tables(dataset, start=0):
    """Beside each shard a table: one row that came to no sample before each sample, one at the end."""
    number = start
    for shard in dataset.shards:
        rows = []
        for sample in reader.read_shard(dataset, shard):
            own = img2dataset_fields(sample.key, sample.document, sample.extra)
            rows += [missed(number), {**own, "price": None}]
            number += 1
        rows.append(missed(number))
        number += 1
        caption_tables.write(dataset.root, shard.url, rows, {"price": "double"})
    return dataset


def rows_of(found):
    """All rows, in order; each sample's row stands beside its shard, in the order of the tar."""
    rows = []
    for shard in found.shards:
        table, statistics = caption_tables.names(shard.url)
        here = pq.read_table(found.root / table).to_pylist()
        samples = [sample.key for sample in reader.read_shard(found, shard)]
        assert [row["key"] for row in here if row["status"] == "success"] == samples
        counts = json.loads((found.root / statistics).read_text())
        assert (counts["count"], counts["successes"]) == (len(here), len(samples))
        rows += here
    return rows


@pytest.fixture
def pairs(dataset):
    return with_tables(dataset("one", kind="caption"))


def test_a_merge_of_one_changes_nothing(pairs, tmp_path):
    edits.merge([pairs], tmp_path / "out", **quiet)
    names = [path.name for path in (pairs.root / "data").iterdir()]
    assert len(names) == 12
    for name in names:
        ours, theirs = tmp_path / "out/data" / name, pairs.root / "data" / name
        assert ours.read_bytes() == theirs.read_bytes(), name


@pytest.mark.parametrize("how", ["split", "shuffle"])
def test_every_row_is_in_one_table_still(pairs, tmp_path, how):
    if how == "split":
        edits.split(pairs, tmp_path / "out", size=Size(samples=2), group=str, **quiet)
    else:
        edits.shuffle(pairs, tmp_path / "out", seed=3, **quiet)
    (found,) = manifest.load(tmp_path / "out")
    assert verify([found]).faults == []
    before, after = rows_of(pairs), rows_of(found)
    assert sorted(row["key"] for row in after) == sorted(row["key"] for row in before)
    assert {row["key"]: row for row in after} == {row["key"]: row for row in before}


def test_rows_of_samples_that_are_left_out_go_and_the_others_stay(dataset, tmp_path):
    first = next(reader.read_samples(dataset("names", kind="caption"))).key
    one = with_tables(dataset("one", kind="caption", exclude=[first]))
    edits.split(one, tmp_path / "out", size=Size(samples=9), group=str, **quiet)
    (found,) = manifest.load(tmp_path / "out")
    left = [row for row in rows_of(one) if row["key"] != first]
    assert rows_of(found) == left
    assert [row["key"] for row in left[:2]] == ["lost-0", "lost-1"]


def test_columns_of_all_parts_are_there(dataset, tmp_path):
    one = with_tables(dataset("one", kind="caption"))
    two = with_tables(dataset("two", kind="caption", start=90), start=90)
    for shard in two.shards:
        path = two.root / caption_tables.names(shard.url)[0]
        table = pq.read_table(path)
        price = table.column("price").cast(pa.float32())
        table = table.set_column(0, "price", price).add_column(0, "licence", price.cast("string"))
        pq.write_table(table, path)
    edits.merge([one, two], tmp_path / "out", **quiet)
    schema = pq.read_schema(tmp_path / "out/data/train-000003.parquet")
    assert (schema.field("price").type, schema.field("licence").type) == ("double", "string")
    assert len(rows_of(manifest.load(tmp_path / "out")[0])) == 2 * len(rows_of(one))


def test_without_a_table_beside_each_shard_none_is_written(pairs, tmp_path):
    (pairs.root / "data/val-000000.parquet").unlink()
    edits.merge([pairs], tmp_path / "out", **quiet)
    assert not list((tmp_path / "out/data").glob("*.parquet"))


def test_the_table_of_another_tar_is_refused(pairs, tmp_path):
    path = pairs.root / "data/val-000000.parquet"
    path.write_bytes((pairs.root / "data/train-000000.parquet").read_bytes())
    with pytest.raises(ShardError, match="which its tar has not; it is another's"):
        edits.merge([pairs], tmp_path / "out", **quiet)
    path.write_bytes(b"none")
    with pytest.raises(ShardError, match="the table is damaged"):
        edits.merge([pairs], tmp_path / "other", **quiet)


def test_a_disk_that_fills_while_rows_are_noted_is_one_line(pairs, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))  # the note of the command is less
    try:
        with pytest.raises(OutputError, match=r"\.edit/rows: cannot be written: File too large"):
            edits.merge([pairs], tmp_path / "out", **quiet)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    edits.merge([pairs], tmp_path / "out", **quiet)
    assert rows_of(manifest.load(tmp_path / "out")[0]) == rows_of(pairs)


def test_rows_that_are_noted_bit_by_bit_are_all_there(pairs, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "_LINES", 2)
    edits.merge([pairs], tmp_path / "out", **quiet)
    assert rows_of(manifest.load(tmp_path / "out")[0]) == rows_of(pairs)
