import io
import re

import pytest
from rich.console import Console

from openm3w.errors import InputError
from openm3w.shards.catalog.samples import Catalog
from openm3w.shards.view.pager import Pager

RIGHT, UP, DOWN, PAGE_DOWN = "\x1b[C", "\x1b[A", "\x1b[B", "\x1b[6~"


def screens(manifest, keys, *, number=0, technique="blocks", height=24):
    """What stands on the screen before each key, without colours; the last key is q."""
    console = Console(
        file=io.StringIO(),
        width=70,
        height=height,
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        highlight=False,
        _environ={"TERM": "xterm-256color"},
    )
    pressed = iter([*keys, "q"])
    Pager(Catalog([manifest]), console, lambda: next(pressed), technique).run(number)
    drawn = console.file.getvalue()
    assert drawn.rstrip().endswith("\x1b[?1049l\x1b[?25h"), "the terminal is given back as it was"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", drawn)
    return [screen for screen in plain.split("\x1b[H\x1b[2J") if "│" in screen]


def titles(drawn):
    return [re.search(r"(\d+) of 6 │", screen).group(1) for screen in drawn]


def test_next_and_previous_stop_at_both_ends(dataset):
    drawn = screens(dataset(), ["p", "n", RIGHT, "n", "n", "n", "n", "p"])
    assert titles(drawn) == ["1", "1", "2", "3", "4", "5", "6", "6", "5"]
    assert "this is the first one" in drawn[1]
    assert "this is the last one" in drawn[7]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["5", "\r"], "5"),
        ([":", "4", "\r"], "4"),
        ([":", "4", "\x7f", "2", "\r"], "2"),
        ([":", "4", "\x1b"], "1"),
        ([":", "\r"], "1"),
        (["9", "\r"], "1"),
    ],
)
def test_a_number_jumps_and_escape_does_not(dataset, typed, expected):
    assert titles(screens(dataset(), typed))[-1] == expected


def test_a_key_jumps_and_an_unknown_one_says_so(dataset, sample):
    manifest = dataset()
    assert titles(screens(manifest, [":", *sample(3).key, "\r"]))[-1] == "4"
    assert "no sample 'zz'" in screens(manifest, [":", "z", "z", "\r"])[-1]


def test_search_finds_the_next_document_with_the_words_and_repeats(dataset):
    drawn = screens(dataset(), ["/", *"site2.example", "\r", "/", "\r", "/", "\r"])
    assert titles(drawn) == ["1", "3", "6", "6"]
    assert "no later document has" in drawn[-1]


def test_scrolling_stays_inside_the_document(dataset):
    drawn = screens(dataset(), [UP, DOWN, "j", "G", PAGE_DOWN, "k", "g"], height=12)
    assert "Title 0" in drawn[0]
    assert drawn[0].partition("│")[0] == drawn[1].partition("│")[0]
    assert "Title 0" not in drawn[2]
    assert "100 %" in drawn[4]
    assert titles(drawn)[5] == "2", "a page further than the end is the next document"


def test_space_reads_through_everything(dataset):
    numbers = titles(screens(dataset(), [" "] * 40, height=20))
    assert numbers[-1] == "6"
    assert sorted(set(numbers)) == [str(n) for n in range(1, 7)]
    assert numbers == sorted(numbers)


def test_no_screen_is_higher_than_the_terminal(dataset):
    for screen in screens(dataset(), ["j"] * 10 + ["n"], height=10):
        assert screen.count("\n") <= 9


def test_excluded_samples_are_not_shown(dataset, sample):
    manifest = dataset(exclude=[sample(0).key, sample(2).key])
    assert titles(screens(manifest, ["n", "n"])) == ["2", "4", "5"]
    with pytest.raises(InputError, match="exclude list"):
        screens(dataset(exclude=[sample(n).key for n in range(6)]), [])


def test_unknown_keys_show_the_help(dataset):
    assert "j/k line" in screens(dataset(), ["x"])[-1]


def test_end_of_input_ends_the_viewer(dataset):
    def end():
        raise EOFError

    console = Console(file=io.StringIO(), width=70, height=20, force_terminal=True)
    Pager(Catalog([dataset()]), console, end, "line").run(0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_sixel_pictures_are_drawn_over_the_room_left_for_them(dataset):
    drawn = screens(dataset(), ["j", "j"], technique="sixel", height=30)
    assert all("\x1bP" in screen for screen in drawn)
    tops = [re.search(r"\x1b\[(\d+);3H\x1bP", screen).group(1) for screen in drawn[:2]]
    assert int(tops[0]) - int(tops[1]) in (0, 1)
