import pytest

from openm3w.filters.quality.fineweb import FineWeb

RULE = FineWeb()


def lines(filler, number, length=40):
    """Different lines of so many characters."""
    return [f"{word} is {'so ' * 20}"[: length - 1] + "z" for word in filler(number)]


@pytest.mark.parametrize(("closed", "reason"), [(12, None), (11, "fineweb_open_lines")])
@pytest.mark.parametrize("end", [".", "!", "?", "\u3002"])
def test_twelve_lines_of_a_hundred_end_a_sentence(closed, reason, end, facts, filler):
    page = [line + end * (at < closed) for at, line in enumerate(lines(filler, 100))]
    assert RULE.keep(facts("\n".join(page))).reason == reason


@pytest.mark.parametrize(("short", "reason"), [(67, None), (68, "fineweb_short_lines")])
def test_sixty_seven_lines_of_a_hundred_may_be_short(short, reason, facts, filler):
    page = lines(filler, 100)
    page[:short] = [f"{line[:29]}." for line in page[:short]]
    page[short:] = [f"{line[:30]}." for line in page[short:]]
    assert {len(line) for line in page} == {30, 31}
    assert RULE.keep(facts("\n".join(page))).reason == reason


@pytest.mark.parametrize(("size", "reason"), [(4000, None), (3999, "fineweb_repeated_characters")])
def test_a_hundredth_of_the_characters_may_stand_again(size, reason, facts, filler):
    first, *rest = (f"{line[:-1]}." for line in lines(filler, 99))
    page = [first, first, *rest]
    page[-1] = page[-1][4000 - size :]
    assert sum(map(len, page)) == size
    assert RULE.keep(facts("\n".join(page))).reason == reason


@pytest.mark.parametrize(("breaks", "reason"), [(30, None), (31, "fineweb_many_lines")])
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_three_breaks_for_ten_words(breaks, reason, gap, facts, filler):
    words = filler(100, 40)  # a word is longer than a short line
    page = [" ".join(words[breaks:]), *words[:breaks]]
    rule = FineWeb(min_closed_lines=0)
    assert rule.keep(facts(gap.join(page))).reason == reason


def test_an_empty_text_has_no_closed_line(facts):
    assert RULE.keep(facts(" \n ")).reason == "fineweb_open_lines"


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ({"min_closed_lines": 2}, "min_closed_lines is 2"),
        ({"max_breaks_per_word": -1}, "max_breaks_per_word"),
        ({"short_line_characters": -1}, "short_line_characters"),
    ],
)
def test_bounds_that_make_no_sense_are_refused(bounds, message):
    with pytest.raises(ValueError, match=message):
        FineWeb(**bounds)
