"""Pages that must never reach a parser, and their neighbours that may."""

import pytest

from openm3w.pipeline.extraction import limits
from openm3w.pipeline.extraction.limits import check_html


def attributes(count: int, form: str = "a{}=1") -> str:
    return " ".join(form.format(number) for number in range(count))


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("", None),
        ("<p>a page</p>", None),
        ("x" * limits.MAX_CHARS, None),
        ("x" * (limits.MAX_CHARS + 1), "too_large"),
        (f"<div {attributes(2_000)}>", None),
        (f"<div {attributes(2_001)}>", "too_many_attributes"),
        (f"<div {attributes(200_000)}", "too_many_attributes"),
        ("<div " + attributes(2_001, 'a{}="<>"') + ">", "too_many_attributes"),
        ("<div " + attributes(2_001, "a{}/") + ">", "too_many_attributes"),
        (f"<p {attributes(1_900)}></p>" * 26, None),
        (f"<p {attributes(1_900)}></p>" * 27, "too_many_attributes"),
        ("<br>" * 100_000, None),
        ("<br>" * 100_001, "too_large"),
        ("<div>" * 512, None),
        ("<div>" * 513, "too_deep"),
        ("<b><i>" * 257, "too_deep"),
        ("<ul><li>" * 512, None),
        ("<div>" * 1_000_000, "too_deep"),
        ("<div></div>" * 5_000, None),
        ("<p>" * 5_000, None),
        ("<br><img src=a><li>" * 5_000, None),
        ("<td><font>x</td>" * 500, None),
    ],
)
def test_the_bounds_are_inclusive(html: str, reason: str | None) -> None:
    assert check_html(html) == reason


@pytest.mark.parametrize(
    "html",
    [
        f"<img src='data:image/png;base64,{'iVBO/+w=' * 100_000}'>",
        f'<div data-json="{"a b c = d " * 50_000}">',
        f"<script>{'if (a < b) { c = d } ' * 50_000}</script>",
        f"<style>{'a > b { c: d } ' * 20_000}</style>",
        f"<!-- {'<div>' * 5_000} -->",
        f"<textarea>{'<div>' * 5_000}</textarea>",
        f"<p don't>{'it is fine = so it is ' * 20_000}</p>",
        "<table>" + "<tr><td><font><b>x</table><table>" * 3_000,
    ],
    ids=["data-uri", "long value", "script", "style", "comment", "textarea", "quote", "unclosed"],
)
def test_long_but_harmless_pages_pass(html: str) -> None:
    assert check_html(html) is None


STARTS = ["<", "<a", "<a ", '<a b="', "<!--", "<script", "</", '="', "<a b='>", "<a=", ">", "a ="]


@pytest.mark.parametrize("unit", STARTS)
def test_a_start_repeated_through_a_whole_page_does_not_hang(unit: str) -> None:
    check_html(unit * (3_000_000 // len(unit)))
