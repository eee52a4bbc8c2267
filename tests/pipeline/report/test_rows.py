import json
import re
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from openm3w.cli import cli
from openm3w.pipeline.report import rows, write_report

REPORT = {
    "name": "openm3w",
    "stages": [
        {
            "job": "documents", "unit": "pages", "entered": 55, "kept": 42,
            "dropped": {"http_status": 3, "no_text": 9}, "failed": {"broken": 1},
        },
        {
            "job": "shards", "unit": "pages", "entered": 42, "kept": 40,
            "dropped": {"no_image": 2}, "failed": {},
        },
    ],
    "histograms": {"similarity": {"edges": [0.1, 0.2, 0.4], "counts": [3, 5]}},
    "bars": {"domains": {"a.example": 30, "b.example": 10}},
    "tables": {"time by job": [["job", "seconds"], ["documents", 1.5], ["shards", "0.2"]]},
    "recipe": {"profile": "wide", "floor": {"side": 64}}, "versions": {"openm3w": "0.1"},
    "inputs": ["a.warc.gz"], "notes": ["slow"],
}  # fmt: skip


def numbers(value):
    """Every number of a report but the tables', in order."""
    for stage in value["stages"]:
        yield from (stage["entered"], stage["kept"], *stage["dropped"].values())
        yield from stage["failed"].values()
    yield from value["histograms"]["similarity"]["counts"]
    yield from value["bars"]["domains"].values()


@pytest.fixture
def table(tmp_path):
    write_report(tmp_path / "out", REPORT)
    path = tmp_path / "report.parquet"
    result = CliRunner().invoke(cli, ["report", str(tmp_path / "out"), "--parquet", str(path)])
    assert result.exit_code == 0, result.output
    assert f"written: {path}" in result.output
    return path


def test_the_table_has_every_number_of_the_json(table, tmp_path):
    value = json.loads((tmp_path / "out" / "report.json").read_bytes())
    found = duckdb.sql(f"SELECT count FROM '{table}' WHERE count IS NOT NULL").fetchall()
    assert sorted(n for (n,) in found) == sorted(numbers(value))


def test_a_funnel_adds_up_in_sql(table):
    """The example of the docs."""
    wrong = duckdb.sql(
        f"SELECT name, unit FROM '{table}' WHERE section = 'stages' GROUP BY ALL "
        "HAVING sum(count) FILTER (outcome = 'entered') "
        "<> sum(count) FILTER (outcome <> 'entered')"
    ).fetchall()
    assert wrong == []
    top = duckdb.sql(
        f"SELECT name, label, count FROM '{table}' "
        "WHERE section = 'stages' AND outcome = 'dropped' ORDER BY count DESC LIMIT 2"
    ).fetchall()
    assert top == [("documents", "no_text", 9), ("documents", "http_status", 3)]


def test_bins_have_their_edges_and_cells_their_type(table):
    bins = f"SELECT low, high, count FROM '{table}' WHERE section = 'histograms'"
    assert duckdb.sql(bins).fetchall() == [(0.1, 0.2, 3), (0.2, 0.4, 5)]
    cells = f"SELECT row, label, value, text FROM '{table}' WHERE section = 'tables'"
    assert duckdb.sql(cells).fetchall() == [
        (0, "job", None, "documents"),
        (0, "seconds", 1.5, None),
        (1, "job", None, "shards"),
        (1, "seconds", None, "0.2"),
    ]


def test_the_query_of_the_docs_names_the_commonest_reasons(table, monkeypatch):
    docs = Path(__file__).parents[3] / "docs" / "reports.md"
    (query,) = re.findall(r"```sql\n(.*?)```", docs.read_text(), re.DOTALL)
    monkeypatch.chdir(table.parent)
    found = duckdb.sql(query).fetchall()
    assert found[0] == ("documents", "pages", "no_text", 9)
    assert [count for *_, count in found] == [9, 3, 2, 1]


def test_every_row_has_every_column():
    assert all(list(row) == list(rows.COLUMNS) for row in rows.rows(REPORT))
    assert list(rows.rows({})) == []


def test_the_table_has_what_the_page_says_beside_numbers(table):
    sections = "('recipe', 'models', 'versions', 'inputs', 'notes')"
    said = duckdb.sql(
        f"SELECT section, name, text FROM '{table}' WHERE section IN {sections}"
    ).fetchall()
    assert said == [
        ("recipe", "profile", "wide"), ("recipe", "floor.side", "64"),
        ("versions", "openm3w", "0.1"), ("inputs", None, "a.warc.gz"), ("notes", None, "slow"),
    ]  # fmt: skip
    others = duckdb.sql(
        f"SELECT text FROM '{table}' WHERE section = 'published' AND name = 'OBELICS' "
        "AND label = 'share' ORDER BY row"
    ).fetchall()
    assert ("0.34 %",) in others
