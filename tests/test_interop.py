"""`make interop` with the loaders that are installed here; the others have environments of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = ROOT / "scripts/interop"
PAGE = (ROOT / "docs/interop.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """The script's modules, under their own names for this file's tests alone."""
    before = set(sys.modules)
    os.environ["INTEROP_WORK"] = str(tmp_path_factory.mktemp("interop"))
    sys.path.insert(0, str(SCRIPTS))
    try:
        import environments
        import page
        import rows
        import run

        yield {"environments": environments, "page": page, "rows": rows, "run": run}
    finally:
        del os.environ["INTEROP_WORK"]
        sys.path.remove(str(SCRIPTS))
        for name in set(sys.modules) - before:
            if str(SCRIPTS) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


def run_with_webdataset(work):
    """Exit code, output and errors of the script, with the webdataset of this environment."""
    which = ("--here", "--only", "webdataset-0.2", "--loader", "webdataset_stream", "--no-pickles")
    command = [sys.executable, str(SCRIPTS / "run.py"), *which]
    environ = {**os.environ, "INTEROP_WORK": str(work)}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environ)


def test_the_installed_webdataset_reads_every_kind_and_its_check_notices_what_is_spoilt(tmp_path):
    done = run_with_webdataset(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("| webdataset")]
    assert "| 20 samples, 62 images | 20 samples, 20 images | 20 samples |" in row


def test_a_run_fails_where_a_check_notices_nothing(scripts, monkeypatch, capfd):
    module = scripts["run"]
    monkeypatch.setattr(module, "EVERY", {**module.EVERY, "nothing": lambda _: None})
    options = ["--here", "--only", "python", "--no-pickles", "--page", str(module.WORK / "page.md")]
    monkeypatch.setattr(sys, "argv", ["run.py", *options])

    assert module.main() == 1

    assert "python: Python's tarfile does not notice: nothing\n" in capfd.readouterr().out
    assert not (module.WORK / "page.md").exists()


def test_the_page_has_the_code_that_ran(scripts):
    missing = [name for name, code in scripts["page"].examples().items() if code not in PAGE]
    assert missing == [], "docs/interop.md is not current; run: make interop"


def test_the_page_has_the_words_of_its_template(scripts):
    template = scripts["page"].TEMPLATE.read_text(encoding="utf-8")
    parts = re.split(r"\$[a-z_0-9]+", template)
    assert [part for part in parts if part not in PAGE] == [], "not current; run: make interop"


def test_the_page_has_a_row_for_every_loader_and_version(scripts):
    for environment in scripts["environments"].ENVIRONMENTS:
        for check in environment.checks:
            pinned = [r for r in (*environment.requirements, *environment.alone) if "==" in r]
            versions = dict(r.split("==") for r in pinned)
            version = versions.get(check.distribution, r"[\d.]+")
            row = rf"^\| {re.escape(check.title)} \| {version} \| (?:20|19) samples"
            assert re.search(row, PAGE, re.MULTILINE), "not current; run: make interop"


def reading(scripts, tmp_path, **changes):
    """Differences of one row from what is expected of it."""
    rows = scripts["rows"]
    (tmp_path / "images").mkdir(exist_ok=True)
    (tmp_path / "images" / "a1").write_bytes(b"picture")
    want = {"key": "k", "document": {"n": 1}, "text": "t", "images": {"jpg": "a1"}}
    expected = rows.Expected(
        kind="caption",
        splits={"train": [{**want, "excluded": False}, {**want, "key": "x", "excluded": True}]},
        images=tmp_path / "images",
    )
    same = {"key": "k", "document": {"n": 1}, "text": "t", "images": {"jpg": b"picture"}}
    read = rows.Reading(way="map", split="train", rows=[rows.Row(**{**same, **changes})])
    return rows.differences(read, expected, without_excluded=True)


def test_what_is_equal_has_no_differences(scripts, tmp_path):
    assert reading(scripts, tmp_path) == ({"samples": 1, "images": 1}, [])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": "K"}, "sample 0 is K, expected k"),
        ({"document": {"n": 1.0}}, 'document is {"n": 1.0}, expected {"n": 1}'),
        ({"document": {"n": True}}, 'document is {"n": true}, expected {"n": 1}'),
        ({"text": "t "}, 'text is "t ", expected "t"'),
        ({"text": None}, 'text is null, expected "t"'),
        ({"images": {}}, "images [], expected ['jpg']"),
        ({"images": {"000.jpg": b"picture"}}, "images ['000.jpg'], expected ['jpg']"),
        ({"images": {"jpg": b"pictura"}}, "k.jpg: other bytes"),
    ],
)
def test_what_differs_is_told(scripts, tmp_path, changes, message):
    _, found = reading(scripts, tmp_path, **changes)
    assert len(found) == 1
    assert found[0].startswith("map train: ")
    assert message in found[0]
