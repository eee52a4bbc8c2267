"""The example of docs/plugins.md, run as it stands there."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.beam

PAGE = Path(__file__).parents[2] / "docs/plugins.md"
SITE = "http://site.example"
WORDS = "The harbour was quiet in the morning and the boats lay side by side at the old wall. " * 3
MAIN = "import sys; sys.path.insert(0, sys.argv.pop()); from openm3w.cli import main; main()"


@pytest.fixture
def example(tmp_path, archive, image_bytes):
    """The files that the page shows, and an archive for which its filters have reasons."""
    blocks = re.findall(
        r"^`([\w./]+)`[^\n]*:\n\n```\w+\n(.*?)```", PAGE.read_text(), re.DOTALL | re.MULTILINE
    )
    files = dict(blocks)
    assert set(files) == {"my_package/filters.py", "mine.toml", "recipe.toml"}
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    for number, title in enumerate(("Boats", "Boats " * 20, "Gulls")):
        body = "".join(
            f"<p>{WORDS} {number} {name}.</p><img src=/{name}{number}.png>"
            for name in ("a", "thumb-b")
        )
        page = (
            f"<head><title>{title}</title></head><article>{body}<p>{WORDS} {number}</p></article>"
        )
        archive.page(f"{SITE}/{number}", page)
        for name in ("a", "thumb-b"):
            archive.image(f"{SITE}/{name}{number}.png", image_bytes(100, 100, seed=number))
    archive.write(tmp_path / "crawl.warc.gz")
    return tmp_path


def m3w(folder, *arguments, path=""):
    """Runs a command in `folder`; the example's package is in PYTHONPATH, or only in `path`."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), "" if path else str(folder))))}  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", MAIN, *arguments, path or str(folder)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def stage(folder, output, unit):
    report = json.loads((folder / output / "report.json").read_text())
    return next(s for s in report["stages"] if (s["job"], s["unit"]) == ("shards", unit))


def test_the_example_drops_as_it_says_on_both_runners(example):
    shards = []
    for runner, path in (("local", ""), ("local-mp", str(example))):
        done = m3w(example, "build", "recipe.toml", "--input", "crawl.warc.gz", "--output", runner,
                   "--runner", runner, "--workers", "2", path=path)  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert stage(example, runner, "pages")["dropped"] == {"title_too_long": 1}
        assert stage(example, runner, "images")["dropped"]["thumbnail"] == 3
        data = sorted((example / runner / "data").iterdir())
        shards.append([hashlib.sha256(path.read_bytes()).hexdigest() for path in data])
    assert shards[0] == shards[1]


def test_a_changed_filter_is_applied_and_one_that_raises_is_counted(example):
    source = example / "my_package/filters.py"
    arguments = ("build", "recipe.toml", "--input", "crawl.warc.gz", "--store", "store")
    source.write_text(
        source.read_text().replace("len(document.title) > self", "len(document.title) <= self")
    )
    done = m3w(example, *arguments, "--output", "two")
    assert done.returncode == 0, done.stderr
    assert stage(example, "two", "pages")["dropped"] == {"title_too_long": 2}
    source.write_text(
        source.read_text().replace("len(document.title) <= self", "document.titel > self")
    )
    done = m3w(example, *arguments, "--output", "three")
    assert done.returncode == 1
    assert "no document was kept" in done.stderr
    assert stage(example, "three", "pages")["failed"] == {"filter_failed": 3}
    error = "filter long_title: AttributeError: 'Document' object has no attribute 'titel'"
    assert done.stderr.count(error) == 1
    assert f"(first at {SITE}/" in done.stderr
    notes = json.loads((example / "three/report.json").read_text())["notes"]
    assert any("/0: filter long_title: AttributeError" in note for note in notes)
    # The same where a profile is chosen afterwards, and where it is asked why.
    again = ("--store", "store", "--plugin", "my_package.filters", "--profile", "mine.toml")
    done = m3w(example, "refilter", "two", *again, "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(error) == 1
    done = m3w(example, "explain", "two", f"{SITE}/0", *again)
    assert f"filter_failed ({error})" in " ".join(done.stdout.split())


def test_an_undeclared_reason_is_one_line_from_a_worker_too(example):
    source = example / "my_package/filters.py"
    source.write_text(source.read_text().replace('drop("thumbnail")', 'drop("thumb")'))
    done = m3w(example, "build", "recipe.toml", "--input", "crawl.warc.gz", "--output", "out",
               "--runner", "local-mp", "--workers", "1")  # fmt: skip
    assert done.returncode == 2
    assert (
        "m3w: filter no_thumbnails: gave the reason 'thumb', which is none of its reasons"
        in done.stderr
    )
    assert "Traceback" not in done.stderr


def test_the_list_shows_filters_of_a_plugin(example):
    done = m3w(example, "filters", "list", "--plugin", "my_package.filters")
    assert "long_title\tdocument\ttitle_too_long\t" in done.stdout
    assert "no_thumbnails\timage\tthumbnail\t" in done.stdout
