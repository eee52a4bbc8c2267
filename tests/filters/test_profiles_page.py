from pathlib import Path

import pytest

from openm3w.errors import InputError
from openm3w.filters.comparing import bounds
from openm3w.filters.profiles import profile_names
from openm3w.filters.profiles_page import _ROWS, BEGIN, END, NONE, profile_tables, put_into

PAGE = Path(__file__).parents[2] / "docs" / "profiles.md"


def test_the_page_in_the_documentation_is_current():
    page = PAGE.read_text(encoding="utf-8")
    assert put_into(page) == page, "run `m3w profiles page docs/profiles.md`"


def test_what_stands_around_the_tables_stays():
    assert put_into(f"before\n{BEGIN}\nold\n{END}\nafter\n").startswith(f"before\n{BEGIN}\n\n#")
    assert put_into(f"a\n{BEGIN}{END}\nz\n").endswith(f"{END}\nz\n")
    with pytest.raises(InputError, match="lacks the lines"):
        put_into("no marks")


def _cells(title):
    lines = profile_tables().splitlines()
    line = next(line for line in lines if line.startswith(f"| {title} |"))
    return [cell.strip() for cell in line.strip("|").split("|")[1:]]


def test_cells_are_the_bounds_of_the_profiles():
    names = profile_names()
    sides = dict(zip(names, _cells("longer over shorter side"), strict=True))
    assert (sides["m3w"], sides["obelics"]) == ("3", "2")
    windows = dict(zip(names, _cells("window, tokens"), strict=True))
    assert {name: window for name, window in windows.items() if window != NONE} == {"m3w": "256"}
    rules = dict(zip(names, _cells("rules on the text"), strict=True))
    assert rules["m3w"] == "`gopher_quality`, `gopher_repetition`"
    similarity = dict(zip(names, _cells("similarity, CLIP ViT-L/14"), strict=True))
    assert (similarity["mmc4"], similarity["kosmos1"]) == ("0.15", NONE)


@pytest.mark.parametrize("kind", ["interleaved", "caption"])
def test_every_row_is_a_bound_that_some_profile_has(kind):
    known = {key for name in profile_names(kind) for key in bounds(name)} | {
        "safety.max_nsfw.opennsfw"
    }
    assert {key for _, key in _ROWS[kind]} <= known
