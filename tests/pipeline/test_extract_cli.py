"""`m3w extract` as a user meets it."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

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


def shell(command, **variables):
    """A command line with `m3w` in it, as a shell runs it."""
    script = f'm3w() {{ "{sys.executable}" -m openm3w.cli "$@"; }}; {command}'
    return subprocess.run(
        ["bash", "-c", script], env={**os.environ, **variables}, capture_output=True, check=False
    )


def test_standard_output_that_is_closed_is_one_line(page):
    result = shell('m3w extract "$PAGE" -o - >&-', PAGE=str(page))

    assert result.returncode == 1
    assert result.stderr == b"m3w: standard output is closed; name a file: --output FILE\n"


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full", ">&- 2>&-"])
def test_who_cannot_be_told_gets_the_lines_all_the_same(page, tmp_path, where):
    out = tmp_path / "docs.jsonl"

    result = shell(f'm3w extract "$PAGE" -o "$OUT" {where}', PAGE=str(page), OUT=str(out))

    assert result.returncode == 0
    assert json.loads(out.read_text())["texts"]


def test_a_file_behind_standard_output_is_written_and_not_replaced(page, tmp_path):
    out = tmp_path / "docs.jsonl"
    command = (
        'exec 3>"$OUT"; echo before >&3; m3w extract "$PAGE" -o /dev/stdout >&3; echo after >&3'
    )

    shell(command, PAGE=str(page), OUT=str(out))

    first, line, last = out.read_text().splitlines()
    assert (first, last) == ("before", "after")
    assert json.loads(line)["texts"]


@pytest.mark.parametrize("name", ["/dev/fd/3", "/proc/self/fd/3", "$LINK"])
def test_a_descriptor_is_no_file_to_replace(page, tmp_path, name):
    out, link = tmp_path / "docs.jsonl", tmp_path / "link"
    link.symlink_to("/dev/fd/3")
    command = f'exec 3>"$OUT"; echo before >&3; m3w extract "$PAGE" -o "{name}"'

    result = shell(command, PAGE=str(page), OUT=str(out), LINK=str(link))

    assert (result.returncode, out.read_text()) == (1, "before\n")
    assert b"is an open file of a process" in result.stderr
    assert result.stderr.count(b"\n") == 1


def test_what_was_passed_over_is_said_with_what_counts(page, tmp_path):
    for name in ("a.php", "b.css", "c.js", "d.png"):
        (tmp_path / name).write_text(PAGE)

    said = m3w(tmp_path, "-o", "-").stderr
    value = json.loads(m3w(tmp_path, "-o", "-", "--json").stderr)

    assert "4 files passed over (a.php, b.css, c.js, ...)" in said
    assert ".html, .htm, .xhtml or .xht" in said
    assert value["skipped"] == 4
    assert "passed over" not in m3w(page, "-o", "-").stderr


def test_an_explanation_to_a_file_has_a_width_whatever_the_terminal(page):
    page.write_text(PAGE.replace('"boat.jpg"', f'"{"b" * 500}.jpg" alt="{WORDS * 3}"'))

    result = shell('m3w extract "$PAGE" --explain', PAGE=str(page), COLUMNS="100000")

    assert max(map(len, result.stdout.decode().splitlines())) <= 80


def test_one_image_is_one_image(page):
    assert ", 0 of 1 image kept\n" in m3w(page, "--explain").stdout


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_who_is_interrupted_leaves_nothing_and_promises_nothing(tmp_path, number, code):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for page in range(1000):
        (tmp_path / "in" / f"{page}.html").write_text(PAGE)
    command = [sys.executable, "-m", "openm3w.cli", "extract", str(tmp_path / "in")]

    with subprocess.Popen(
        [*command, "-o", str(tmp_path / "out/docs.jsonl")],
        stderr=subprocess.PIPE,
        # What runs the tests may ignore it, which is passed on.
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509
    ) as process:
        deadline = time.monotonic() + 120
        while not list((tmp_path / "out").iterdir()) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(number)
        errors = process.stderr.read()
        process.wait(timeout=120)

    assert (process.returncode, errors.strip()) == (code, b"m3w: interrupted")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_command_under_nohup_outlives_its_terminal(tmp_path):
    script = textwrap.dedent("""
        import os, signal
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        from openm3w.cli import main
        try:
            main(["--version"])
        finally:
            os.kill(os.getpid(), signal.SIGHUP)
    """)

    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=False)

    assert done.returncode == 0


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_memory_that_runs_out_is_one_line_and_a_quick_end(tmp_path):
    (tmp_path / "page.html").write_text(PAGE + "<p>" + "words " * 1_500_000)
    script = textwrap.dedent("""
        import atexit, resource, sys, threading
        import openm3w.pipeline.extract_cli
        from openm3w.cli import main

        atexit.register(threading.Event().wait)  # as some libraries do
        pages = int(open("/proc/self/statm").read().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 20),) * 2)
        main(["extract", sys.argv[1], "-o", sys.argv[2]])
    """)
    arguments = [str(tmp_path / "page.html"), str(tmp_path / "docs.jsonl")]

    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, timeout=120, check=False
    )

    assert (done.returncode, done.stderr) == (1, b"m3w: out of memory\n")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize(
    ("html", "code"),
    [("<html></html>", 0), ("<div>" * 600, 0), ("\x01\x02\x03" * 9, 1)],
    ids=["no text", "too deep", "no page"],
)
def test_the_exit_code_says_whether_a_page_was_read(tmp_path, capsys, html, code):
    (tmp_path / "a.html").write_text(html)

    with pytest.raises(SystemExit) as stop:
        main(["extract", str(tmp_path / "a.html"), "-o", str(tmp_path / "x")])

    assert stop.value.code == code
    assert (tmp_path / "x").exists() == (code == 0)
    assert capsys.readouterr().out == ""
