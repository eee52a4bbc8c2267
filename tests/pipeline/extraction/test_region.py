"""Which paragraphs count as content, each rule on both sides of its edge."""

import pytest

from openm3w.pipeline.extraction.extract import extract
from openm3w.pipeline.extraction.headings import MAX_TITLE_BLOCKS, MIN_POST_CHARS
from openm3w.shards.document import Image, Text

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


def shown(body: str) -> list[str]:
    """Lines of the text, and images with their captions."""
    lines = list[str]()
    for span in extract(f"<main><p>{LONG}</p>{body}<p>{LONG}End.</p></main>", URL).spans:
        if isinstance(span, Image):
            lines.append(f"<{span.url.rpartition('/')[2]}: {span.caption}>")
        else:
            lines.extend(line for line in span.text.split("\n") if line)
    assert (lines[0], lines[-1]) == (LONG.strip(), f"{LONG}End.")
    return lines[1:-1]


QUOTE = "<blockquote><p>Flour is a slow thing.</p></blockquote>"
CODE = "<pre>mill --gap 2</pre>"
TABLE = "<table><tr><th>Rye<td>3<tr><th>Oats<td>5</table>"


@pytest.mark.parametrize(
    ("figure", "lines"),
    [
        (
            f"{QUOTE}<figcaption>The miller, 1843</figcaption>",
            ["Flour is a slow thing.", "The miller, 1843"],
        ),
        (
            f"{QUOTE}<figcaption><a href=/miller>The miller</a></figcaption>",
            ["Flour is a slow thing.", "The miller"],
        ),
        (f"<figcaption>Listing 1</figcaption>{CODE}", ["Listing 1", "mill --gap 2"]),
        (f"<figcaption>Table 1</figcaption>{TABLE}", ["Table 1", "Rye | 3", "Oats | 5"]),
        (f"{TABLE}<figcaption>Source: a mill</figcaption>", ["Rye | 3", "Oats | 5", "Source: a mill"]),
        # Of an image, and of what is not there.
        ("<img src=a.jpg><figcaption>A mill</figcaption>", ["<a.jpg: A mill>", "A mill"]),
        (
            f"{CODE}<img src=a.jpg><figcaption>A mill</figcaption>",
            ["mill --gap 2", "<a.jpg: A mill>", "A mill"],
        ),
        ("<video src=a.mp4></video><figcaption>A mill turns</figcaption>", []),
        ("<img src=a.jpg hidden><figcaption>A mill</figcaption>", []),
    ],
)  # fmt: skip
def test_a_figure_without_image_keeps_its_caption(figure: str, lines: list[str]) -> None:
    assert shown(f"<figure>{figure}</figure>") == lines


def test_the_caption_of_what_follows_an_image_is_not_its_own() -> None:
    figure = f"<figure><figcaption>Listing 1</figcaption>{CODE}</figure>"
    assert shown(f"<img src=a.jpg>{figure}") == ["<a.jpg: >", "Listing 1", "mill --gap 2"]


def test_the_caption_of_a_quotation_may_end_the_text() -> None:
    quote = f"<blockquote><p>{LONG}</p></blockquote>"
    figure = f"<figure>{quote}<figcaption>The miller, 1843</figcaption></figure>"
    assert text(f"<main><p>{LONG * 3}</p>{figure}</main>").endswith(
        f"{LONG.strip()}\n\nThe miller, 1843"
    )


def test_a_figure_in_a_gallery_keeps_its_own_caption() -> None:
    first = "<figure><img src=a.jpg><figcaption>one</figcaption></figure>"
    second = "<figure><img src=b.jpg></figure>"
    gallery = f"<figure>{first}{second}<figcaption>All of them</figcaption></figure>"
    assert shown(gallery) == ["<a.jpg: one>", "one", "<b.jpg: All of them>", "All of them"]


def test_what_a_caption_stands_in_is_no_figure_of_its_own() -> None:
    wrapped = "<div class=image-caption-wrap><p class=caption>A mill</p></div>"
    assert shown(f"<figure><div class=image><img src=a.jpg></div>{wrapped}</figure>") == [
        "<a.jpg: A mill>",
        "A mill",
    ]


@pytest.mark.parametrize("tag", ["figure", "div"])
def test_a_figure_may_be_a_caption_and_no_figure(tag: str) -> None:
    caption = f"<{tag} class=wp-caption-text>A mill</{tag}>"
    for box in ("<div class=post-thumbnail>", "<div>"):
        assert shown(f"{box}<img src=a.jpg>{caption}</div>") == ["<a.jpg: A mill>", "A mill"]


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("Foto: dpa", False),
        (f"{' ' * 150}Foto: dpa", False),
        (f"Foto: dpa{chr(10) * 150}", False),
        (f"{' ' * 150}By Jo Smith", False),
        (f"Foto: {'d' * 115}", True),
        (f"Foto: {'d' * 114}", False),
    ],
)
def test_a_credit_is_as_long_as_what_is_shown_of_it(line: str, *, kept: bool) -> None:
    assert bool(shown(f"<p>{line}</p>")) == kept


@pytest.mark.parametrize(
    ("last", "kept"),
    [
        ("The code of the library is licensed under the MIT licence, which surprised its users.", True),
        ("Nothing on this river is licensed. Under the bridge it is dark.", True),
        ("Except where noted, content on this site is licensed under a free licence.", False),
        ("This work is licensed under a Creative Commons licence.", False),
    ],
)  # fmt: skip
def test_a_licence_of_the_page_ends_no_text(last: str, *, kept: bool) -> None:
    assert (last in text(f"<main><p>{LONG * 3}</p><p>{last}</p></main>")) == kept
