"""Which paragraphs a page has: as browsers build its tree, and where we differ on purpose."""

from collections.abc import Callable

import pytest

from openm3w.pipeline.extraction.boxes import Layout
from openm3w.pipeline.extraction.layout import MAX_SOURCES, lay_out
from openm3w.pipeline.extraction.limits import MAX_DEPTH, PageLimit
from openm3w.pipeline.extraction.tokens import tokenize

Read = Callable[[str], tuple[list[str], list[str | None]]]


def layout(html: str, *, skip_sides: bool = False) -> Layout:
    return lay_out(tokenize(html, skip_sides=skip_sides), skip_sides=skip_sides)


PARAGRAPHS = {
    "text alone": ("a", "a"),
    "white space is one": ("<p> a\n\t b </p> \n <p>c", "a b|c"),
    "inline elements join": ("<p>a<b>b</b><i>c</i> <span>d</span><wbr>e", "abc de"),
    "unknown elements are inline": ("<p>a<x-y>b</x-y><blink>c</blink>", "abc"),
    "comments join": ("<p>a<!-- x -->b", "ab"),
    "images join": ("<p>a<img src=x>b", "ab"),
    "line breaks": ("<p>a<br>b<br/>c<BR />d</br>e", "a / b / c / d / e"),
    "rules part": ("<p>a<hr>b", "a|b"),
    "references": ("<p>&lt;b&gt; &copy=1 &amp; &ampx &notit; &#x41;&#66; &#128;", "<b> ©=1 & &x ¬it; AB €"),
    "references out of range": ("<p>a&#0;b&#xD800;c&#x110000;d", "a\ufffdb\ufffdc\ufffdd"),
    "numbers beyond all bounds": (f"<p>a&#{'1' * 5_000};b &amp;", "a\ufffdb &"),
    "no reference over tags": ("<p>&am<b>p;</b>", "&amp;"),
    "references are read once": ("<p>&amp;lt;", "&lt;"),
    "no-break spaces": ("<p>a&nbsp;b", "a b"),
    # Implied end tags
    "p ends p": ("<p>a<p>b", "a|b"),
    "blocks end p": ("<p>a<div>b</div>c", "a|b|c"),
    "every block ends p": ("<p>a<ul><li>b</ul><p>c<h2>d</h2><p>e<table><td>f</table>", "a|b|c|d|e|f"),
    "headings end p": ("<p>a<h1>b</h1>c", "a|b|c"),
    "p in a cell": ("<p>a<table><td><p>b<p>c</table>d", "a|b|c|d"),
    "p in a button": ("<p>a<button><p>x</button>b", "ab"),
    "inline elements keep p": ("<p>a<em>b<p>c</em>d", "ab|cd"),
    "stray end of p": ("a</p>b", "a|b"),
    "stray ends": ("<p>a</div></section></b></td></li></x>b", "ab"),
    "stray ends of blocks": ("<div>a</ul></h2></article>b</div>c", "ab|c"),
    "li ends li": ("<ul><li>a<li>b</ul>c", "a|b|c"),
    "li in li": ("<ul><li>a<ul><li>b<li>c</ul>d<li>e</ul>", "a|b|c|d|e"),
    "li reaches through div and p": ("<ul><li><div><p>a<li>b</ul>", "a|b"),
    "li does not reach through a block": ("<ul><li><section>a<li>b</section>c</ul>d", "a|b|c|d"),
    "dt and dd end each other": ("<dl><dt>a<dd>b<dd>c<dt>d</dl>e", "a|b|c|d|e"),
    "dl in dd": ("<dl><dt>a<dd>b<dl><dt>c<dd>d</dl>e</dl>", "a|b|c|d|e"),
    "headings end headings": ("<h1>a<h2>b</h3>c", "a|b|c"),
    "any heading's end ends a heading": ("<div><h1>a</h4>b</div>", "a|b"),
    "rp and rt": ("<p><ruby>a<rp>(<rt>x<rp>)</ruby>b", "ab"),
    "ruby with ends": ("<p><ruby>a<rt>x</rt>b<rt>y</rt></ruby>c", "abc"),
    "cells and rows": ("<table><tr><td>a<td>b<tr><th>c<td>d</table>e", "a|b|c|d|e"),
    "sections of tables": ("<table><thead><tr><th>a<tbody><tr><td>b<tfoot><tr><td>c</table>d", "a|b|c|d"),
    "captions": ("<table><caption>a</caption><tr><td>b</table>", "a|b"),
    "a table in a cell": ("<table><tr><td>a<table><tr><td>b<td>c</table>d<td>e</table>f", "a|b|c|d|e|f"),
    "an unclosed table in a cell": ("<table><tr><td><table><tr><td>a<tr><td>b</table>c<tr><td>d</table>e", "a|b|c|d|e"),
    "ends do not leave a cell": ("<div><table><tr><td>a</div>b</table>c</div>d", "ab|c|d"),
    "the end of a table leaves all in it": ("<table><td><div><ul><li>a</table>b", "a|b"),
    "fieldsets and legends": ("<fieldset><legend>a</legend>b</fieldset>c", "a|b|c"),
    "details": ("<details><summary>a</summary>b</details>c", "a|b|c"),
    "figures": ("<figure>a<figcaption>b</figcaption></figure>c", "a|b|c"),
    # Unclosed and crossed elements
    "unclosed blocks": ("<div><section><article>a", "a"),
    "an end tag closes all inside": ("<div><section>a<article>b</div>c", "a|b|c"),
    "crossed inline elements": ("<p>a<b>b<i>c</b>d</i>e", "abcde"),
    "blocks in inline elements": ("<b>a<div>b</div>c</b>", "a|b|c"),
    "blocks in links": ("<a href=x>a<div>b</div>c</a>d", "a|b|cd"),
    "end tags reach through buttons": ("<div>a<button>x</div>b", "a|b"),
    "text after the body": ("<body><p>a</body></html>b", "ab"),
    "a second body": ("<body><p>a<body class=x>b", "ab"),
    "nothing before the text": ("<head><title>x</title></head>a", "a"),
    # Text that is not shown
    "scripts and styles": ("a<script>x</script>b<style>x</style>c", "abc"),
    "an unclosed script": ("<p>a<script>x<p>b", "a"),
    "upper case": ("<P>a<SCRIPT>x</SCRIPT>b</P><STYLE>x</STYLE>c", "ab|c"),
    "fields": ("a<select><option>x<option>y</select>b<textarea>x</textarea>c<input value=x>d", "abcd"),
    "option groups": ("a<select><optgroup label=x><option>x</optgroup><option>y</select>b", "ab"),
    "buttons": ("a<button><b>x</b></button>b", "ab"),
    "media": ("a<video><p>x</p></video>b<audio>x</audio>c<canvas>x</canvas>d<object>x</object>e", "abcde"),
    "paragraphs end media left open": ("<p>a<video><p>b<p>c<canvas><h2>d", "a|b|c|d"),
    "rules end paragraphs": ("<p hidden>x<hr>a", "a"),
    "formulas": ("a<math><mi>x</mi><mo>=</mo></math>b", "ab"),
    "drawings": ("a<svg><title>x</title><text>x</text></svg>b", "ab"),
    "a drawing without content": ("a<svg viewBox='0 0 1 1'/>b<p>c", "ab|c"),
    "an unclosed drawing": ("<div>a<svg><path></div>b", "a|b"),
    "frames": ("a<iframe>x</iframe>b", "ab"),
    "templates": ("a<template><p>x</p><div>y</template>b", "ab"),
    "templates in templates": ("a<template><template>x</template>y</template>b", "ab"),
    "without scripts": ("a<noscript>x<b>y</b></noscript>b", "ab"),
    "without scripts, in the head": ("<head><noscript><style>x</style></noscript></head>a", "a"),
    "suggestions": ("a<datalist><option>x</datalist>b", "ab"),
    "the hidden attribute": ("<p>a<p hidden>x<p>b", "a|b"),
    "hidden by style": ("<p>a<p style='Display: none'>x<p style='visibility:hidden'>y<p>b", "a|b"),
    "hidden by class": ("<p>a<span class='x sr-only'>y</span>b", "ab"),
    "what is inside is hidden too": ("<div hidden>x<p>y<ul><li>z</ul>w</div>a", "a"),
    "hidden inline elements": ("<p>a<span hidden>x<b>y</b></span>b", "ab"),
    "hidden ones inside their like": ("<p>a<span hidden>x<span>y</span>z</span>b", "ab"),
    "hidden ones in hidden ones": ("<p>a<i hidden>x<span hidden>y</span>z</i>b", "ab"),
    "an unclosed hidden span ends with its block": ("<div>a<span hidden>x</div>b", "a|b"),
    "a hidden span ends with its paragraph": ("<p>a<span hidden>x<p>b", "a|b"),
    "blocks in hidden spans": ("<span hidden>x<div>y</div>z</span>a", "a"),
    "a block keeps a hidden span open": ("<span hidden>x<address>y</span>z</address></span>a", "a"),
    "no block keeps hidden emphasis open": ("<em hidden>x<div>y</em>a", "a"),
    "hidden links": ("<a class='skip-link screen-reader-text' href=#x>x</a>a", "a"),
    "links end hidden links": ("<p><a hidden href=x>x<a href=y>a</a>b", "ab"),
    "hidden fields hold nothing": ("<div>a<input hidden>b<wbr hidden>c</div>d", "abc|d"),
    "hidden images hold nothing": ("<p>a<img hidden src=x>b<br hidden>c", "ab / c"),
    "a table hides": ("<table><tr hidden><td>x<td>y<tr><td>a<td hidden>z</table>b", "a|b"),
    "half quotes in attributes": ("<p don't>it's <b class=x'>a</b>'", "it's a'"),
    "NUL": ("<p>a\0b", "a b"),
}  # fmt: skip


@pytest.mark.parametrize(("html", "expected"), PARAGRAPHS.values(), ids=PARAGRAPHS)
def test_paragraphs(ours: Read, html: str, expected: str) -> None:
    assert "|".join(ours(html)[0]).replace("\0", " ") == expected


@pytest.mark.parametrize(("html", "expected"), PARAGRAPHS.values(), ids=PARAGRAPHS)
def test_browsers_say_the_same(browser: Read, html: str, expected: str) -> None:
    if "\0" not in html:  # browsers drop it, we take it for a space
        assert "|".join(browser(html)[0]) == expected


DIFFERENCES = {
    "text between rows stays there": ("<table><tr><td>a</tr>b</table>", "a|b", "b|a"),
    "frames show their alternative": (
        "<frameset><frame src=x></frameset><noframes><p>a</noframes>", "a", "",
    ),
    "old raw text is markup": ("<xmp>a<b>b</b></xmp>", "ab", "a<b>b</b>"),
    "nothing ends plaintext for browsers": ("<plaintext>a</plaintext>b", "a|b", "a</plaintext>b"),
    "without scripts is a part of its own": (
        "<body><noscript><div></noscript>a<noscript></div></noscript>", "a", "",
    ),
    "hiding ends with the block": ("<div><b hidden>x</div>a", "a", ""),
    "a paragraph does not hold a video open": ("<video><p>x</video>a", "a", ""),
    "drawings in drawings": ("a<svg><svg></svg><text>x</text></svg>b", "axb", "ab"),
}  # fmt: skip


@pytest.mark.parametrize(("html", "mine", "theirs"), DIFFERENCES.values(), ids=DIFFERENCES)
def test_where_we_differ(ours: Read, browser: Read, html: str, mine: str, theirs: str) -> None:
    assert "|".join(ours(html)[0]) == mine
    assert "|".join(browser(html)[0]) == theirs


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<img src=a><IMG SRC=b><img src=c /><image src=d>", "abcd"),
        ("<img src=a src=b>", "a"),
        ("<p>x<button><img src=a></button><object><img src=b></object>", "ab"),
        ("<div hidden><img src=a></div><span hidden><img src=b></span>", "ab"),
        ("<template><img src=a><template><img src=b></template></template>", "ab"),
        ("<noscript><img src=a></noscript><video><img src=b></video>", "ab"),
        ("<head><noscript><img src=a></noscript></head><img src=b>", "ab"),
        ("<nav><img src=a></nav><footer><img src=b><aside><img src=c></aside></footer>", "abc"),
        ("<svg><image src=x></svg><img src=a>", "a"),
        ("<svg><path><img src=a>", "a"),
        ("<svg/><img src=a>", "a"),
        ("<script><img src=x></script><!-- <img src=x> --><img src=a>", "a"),
        ("<textarea><img src=x></textarea><iframe><img src=x></iframe><img src=a>", "a"),
        ("<img src=a", "a"),
        ("<img src='a>", "a>"),
        ("<picture><source srcset=x><img src=a></picture>", "a"),
        ("<amp-img src=a></amp-img><amp-img src=b><noscript><img src=c></noscript>", "abc"),
    ],
)
def test_every_image_element_counts(ours: Read, browser: Read, html: str, expected: str) -> None:
    assert "".join(map(str, ours(html)[1])) == expected
    if html[-1] == ">" and "'" not in html:  # browsers drop a tag that the page's end cuts off
        assert "".join(map(str, browser(html)[1])) == expected


SIDES = {
    "closed": "<nav>x<img src=a></nav><p>b",
    "nested": "<nav>x<nav>y<img src=a></nav>z<img src=b></nav><p>c",
    "unclosed": "<nav>x<img src=a><p>b",
    "unclosed in one that is closed": "<div><nav>x<img src=a></div><nav>y<img src=b></nav>c",
    "crossed": "<nav>x<aside>y<img src=a></nav><img src=b></aside>c",
    "an end in a comment": "<nav>x<!-- </nav> <img src=x> --><img src=a></nav>b",
    "an end in a script": "<nav>x<script>'</nav><img src=x>'</script><img src=a></nav>b",
    "an end in a drawing": "<nav>x<svg><desc></nav></desc></svg><img src=a></nav>b",
    "an end in an attribute": "<nav>x<a title='</nav>'><img src=a></a></nav>b",
    "by name": "<div class=sidebar>x<div>y<img src=a></div></div><p>b",
    "by name and unclosed": "<div class=sidebar>x<div>y<img src=a></div><p>b",
    "by role": "<div role=navigation><img src=a>x</div><p>b",
    "upper case": "<NAV>x<IMG SRC=a></NAV><p>b",
    "in a field": "<select><option>x<option>y</select><img src=a>",
    "of AMP": "<footer>x<amp-img src=a><noscript><img src=b></noscript></amp-img></footer>",
    "in a hidden one": "<div hidden><nav>x<img src=a></nav></div><nav hidden><img src=b></nav>",
    "in a cell": "<table><tr><td><nav>x<img src=a><td>y<img src=b></table><footer>z</footer>",
    "a name cut off": "<nav<img src=a></nav>b",
}


@pytest.mark.parametrize("html", SIDES.values(), ids=SIDES)
def test_images_beside_the_content_count_once_when_it_is_skipped(html: str) -> None:
    page = f"<p>{'Some text that is longer than all that stands beside it. ' * 9}</p>{html}"
    all_read, skipped = layout(page), layout(page, skip_sides=True)
    sources = [picture.attributes.get("src") for picture in all_read.pictures]
    assert [picture.attributes.get("src") for picture in skipped.pictures] == sources
    assert [picture.number for picture in skipped.pictures] == list(range(len(sources)))


@pytest.mark.parametrize("tag", ["nav", "footer", "aside", "dialog", "menu", "search"])
def test_parts_beside_the_content_are_passed_over_when_asked(tag: str) -> None:
    page = f"<p>{'long text ' * 20}<{tag}>x<p>y{'z' * 30}</{tag}>after"
    assert [block.text.split()[0][0] for block in layout(page).blocks] == ["l", "x", "y", "a"]
    skipped = layout(page, skip_sides=True)
    assert [block.text.split()[0] for block in skipped.blocks] == ["long", "after"]
    assert skipped.num_skipped >= 30


def test_what_holds_much_of_the_text_is_not_beside_it() -> None:
    inner = "".join(f"<p>{'long text ' * 20}" for _ in range(5))
    page = layout(f"<div class=sidebar>{inner}</div><p>{'other text ' * 20}", skip_sides=True)
    assert len(page.blocks) == 6
    assert not page.num_skipped


def test_text_of_links_is_counted() -> None:
    (block,) = layout("<p>ab <a href=x>cd <b>ef</b></a> <a name=y>gh</a>").blocks
    assert (block.chars, block.linked) == (len("ab cd ef gh"), len("cd ef"))


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<title>a</title>", "a"),
        ("<title> a\nb </title>", " a\nb "),
        ("<TITLE>a</TITLE><title>b</title>", "a"),
        ("<title></title><title>b</title>", "b"),
        ("<title>a &amp; b", "a &amp; b"),
        ("<svg><title>a</title></svg><title>b</title>", "b"),
        ("<title>The <canvas> element</title><p>x", "The <canvas> element"),
        ("<title><b>a</b> &lt;c></title><p>x", "<b>a</b> &lt;c>"),
        ("<title>The <script> tag</title><p>x", "The <script> tag"),
        ("<title>The <nav> tag</title><p>x", "The <nav> tag"),
        ("<title a='>'>a</title><p>x", "a"),
    ],
)
def test_the_title_is_the_first_that_says_something(html: str, expected: str) -> None:
    page = layout(html)
    assert page.title == expected
    assert [block.text for block in page.blocks] == (["x"] if "<p>x" in html else [])


def test_sources_belong_to_the_first_image_of_their_picture_and_are_bounded() -> None:
    page = layout(
        "<picture><source srcset=a><source srcset=b><img src=c></picture><img src=d>"
        f"<picture>{'<source srcset=e>' * (MAX_SOURCES + 1)}<img src=f><img src=g></picture>"
    )
    assert [len(picture.sources) for picture in page.pictures] == [2, 0, MAX_SOURCES, 0]
    assert page.pictures[0].sources == (" srcset=a", " srcset=b")


def test_boxes_know_what_is_inside() -> None:
    page = layout("<div id=a class='b c'><ul><li>x<li>y</ul><p>z</div><p>w")
    outer, ul, _, second, _, last = page.boxes
    assert (outer.names, ul.names) == ("b c a", "")
    assert [box.tag for box in page.boxes] == ["div", "ul", "li", "li", "p", "p"]
    assert (outer.first, outer.last, outer.end) == (0, 3, 5)
    assert (ul.first, ul.last, ul.end) == (0, 2, 4)
    assert [box.tag for box in second.ancestors()] == ["li", "ul", "div", ""]
    assert second.inside(frozenset(("div", "p"))) is outer
    assert last.inside(frozenset(("div",))) is None


def test_what_stands_deep_is_found_as_fast_as_what_does_not() -> None:
    page = layout("<section>" + "<div>" * 200 + "<p>x<p>y<p>z" + "</div>" * 200)
    sections = frozenset(("section",))
    assert {block.box.inside(sections) for block in page.blocks} == {page.boxes[0]}
    assert all(block.box.inside(frozenset(("ul",))) is None for block in page.blocks)


@pytest.mark.parametrize("tag", ["div", "span hidden", "template", "button", "ruby", "td"])
def test_pages_may_be_deep_up_to_a_bound(tag: str) -> None:
    around = "<table><tr>" if tag == "td" else ""
    layout(f"{around}<{tag}>" * 100 + "x")


def test_the_bound_is_inclusive() -> None:
    assert len(layout("<div>" * MAX_DEPTH + "x").boxes) == MAX_DEPTH
    with pytest.raises(PageLimit, match="too_deep"):
        layout("<div>" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    ("tag", "style"),
    [("div", "display: none"), ("main", "visibility:hidden"), ("span", "display:none")],
)
def test_what_holds_nearly_all_text_is_shown_by_scripts(tag: str, style: str) -> None:
    text = "A paragraph of the article, long enough to be no label. "
    whole = f"<{tag} style='{style}'>{text * 10}</{tag}>"
    assert len(layout(f"<body style='{style}'><p>Home</p>{whole}").blocks) == 2
    assert len(layout(f"{whole}<p>{text * 2}</p>").blocks) == 1


def test_parts_without_end_tag_beside_the_content_take_no_longer_than_others() -> None:
    """Each was once looked for to the end of the page: two seconds for these."""
    page = layout("<p class=sidebar>word" * 19_000, skip_sides=True)
    assert all(box.side for box in page.boxes)
    assert len(page.blocks) == 19_000


def test_a_block_ends_a_paragraph_that_stands_beside_the_content() -> None:
    page = layout("<p class=sidebar>a<div>b</div></p>c", skip_sides=True)
    assert [block.text for block in page.blocks if not block.box.side] == ["b", "c"]
    page = layout("<p class=sidebar><b>a</b></p>c", skip_sides=True)
    assert [block.text for block in page.blocks] == ["c"]


@pytest.mark.parametrize(
    ("html", "sources"),
    [
        ("<picture><source srcset=s><img src=x></picture>", (" srcset=s",)),
        ("<picture><source srcset=s><img src=y><img src=x></picture>", ()),
        ("<picture><source srcset=s></picture><img src=x>", ()),
        ("<video><source data-src=v.mp4></video><img src=x>", ()),
        ("<audio><source src=v.mp3></audio><picture><img src=x></picture>", ()),
    ],
)
def test_sources_are_those_of_a_picture(html: str, sources: tuple[str, ...]) -> None:
    assert layout(html).pictures[-1].sources == sources
