import json
import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from openm3w.cli import cli
from openm3w.errors import RecipeError
from openm3w.filters import cli as filters_cli
from openm3w.filters import registry
from openm3w.filters.lists import load
from openm3w.filters.profiles import load_profile, profile_names, profile_path


def run(*arguments):
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False, standalone_mode=False)
    return result.output


def test_filters_list_names_every_filter_and_reason_on_plain_lines():
    lines = run("filters", "list").splitlines()
    assert sorted(line.split("\t")[0] for line in lines) == list(registry.names())
    line = next(line for line in lines if line.startswith("min_side\t"))
    assert line.split("\t")[1:3] == ["image", "not_measured, too_small"]


def test_filters_list_as_json():
    rows = json.loads(run("filters", "list", "--json"))
    assert {row["name"] for row in rows} == set(registry.names())
    assert set(rows[0]) == {"name", "granularity", "reasons", "summary"}


def test_a_table_is_drawn_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    filters_cli.print_table(("filter", "judges"), [("min_side", "[/red]\x1b]0;t\x07")])
    shown = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert shown.split() == ["filter", "judges", "min_side", "[/red]"]


def test_profiles_list_and_show(tmp_path):
    lines = [line.split("\t") for line in run("profiles", "list").splitlines()]
    kinds = {name: kind for name, kind, _ in lines}
    assert list(kinds) == sorted([*profile_names(), *profile_names("caption")])
    assert {name for name, kind in kinds.items() if kind == "caption"} == {
        *("captions", "laion", "coyo", "datacomp")
    }
    rows = json.loads(run("profiles", "list", "--json"))
    assert {row["name"]: row["kind"] for row in rows} == kinds
    assert run("profiles", "show", "m3w") == profile_path("m3w").read_text(encoding="utf-8")
    mine = tmp_path / "mine.toml"
    mine.write_text("# nothing yet\n", encoding="utf-8")
    assert run("profiles", "show", str(mine)) == "# nothing yet\n"


def test_overrides_show_in_the_decoded_values():
    shown = json.loads(run("profiles", "show", "openm3w", "--set", "image.min_side=150"))
    assert shown["image"]["min_side"] == 150
    plain = json.loads(run("profiles", "show", "openm3w", "--json"))
    assert plain["image"]["min_side"] == load_profile("openm3w").image.min_side


def test_the_page_is_printed_or_written(tmp_path):
    path = tmp_path / "filters.md"
    assert run("filters", "page", "--output", str(path)) == ""
    assert run("filters", "page") == path.read_text(encoding="utf-8")


def test_a_caption_profile_is_shown_with_its_kind():
    assert run("profiles", "show", "coyo") == profile_path("coyo").read_text(encoding="utf-8")
    shown = json.loads(run("profiles", "show", "coyo", "--set", "captions.max_words=9"))
    assert (shown["kind"], shown["captions"]["max_words"]) == ("caption", 9)


def test_diff_is_a_table_in_a_pipe_and_an_object_if_asked():
    lines = [line.split("\t") for line in run("profiles", "diff", "m3w", "kosmos1").splitlines()]
    assert lines[0] == ["bound", "m3w", "kosmos1"]
    assert ["document.window_tokens", "256", "0"] in lines
    assert ["document.interspersed", "false", "true"] in lines
    assert ["quality.gibberish.max_emoji_per_word", "off", "0.1"] in lines
    assert not {"image.min_side", "description"} & {line[0] for line in lines}
    found = json.loads(run("profiles", "diff", "m3w", "kosmos1", "--json"))
    assert found["document.window_tokens"] == {"m3w": 256, "kosmos1": 0}
    assert list(found) == [line[0] for line in lines[1:]]


def test_diff_cuts_no_name_off_in_a_narrow_terminal(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    filters_cli.print_table(("bound", "a", "b"), [("quality." + "x" * 60, "z" * 30, "1")])
    shown = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert (shown.count("x"), shown.count("z")) == (60, 30)


def test_an_unknown_profile_is_wrong_use():
    with pytest.raises(RecipeError, match="nosuch") as caught:
        run("profiles", "show", "nosuch")
    assert caught.value.exit_code == 2


def test_listing_filters_loads_neither_beam_nor_torch_nor_numpy():
    code = (
        "import sys; from openm3w.cli import cli; "
        "cli.main(['filters', 'list'], standalone_mode=False); "
        "import openm3w.filters.selection, openm3w.filters.floor; "
        "print(sorted({'apache_beam', 'torch', 'numpy', 'tldextract'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_hashset_makes_a_list_small(tmp_path):
    (tmp_path / "adult").mkdir()
    (tmp_path / "adult/domains").write_text("a.example\nb.example\n")
    (tmp_path / "more.txt").write_text("b.example\nc.example\n")
    output = tmp_path / "denied.set"
    lists = [str(tmp_path / "adult"), str(tmp_path / "more.txt")]

    said = run("filters", "hashset", *lists, "--output", str(output))

    assert said == f"{output}: 3 domains\n"
    assert "c.example" in load(str(output), "domain")


def test_profiles_with_filters_of_one_s_own_are_shown_and_compared(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_FILTERS", dict(registry._all()))
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "plug_shown.py").write_text(
        "from dataclasses import dataclass\nfrom typing import ClassVar\n"
        "from openm3w.filters.registry import register\n"
        "from openm3w.filters.verdict import KEEP\n\n\n@register\n"
        "@dataclass(frozen=True, slots=True, kw_only=True)\nclass Shown:\n"
        '    name: ClassVar[str] = "shown"\n    reasons: ClassVar[frozenset[str]] = frozenset()\n'
        "    least: int = 3\n\n    def keep(self, document):\n        return KEEP\n"
    )
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text("[filters.shown]\nleast = 4\n")
    two.write_text("[filters.shown]\n")
    for command in (("show", str(one)), ("diff", str(one), str(two))):
        with pytest.raises(RecipeError, match="no filter 'shown'"):
            run("profiles", *command)
    shown = run("profiles", "show", str(one), "--json", "--plugin", "plug_shown")
    assert json.loads(shown)["filters"] == {"shown": {"least": 4}}
    differing = run("profiles", "diff", str(one), str(two), "--plugin", "plug_shown")
    assert "filters.shown.least\t4\t3" in differing.splitlines()
    sys.modules.pop("plug_shown")


@pytest.mark.parametrize("group", ["filters", "profiles"])
def test_no_line_of_help_ends_in_the_middle(group):
    assert "..." not in run(group, "--help").partition("Commands:")[2]
