"""Which paragraphs count as content, each rule on both sides of its edge."""

import pytest

from openm3w.pipeline.extraction.extract import extract
from openm3w.pipeline.extraction.region import MAX_TITLE_BLOCKS, MIN_POST_CHARS
from openm3w.shards.document import Text

URL = "https://mill.example/wheel/"
LONG = (
    "The wheel turned for two hundred years before the river was led away from the mill, "
    "and its axle was the last part of it that was ever replaced by hand. "
)
BODY = f"<div class=story><p>{LONG * 2}</p><p>{LONG * 2}</p><p>{LONG * 2}</p></div>"


def text(body: str) -> str:
    spans = extract(f"<html><body>{body}</body></html>", URL).spans
    return "\n".join(span.text for span in spans if isinstance(span, Text))


def images(body: str) -> int:
    return sum(
        not isinstance(span, Text)
        for span in extract(f"<html><body>{body}</body></html>", URL).spans
    )


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        ("<h1>The old wheel</h1>", True),
        ("<h1>The old wheel</h1><h1>Mill News</h1>", False),  # which of them is it?
        ("<h1><a href=/>The old wheel</a></h1>", False),
        ("<h1>The old wheel</h1>" + "<div>Menu</div>" * (MAX_TITLE_BLOCKS - 21), True),
        ("<h1>The old wheel</h1>" + "<div>Menu</div>" * (MAX_TITLE_BLOCKS - 20), False),
    ],
    ids=["one", "two", "a link", "near", "far"],
)
def test_the_only_h1_above_the_text_is_its_title(head: str, *, kept: bool) -> None:
    wide = "<div><a href=/a>Another page</a> <a href=/b>And one more page</a></div>" * 20
    page = f"<div><div>{head}</div>{wide}<div><div>{BODY}</div></div></div>"
    assert ("The old wheel" in text(page)) == kept


@pytest.mark.parametrize(("tag", "kept"), [("pre", True), ("p", True), ("div", False)])
def test_code_is_text_although_its_names_are_links(tag: str, *, kept: bool) -> None:
    code = "import <a href=/numpy>numpy.linalg</a>\nwheel = <a href=/n>numpy.linalg.solve</a>(axle, river, mill)"
    assert ("numpy" in text(f"{BODY[:-6]}<{tag}>{code}</{tag}></div>")) == kept


@pytest.mark.parametrize("wrapper", ["<div>{}</div>", "<article><header>{}</header>"])
@pytest.mark.parametrize(("below", "kept"), [(MIN_POST_CHARS, True), (MIN_POST_CHARS - 1, False)])
def test_a_headline_that_links_to_its_post_heads_it(
    wrapper: str, below: int, *, kept: bool
) -> None:
    heading = "<h2><a href=/post>The second wheel</a></h2>"
    post = f"<p>{'x' * 99}.{'word ' * 200}"[: 3 + below].rstrip(" ")
    post += "." * (3 + below - len(post))
    if "header" in wrapper:
        second = f"{wrapper.format(heading)}{post}</p></article>"
    else:
        second = wrapper.format(f"{heading}{post}</p>")
    assert ("The second wheel" in text(f"<div>{BODY}{second}</div>")) == kept


def test_a_teaser_between_paragraphs_heads_nothing() -> None:
    teaser = "<div><h3><a href=/other>A wheel elsewhere</a></h3></div>"
    page = f"<div><p>{LONG * 3}</p>{teaser}<p>{LONG * 8}</p></div>"
    assert "A wheel elsewhere" not in text(page)


@pytest.mark.parametrize(
    ("items", "kept"),
    [
        ("<li>Rhine<li>Meuse<li>Waal", True),
        ("<li>Rhine<li><a href=/meuse>Meuse</a><li><a href=/waal>Waal</a>", False),
    ],
)
def test_a_list_without_links_ends_the_text(items: str, *, kept: bool) -> None:
    page = f"{BODY[:-6]}<p><b>Mills still turn on these rivers:</b></p><ul>{items}</ul></div>"
    assert ("Rhine" in text(page)) == kept
    assert ("these rivers" in text(page)) == kept


@pytest.mark.parametrize(
    ("first", "second", "kept"), [("h5", "h4", True), ("h4", "h5", True), ("h4", "h4", False)]
)
def test_a_heading_is_empty_above_another_of_its_rank(
    first: str, second: str, *, kept: bool
) -> None:
    headings = f"<{first}>Questions</{first}><{second}>What is a race?</{second}>"
    page = f"{BODY[:-6]}{headings}<p>{LONG}</p></div>"
    assert ("Questions" in text(page)) == kept


@pytest.mark.parametrize(("name", "count"), [("caption", 3), ("description", 0)])
def test_images_with_long_captions_stay(name: str, count: int) -> None:
    figure = f"<div class=box><img src={{}}.jpg><div class={name}><p>{LONG}</p></div></div>"
    figures = "".join(figure.format(number) for number in range(3))
    page = f"<div><p>{LONG * 9}</p><aside-x><div class=figures>{figures}</div></aside-x></div>"
    assert images(f"{page}<p>{LONG * 3}</p>") >= count
