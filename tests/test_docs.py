import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from openm3w.cli import PLANNED
from openm3w.pipeline.extraction.reasons import Reason

ROOT = Path(__file__).parent.parent
PAGES = sorted([*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")])
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:href|src)=\"([^\"]+)\"")
_EXAMPLE = re.compile(r"^```python\n(.*?)^```\n+```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def _load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKE_CLI = _load("make_cli")
COMMANDS = [path for path, _ in MAKE_CLI.commands(MAKE_CLI.cli)]


def _anchor(heading):
    """What MyST and GitHub make of a heading."""
    plain = re.sub(r"[`*]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def _anchors(page):
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return {_anchor(line.lstrip("#")) for line in text.splitlines() if line.startswith("#")}


def _internal_links(page):
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for match in _LINK.finditer(text):
        target = match[1] or match[2]
        if not re.match(r"[a-z]+:", target):
            yield target


def test_the_page_of_commands_is_current():
    # In a process of its own: click keeps the first help option that a command was asked for.
    check = [sys.executable, str(ROOT / "docs/make_cli.py"), "--check"]
    code = subprocess.run(check, check=False).returncode
    assert code == 0, "docs/cli.md is not current; run: python docs/make_cli.py"


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_is_documented(path):
    headings = (ROOT / "docs/cli.md").read_text(encoding="utf-8").splitlines()
    assert f"{'#' * (1 + len(path))} m3w {' '.join(path)}" in headings


@pytest.mark.parametrize("name", sorted(PLANNED))
def test_every_planned_command_is_named(name):
    assert f"`m3w {name}`" in (ROOT / "docs/cli.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_internal_links_lead_somewhere(page):
    for target in _internal_links(page):
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor in _anchors(file), target


def _commands_in(text):
    """The `m3w ...` commands of code blocks."""
    for block in _FENCE.findall(text):
        for line in block.splitlines():
            words = line.removeprefix("$ ").split("#")[0].split()
            if words[:1] == ["m3w"] and len(words) > 1:
                yield words[1:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_pages_show_exist(page):
    names = {path[0] for path in COMMANDS}
    for words in _commands_in(page.read_text(encoding="utf-8")):
        if words[0] not in PLANNED and not words[0].startswith("-"):
            assert words[0] in names, " ".join(words)


def test_pages_name_no_machine_and_hold_no_notes_to_self():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"\bTODO\b|\bFIXME\b|/home/|/root/", text), page.name


def test_examples_of_extraction_print_what_the_page_says(capsys):
    examples = _EXAMPLE.findall((ROOT / "docs/extraction.md").read_text(encoding="utf-8"))
    assert examples
    for code, output in examples:
        exec(code, {})  # noqa: S102 -- our own page
        assert capsys.readouterr().out == output


def test_all_reasons_of_images_are_explained():
    text = (ROOT / "docs/extraction.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert sorted(named) == sorted(Reason)
