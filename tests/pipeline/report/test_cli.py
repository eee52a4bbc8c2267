import json
from html import escape

import pytest
from click.testing import CliRunner

from openm3w.cli import cli
from openm3w.errors import InputError
from openm3w.pipeline.report import write_report

REPORT = {
    "name": "gimp\x1b[2J help",
    "stages": [
        {
            "job": "read",
            "unit": "pages",
            "entered": 1200,
            "kept": 1100,
            "dropped": {"not_html": 90, "evil\x1b]0;x\x07": 0},
            "failed": {"bad_gzip": 10},
        }
    ],
    "notes": ["a.warc.gz\x1b[31m: damaged at 1,234"],
}


def m3w(*arguments):
    return CliRunner().invoke(cli, [str(a) for a in arguments], catch_exceptions=False)


def test_the_funnel_is_printed_with_reasons_and_the_way_to_the_page(tmp_path):
    write_report(tmp_path, REPORT)
    output = m3w("report", tmp_path).output
    assert "read: 1,200 pages entered = 1,100 kept + 90 dropped + 10 failed" in output
    assert [line.split()[0] for line in output.splitlines()[3:6]] == ["kept", "not", "bad"]
    assert "note: a.warc.gz: damaged at 1,234" in output
    assert str(tmp_path / "report.html") in output
    assert "\x1b" not in output


def test_json_is_the_report_as_it_is_and_what_others_published(tmp_path):
    write_report(tmp_path, REPORT)
    found = json.loads(m3w("report", tmp_path, "--json").output)
    others = found.pop("published")
    assert found == REPORT
    assert others["rows"][0]["left"] == "1,100"
    page = (tmp_path / "report.html").read_text()
    for row in others["rows"]:
        assert row["dataset"] == REPORT["name"] or escape(row["about"]) in page
    of_texts = tmp_path / "texts"
    write_report(of_texts, {"name": "texts"})
    assert "published" not in json.loads(m3w("report", of_texts, "--json").output)


def test_a_folder_without_report_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"report\.json is missing"):
        m3w("report", tmp_path)


def test_the_help_has_an_example():
    assert "\n  m3w report out " in m3w("report", "--help").output


@pytest.mark.parametrize("stages", [3, [1], [{"job": 1}], [{**REPORT["stages"][0], "kept": 5}]])
def test_a_report_whose_stages_are_damaged_is_an_input_error(tmp_path, stages):
    (tmp_path / "report.json").write_text(json.dumps({"stages": stages}))
    with pytest.raises(InputError, match="run the same build again"):
        m3w("report", tmp_path)
