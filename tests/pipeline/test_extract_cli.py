"""`m3w extract` as a user meets it."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from openm3w.cli import cli, main

WORDS = "Boats lay along the old wall, and the wind came from the north. "
PAGE = f"""<html><head><title>Boats</title></head><body><article><h1>Boats</h1><p>{WORDS * 5}</p>
<figure><img src="boat.jpg" width="800" height="600"></figure><p>{WORDS * 5}</p></article></body></html>"""


def m3w(*arguments):
    return CliRunner().invoke(cli, ["extract", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(PAGE)
    return path


def test_lines_go_to_a_file_and_the_summary_to_standard_error(page, tmp_path):
    result = m3w(page, "--output", tmp_path / "docs.jsonl", "--url", "https://a.example/1/")

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith(f"1 of 1 page written to {tmp_path / 'docs.jsonl'} in ")
    assert "pages/s" in result.stderr
    assert "1 image kept (content 1), 0 left out\n" in result.stderr
    line = json.loads((tmp_path / "docs.jsonl").read_text())
    assert "https://a.example/1/boat.jpg" in line["images"]


def test_a_dash_writes_lines_to_standard_output(page):
    result = m3w(page, "--output", "-")

    assert json.loads(result.stdout)["texts"]
    assert "1 of 1 page written in " in result.stderr


def test_the_summary_says_where_an_address_is_missing(page, tmp_path):
    result = m3w(page, "-o", tmp_path / "docs.jsonl")

    assert "1 image on 1 page left out as no_url" in result.stderr
    assert "--url" in result.stderr


@pytest.mark.usefixtures("page")
def test_the_summary_says_what_could_not_be_read(tmp_path):
    (tmp_path / "gone.html").symlink_to("nowhere.html")

    said = m3w(tmp_path, "-o", "-").stderr.splitlines()
    value = json.loads(m3w(tmp_path, "-o", "-", "--json").stderr)

    assert said[-2:] == [
        "1 file could not be read",
        f"{tmp_path}/gone.html: is a link to nothing",
    ]
    assert (value["unreadable"], value["notes"]) == (1, said[-1:])


def test_the_summary_as_json(page, tmp_path):
    value = json.loads(m3w(page, "-o", tmp_path / "docs.jsonl", "--json").stderr)

    assert (value["pages"], value["written"], value["lost"]) == (1, 1, {})
    assert (value["images"], value["left_out"], value["without_base"]) == ({}, {"no_url": 1}, 1)
    assert value["pages_per_second"] > 0


def test_explaining_prints_and_needs_no_output(page):
    text = m3w(page, "--explain")
    lines = m3w(page, "--explain", "--json")

    assert text.exit_code == lines.exit_code == 0
    assert "Boats\npage.html\n" in text.stdout
    assert "no_url" in text.stdout
    assert json.loads(lines.stdout)["images"][0]["reason"] == "no_url"


def test_an_explanation_can_be_written_to_a_file(page, tmp_path):
    result = m3w(page, "--explain", "-o", tmp_path / "why.txt")

    assert result.stdout == ""
    assert "no_url" in (tmp_path / "why.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "'--output -' prints the lines"),
        (("-o", "{tmp}/x", "--engine", "trafilature"), 2, "Invalid value for '--engine'"),
        (("-o", "{tmp}/x", "--url", "page.html"), 2, "not an absolute address"),
        (("-o", "{tmp}/x", "--page", "https://a.example/"), 1, "is not at https://a.example/"),
        (("-o", "{tmp}/x", "--url-contains", "news"), 1, "has no 'news' in its address"),
        (
            (
                "-o",
                "{tmp}/page.html",
            ),
            1,
            "is one of the inputs",
        ),
        (("{tmp}/no.html", "-o", "{tmp}/x"), 1, "no such file or folder"),
        (("-", "-o", "{tmp}/x"), 1, "standard input is not read; save it to a file"),
        (("-o", "."), 1, ".: is a folder; name a file in it"),
        (("-o", "{tmp}/no/x"), 1, "there is no folder {tmp}/no"),
    ],
)
def test_mistakes_are_one_line(page, tmp_path, capsys, arguments, code, words):
    with pytest.raises(SystemExit) as stop:
        main(["extract", str(page), *(part.replace("{tmp}", str(tmp_path)) for part in arguments)])

    shown = capsys.readouterr()
    assert (stop.value.code, shown.out) == (code, "")
    assert words.replace("{tmp}", str(tmp_path)) in shown.err
    assert shown.err.startswith("Usage: ") or shown.err.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_a_reader_that_goes_away_ends_it_without_a_word(tmp_path):
    for number in range(300):
        (tmp_path / f"{number}.html").write_text(PAGE)
    command = [sys.executable, "-m", "openm3w.cli", "extract", str(tmp_path), "--output", "-"]

    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        process.wait(timeout=120)

    assert (process.returncode, errors) == (141, b"")


def test_it_starts_without_beam_and_torch():
    code = "import sys, openm3w.pipeline.extract_cli; print(*{'torch', 'apache_beam'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""
