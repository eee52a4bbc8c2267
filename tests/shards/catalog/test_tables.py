import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from openm3w.errors import InputError, ShardError
from openm3w.shards.catalog.facts import Facts
from openm3w.shards.catalog.opening import open_samples
from openm3w.shards.catalog.query import Query
from openm3w.shards.document import Image, Text

ROWS = 700


def row(number):
    """A row as OBELICS has it; every hundredth is malformed."""
    url = f"https://img.example/{number}.jpg"
    return {
        "texts": [
            f"Words of {number}.",
            None,
            *(["no image beside"] if number % 100 == 99 else []),
        ],
        "images": [None, url],
        "metadata": json.dumps([None, {"alt_text": f"alt {number}"}]),
        "general_metadata": json.dumps({"url": f"https://site{number % 3}.example/{number}"}),
    }


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "train-00000-of-00002.parquet"
    pq.write_table(pa.Table.from_pylist([row(n) for n in range(ROWS)]), path, row_group_size=300)
    return path


def test_each_row_has_its_number_through_all_row_groups(table):
    samples = open_samples(str(table))
    assert len(samples) == ROWS
    for number in (0, 255, 256, 298, 300, 556, 599 - 1, 600, ROWS - 2):
        shown = samples.read(number)
        first, second = shown.sample.document.spans
        assert (first, second.url) == (
            Text(text=f"Words of {number}."),
            f"https://img.example/{number}.jpg",
        )
        assert isinstance(second, Image)
        assert second.alt == f"alt {number}"
        assert (shown.number, shown.total, shown.kind) == (number + 1, ROWS, "interleaved")
        assert shown.sample.images == ()
    with pytest.raises(IndexError):
        samples.read(ROWS)
    assert samples.find("row-000000301") == 300


def test_a_row_that_is_no_document_keeps_its_number_and_says_why(table):
    document = open_samples(str(table)).read(99).sample.document
    assert (document.spans, document.dropped) == ((), "import: malformed")


def test_facts_of_a_table_are_asked_as_those_of_shards(table, tmp_path):
    facts = Facts.of(open_samples(str(table)), folder=tmp_path)
    assert facts.fill()
    assert len(facts) == ROWS
    assert [r.number for r in facts.rows(Query.parse("dropped:malformed"))] == list(
        range(99, ROWS, 100)
    )
    assert [r.number for r in facts.rows(Query.parse("words of 417"))] == [417]
    assert facts.counts("domain")[0][0] == "site0.example"
    facts.close()


def test_the_columns_tell_whose_table_it_is(tmp_path):
    mint = tmp_path / "mint.parquet"
    values = {"texts": ["Words.", None], "images": [None, "https://a.example/1.jpg"], "url": "u"}
    pq.write_table(pa.Table.from_pylist([values]), mint)
    document = open_samples(str(mint)).read(0).sample.document
    assert (document.url, len(document.images)) == ("u", 1)
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"caption": ["a"]}), other)
    with pytest.raises(InputError, match="it has caption; m3w shards import"):
        open_samples(str(other))


def test_an_empty_or_damaged_table_is_told(table, tmp_path):
    empty = tmp_path / "empty.parquet"
    pq.write_table(pa.Table.from_pylist([row(0)]).slice(0, 0), empty)
    with pytest.raises(InputError, match="has no rows"):
        open_samples(str(empty))
    damaged = tmp_path / "damaged.parquet"
    data = bytearray(table.read_bytes())
    data[100:900] = b"\xff" * 800
    damaged.write_bytes(data)
    with pytest.raises(ShardError, match=r"damaged\.parquet"):
        open_samples(str(damaged)).read(0)
    (tmp_path / "no.parquet").write_bytes(b"no table")
    with pytest.raises(InputError, match="no Parquet file"):
        open_samples(str(tmp_path / "no.parquet"))
