import os
import shutil
import subprocess
import sys
from pathlib import Path

import openm3w
from openm3w import missing_links

PACKAGE = Path(openm3w.__file__).parent
FOLDERS = ["filters", "pipeline", "shards", "trainer"]


def _checkout_without_links(folder: Path) -> Path:
    """What Git makes where it may not make symbolic links: text files that hold the target."""
    package = folder / "openm3w"
    package.mkdir()
    shutil.copy(PACKAGE / "__init__.py", package)
    for name in FOLDERS:
        (package / name).write_text(f"../../{name}")
    return package


def test_all_links_of_this_checkout_lead_to_folders():
    assert missing_links(PACKAGE) == []


def test_links_that_became_files_are_named(tmp_path):
    assert missing_links(_checkout_without_links(tmp_path)) == FOLDERS


def test_one_missing_link_is_named_alone(tmp_path):
    package = _checkout_without_links(tmp_path)
    (package / "shards").unlink()
    (package / "shards").mkdir()
    assert missing_links(package) == ["filters", "pipeline", "trainer"]


def test_importing_such_a_checkout_fails_with_one_line_that_says_what_to_do(tmp_path):
    _checkout_without_links(tmp_path)
    result = subprocess.run(
        [sys.executable, "-S", "-c", "import openm3w"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: openm3w: filters, pipeline, shards, trainer under")
    assert last.endswith("git clone -c core.symlinks=true ...")
