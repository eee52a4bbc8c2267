from openm3w.pipeline.failures import Failures, first_of_each
from openm3w.pipeline.page import MAX_ERRORS


def test_the_first_error_of_each_filter_is_kept_however_many_another_has():
    failures = Failures()
    for number in range(MAX_ERRORS + 5):
        failures.add(f"http://a/{number}", f"filter one: KeyError: {number}")
    failures.add("http://b/", "filter two: ValueError: x")
    failures.add("http://c/", "filter two: ValueError: y")
    failures.add("http://d/", "")

    assert len(failures.errors) == MAX_ERRORS + 1
    assert first_of_each(failures.errors) == (
        "filter one: KeyError: 0 (first at http://a/0)",
        "filter two: ValueError: x (first at http://b/)",
    )


def test_a_line_of_an_error_is_one_line_of_a_terminal():
    (line,) = first_of_each([{"url": "http://a/\x1b[2J", "error": "filter one: KeyError: a\nb"}])
    assert "\n" not in line
    assert "\x1b" not in line
