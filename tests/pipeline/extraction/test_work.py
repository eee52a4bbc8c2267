"""Work grows with the page: counted in lines of our code that run, alike on every machine."""

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType

import pytest

from openm3w.pipeline.extraction.extract import extract
from openm3w.pipeline.extraction.unicode import repair

URL = "https://site.example/a/b.html"
PROSE = "<p>The old bridge crosses the river where the market was held for three hundred years.</p>"
FEW = 30


def lines_run(work: Callable[[], object]) -> int:
    """How many lines of our code the work runs, once all that it remembers is known."""
    work()
    count = 0

    def trace(frame: FrameType, event: str, _arg: object) -> object:
        nonlocal count
        if not frame.f_globals.get("__name__", "").startswith("openm3w."):
            return None  # others remember by rules of their own
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


FRAGMENTS = {
    "announcing lines": "<p>abc:</p>",
    "headings": "<h2>abc</h2>",
    "links": "<p><a href=x>Another page of this site</a></p>",
    "lines before links": "<p>abc:</p><p><a href=x>Another page of this site</a></p>",
    "paragraphs": PROSE,
    "breaks": "abc<br>",
    "figures": "<figure><img src=photo-{n}.jpg><figcaption>abc</figcaption></figure>",
    "images": "<img src=photo-{n}.jpg>",
    "one image often": "<img src=photo.jpg>",
    "crops": "<img src=/{n}/photograph.jpg>",
    "candidates": "<img srcset='a{n}.jpg 1x, b{n}.jpg 2x'>",
    "lazy twins": "<img data-src=a{n}.jpg><noscript><img src=a{n}.jpg></noscript>",
    "twins of one": "<noscript><img src=a.jpg><img src=b{n}.jpg></noscript>",
    "linked images": "<a href=x{n}><img src=a{n}.jpg></a><p><a href=x{n}>abc</a></p>",
    "credits": "<p>Photo: abc</p>",
    "rights": "<p>© abc</p>",
    "items": "<li>abc",
    "items with text": f"<li>{PROSE}",
    "facts": "<tr><td>abc<td><img src=a{n}.jpg>",
    "rows": "<tr><td>abc<td>def",
    "rows of tables in tables": "<tr><td>abc<td>def<table><tr><td>abc<td>def</table>",
    "quotations": "<figure><p>abc<figcaption>def</figcaption></figure>",
    "lines of code": "<pre><div>abc</div><div></div></pre>",
    "terms": "<dt>abc<dd>def",
    "sides": "<div class=sidebar>abc</div>",
    "hidden": "<span hidden>abc</span>",
    "formatting": "<b>abc<i>def",
    "references": "<p>a &amp; b",
    "misread": "<p>RenÃ© É\u00a0:",
    "marks": "<p>q\u0315\u0300\u05ae",
}
AROUND = {
    "after text": (PROSE * 3, ""),
    "between text": (PROSE * 3, PROSE * 3),
    "in a list": (f"{PROSE * 3}<ul><li>{PROSE}", f"</ul>{PROSE * 3}"),
    "in deep lists": ("<ul><li>" * 200 + PROSE * 3, PROSE),
    "in deep boxes": ("<div>" * 400 + PROSE * 3, PROSE),
    "in facts": (f"{PROSE * 3}<table class=infobox><tr><td>abc", f"</table>{PROSE * 3}"),
    "in rows": (f"{PROSE * 3}<table><tr><td>abc<td>def", f"</table>{PROSE}"),
    "in code": (f"{PROSE * 3}<pre><div>abc</div>", f"</pre>{PROSE}"),
    "in a figure": (f"{PROSE * 3}<figure>", f"</figure>{PROSE}"),
    "beside deep captions": (
        f"{PROSE * 3}<figure>{'<div>' * 300}{'abc<hr>' * 38}{'</div>' * 300}",
        f"</figure>{PROSE}",
    ),
}


def page(around: str, fragment: str, count: int) -> str:
    before, after = AROUND[around]
    body = "".join(FRAGMENTS[fragment].replace("{n}", str(number)) for number in range(count))
    return f"{before}{body}{after}"


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_each_further_part_of_a_page_costs_the_same(around: str, fragment: str) -> None:
    few, twice, four_times = (
        lines_run(partial(extract, page(around, fragment, count), URL))
        for count in (FEW, 2 * FEW, 4 * FEW)
    )
    # The second step is 2 times the first where each part costs the same, and 4 times where it
    # looks at all others. Steps that are smaller than these lines are no steps.
    assert four_times - twice <= 2.5 * max(twice - few, 10 * FEW)


@pytest.mark.parametrize(
    ("around", "fragment"),
    [
        ("in deep boxes", "paragraphs"),
        ("in deep boxes", "announcing lines"),
        ("in deep boxes", "figures"),
        ("in deep boxes", "images"),
        ("beside deep captions", "images"),
        ("beside deep captions", "lazy twins"),
    ],
)
def test_a_part_of_a_deep_page_costs_no_more_than_of_another(around: str, fragment: str) -> None:
    deep, other = (
        lines_run(partial(extract, page(where, fragment, FEW * 2), URL))
        - lines_run(partial(extract, page(where, fragment, FEW), URL))
        for where in (around, "after text")
    )
    assert deep <= 1.5 * other


@pytest.mark.parametrize(
    "line",
    [
        "É\u00a0 ",  # what may be right, in a line that is looked at again and again
        "É… Ã",
        "ÉÉ",
        "à…… ",
        "Î‹",
        "à€€",
        "Ã©漢",
        "RenÃ© ",
    ],
)
def test_each_further_letter_of_a_line_costs_the_same(line: str) -> None:
    end = "Ã\u0192Æ\u2019Ã†â\u20ac\u2122ÃƒÂ©漢"  # an é that was read wrongly again and again
    few, twice, four_times = (
        lines_run(partial(repair, line * count + end)) for count in (400, 800, 1_600)
    )
    assert four_times - twice <= 2.5 * max(twice - few, 400)


def test_what_may_be_right_in_a_long_line_is_not_looked_at_letter_by_letter() -> None:
    assert lines_run(partial(repair, "É\u00a0 " * 10_000 + "Ã©漢")) < 1_000
