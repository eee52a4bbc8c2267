import html.parser
import json

import pytest

from openm3w.errors import InputError
from openm3w.pipeline.report import page, read_report, write_report

EVIL = (
    "</title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\"'{{ 7 * 7 }}"
)


def stage(job, entered, kept, *, unit="pages", dropped=None, failed=None):
    return {
        "job": job,
        "unit": unit,
        "entered": entered,
        "kept": kept,
        "dropped": dropped or {},
        "failed": failed or {},
    }


def report(**changes):
    return {
        "name": "gimp help",
        "recipe": {"name": "openm3w", "images": {"side": 512, "formats": ["jpeg", "png"]}},
        "models": {"similarity": {"id": "lit-test"}},
        "versions": {"openm3w": "0.1.0"},
        "inputs": ["a.warc.gz", "b.warc.gz"],
        "stages": [
            stage("read", 1200, 1100, dropped={"not_html": 90}, failed={"bad_gzip": 10}),
            stage("select", 1100, 80, dropped={"no_images": 1020}),
            stage("images", 653, 650, unit="images", failed={"does_not_decode": 3}),
        ],
        "histograms": {"similarity": {"edges": [0.0, 0.1, 0.2, 0.3], "counts": [1, 20, 3]}},
        "tables": {"Slowest": [["source", "seconds"], ["a.warc.gz", 12.5], ["b.warc.gz", 1000]]},
        "notes": ["a.warc.gz: damaged at 1,234"],
        **changes,
    }


class Page(html.parser.HTMLParser):
    """The tags, attributes and visible text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.text.append(" ".join(data.split()))

    @property
    def said(self):
        return " ".join(part for part in self.text if part)


def test_both_files_are_written_and_the_numbers_read_back(tmp_path):
    write_report(tmp_path, report())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.json"]
    assert read_report(tmp_path) == report()


def test_the_page_is_one_file_without_scripts_or_loads():
    seen = Page(page.render(report()))
    assert not seen.tags & {"script", "link", "img", "iframe", "object", "base", "form"}
    assert not {name for name, _ in seen.attributes} & {"src", "href", "onload"}
    assert "url(" not in page.render(report())
    assert "default-src 'none'" in dict(seen.attributes).get("content", "") or any(
        "default-src 'none'" in (value or "") for _, value in seen.attributes
    )


def test_the_funnel_is_written_out_with_its_reasons():
    said = Page(page.render(report())).said
    assert "1,200 entered = 1,100 kept + 90 dropped + 10 failed" in said
    for part in ("not html", "bad gzip", "no images 1,020", "92.7 %", "653"):
        assert part in said


def test_histograms_tables_notes_and_settings_are_there():
    seen = Page(page.render(report()))
    for part in ("similarity", "0.1 to 0.2: 20 (83.3%)", "Slowest", "12.5", "1,000"):
        assert part in seen.said
    for part in ("a.warc.gz: damaged at 1,234", "images.formats", "jpeg, png", "lit-test"):
        assert part in seen.said
    assert "svg" in seen.tags


@pytest.mark.parametrize(
    "place",
    [
        {"name": EVIL},
        {"recipe": {EVIL: EVIL}},
        {"models": {EVIL: {EVIL: EVIL}}},
        {"versions": {EVIL: EVIL}},
        {"inputs": [EVIL]},
        {"stages": [stage(EVIL, 2, 1, dropped={EVIL: 1})]},
        {"histograms": {EVIL: {"edges": [0, 1], "counts": [1]}}},
        {"bars": {EVIL: {EVIL: 1}}},
        {"about": EVIL},
        {"tables": {EVIL: [[EVIL], [EVIL]]}},
        {"notes": [EVIL]},
    ],
    ids=lambda place: next(iter(place)),
)
def test_hostile_text_stays_text_wherever_it_stands(place):
    plain, hostile = Page(page.render(report())), Page(page.render(report(**place)))
    assert hostile.tags <= plain.tags
    assert not [name for name, _ in hostile.attributes if name.startswith("on")]
    assert "<script" not in page.render(report(**place))
    assert "{{ 7 * 7 }}" in hostile.said.replace("_", " ")


def test_an_empty_report_is_a_page_too(tmp_path):
    write_report(tmp_path, {})
    assert "Stage by stage" not in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    "stages",
    [
        [stage("read", 10, 8)],
        [stage("read", 10, 10), stage("select", 9, 9)],
        [{"job": "read"}],
    ],
)
def test_a_funnel_that_does_not_add_up_is_never_written(tmp_path, stages):
    with pytest.raises(ValueError, match=r"read|select|stage"):
        write_report(tmp_path, report(stages=stages))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [None, b"", b"{", b"[]"])
def test_a_missing_or_broken_report_says_what_to_do(tmp_path, data):
    if data is not None:
        (tmp_path / "report.json").write_bytes(data)
    with pytest.raises(InputError, match=r"report\.json is .*run the same build again"):
        read_report(tmp_path)


def test_stages_stand_together_by_unit():
    found = page.by_unit(page.stages_of(report()))
    assert {unit: [s.job for s in stages] for unit, stages in found.items()} == {
        "pages": ["read", "select"],
        "images": ["images"],
    }


def test_the_json_keeps_names_as_they_are(tmp_path):
    write_report(tmp_path, report(name="Übersicht"))
    assert json.loads((tmp_path / "report.json").read_bytes())["name"] == "Übersicht"
