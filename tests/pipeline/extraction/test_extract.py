"""Pages of real shape, small, and what must come out of them in which order."""

import gc
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openm3w.pipeline.extraction.extract import Engine, Extraction, extract
from openm3w.pipeline.extraction.images import MAX_MERGED
from openm3w.pipeline.extraction.limits import MAX_DEPTH, PageLimit, check_html
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.shards.document import Image, Text

URL = "https://news.example/2024/harbour/story.html"
BASE = "https://news.example/2024/harbour/"

FIRST = (
    "The harbour was dredged for the first time in forty years, and what came up from the mud"
    " surprised even the engineers who had planned the work for most of a decade."
)
SECOND = (
    "Divers found the hull of a small coaster, two anchors and a bronze bell, all of which are now"
    " kept in fresh water while the museum decides what should be done with them."
)
THIRD = (
    "The council expects the deeper basin to open in spring, when the first of the larger ferries"
    " will be able to turn without waiting for the tide, as they have had to until now."
)


def page(body: str, head: str = "") -> str:
    return f"<!doctype html><html lang=en><head><title>Story</title>{head}</head><body>{body}"


def article(*parts: str) -> str:
    """An article with navigation around it; `parts` stand between its paragraphs."""
    inner = "".join(parts)
    return page(
        "<nav><ul><li><a href=/>Home</a><li><a href=/sport>Sport</a></ul></nav>"
        f"<article><h1>Story</h1><p>{FIRST}</p>{inner}<p>{SECOND}</p><p>{THIRD}</p></article>"
        "<footer><p>About us and our terms of use</p></footer>"
    )


def images(extraction: Extraction) -> list[Image]:
    return [span for span in extraction.spans if isinstance(span, Image)]


def text(extraction: Extraction) -> str:
    return "\n\n".join(span.text for span in extraction.spans if isinstance(span, Text))


def order(extraction: Extraction) -> Iterator[str]:
    """Text spans by their first word, images by their file name."""
    for span in extraction.spans:
        if isinstance(span, Image):
            yield span.url.rpartition("/")[2]
        else:
            yield span.text.split()[0]


def reasons(extraction: Extraction) -> dict[str, Reason]:
    return {left.url.rpartition("/")[2]: left.reason for left in extraction.left_out}


def test_an_image_stands_where_the_page_shows_it() -> None:
    found = extract(article("<img src=bell.jpg>"), URL)
    assert list(order(found))[-3:] == [next(order(found)), "bell.jpg", "Divers"]
    assert FIRST in found.spans[0].text  # type: ignore[union-attr]


def test_text_of_navigation_and_footer_is_left_out() -> None:
    found = text(extract(article(), URL))
    assert FIRST in found
    assert THIRD in found
    assert "Sport" not in found
    assert "terms of use" not in found


@pytest.mark.parametrize(
    ("element", "url"),
    [
        ("<img src=bell.jpg>", "bell.jpg"),
        ("<img src='' data-src=bell.jpg>", "bell.jpg"),
        ("<img src='data:image/gif;base64,R0lGOD' data-src=bell.jpg>", "bell.jpg"),
        ("<img src=tiny.gif data-original=bell.jpg>", "bell.jpg"),
        ("<img src=tiny.gif data-lazy-src=bell.jpg>", "bell.jpg"),
        ("<img data-srcset='bell-s.jpg 320w, bell.jpg 640w'>", "bell.jpg"),
        ("<img src=bell-s.jpg srcset='bell-s.jpg 320w, bell.jpg 1200w, p.jpg 9000w'>", "bell.jpg"),
        ("<img src=bell-1x.jpg srcset='bell.jpg 2x'>", "bell.jpg"),
        (
            "<img srcset='c_fit,w_80/bell-s.jpg 80w, c_fit,w_800/bell.jpg 800w'>",
            "c_fit,w_800/bell.jpg",
        ),
        ("<picture><source srcset='bell.webp 900w'><img src=bell.jpg></picture>", "bell.webp"),
        (
            "<picture><source type=image/avif srcset=b.avif><source srcset=bell.jpg><img>",
            "bell.jpg",
        ),
        ("<amp-img src=bell.jpg width=600 height=400></amp-img>", "bell.jpg"),
        ("<img src='the bell.jpg'>", "the%20bell.jpg"),
        ("<a href=bell-large.jpg><img src=bell.jpg></a>", "bell.jpg"),
        ("<img width=1 height=1 src=x.gif data-src=bell.jpg>", "bell.jpg"),
        ("<figure><div><div><img src=bell.jpg></div></div></figure>", "bell.jpg"),
        (
            "<ul><li>The bell <img src=bell.jpg> was cast in 1881 in a foundry up river</ul>",
            "bell.jpg",
        ),
    ],
)
def test_the_url_to_fetch_is_found_in_every_form_of_image(element: str, url: str) -> None:
    (image,) = images(extract(article(element), URL))
    assert image.url == BASE + url
    assert image.url in image.candidates
    assert image.role == "content"


def test_candidates_name_every_address_of_the_element() -> None:
    element = (
        "<picture><source srcset='a.webp 1x, b.webp 2x'>"
        "<img src=c.jpg data-src=d.jpg srcset='e.jpg 1x' data-large-file=f.jpg></picture>"
    )
    (image,) = images(extract(article(element), URL))
    names = {url.removeprefix(BASE) for url in image.candidates}
    assert names == {"a.webp", "b.webp", "c.jpg", "d.jpg", "e.jpg", "f.jpg"}


@pytest.mark.parametrize(
    ("element", "reason"),
    [
        ("<img src='data:image/png;base64,iVBORw0KGgo='>", Reason.DATA_URI),
        ("<img alt=nothing>", Reason.NO_URL),
        ("<img src='blob:https://news.example/1'>", Reason.NOT_HTTP),
        ("<img src=a.jpg hidden>", Reason.HIDDEN),
        ("<div style='display: none'><img src=a.jpg></div>", Reason.HIDDEN),
        ("<template><img src=a.jpg></template>", Reason.HIDDEN),
        ("<img src=a.gif width=1 height=1>", Reason.TRACKING_PIXEL),
        ("<img src=a.gif width=0 height=0>", Reason.TRACKING_PIXEL),
        ("<img src=/img/spacer.gif>", Reason.TRACKING_PIXEL),
        ("<img src=a.gif width=63 height=200>", Reason.DECLARED_TOO_SMALL),
        ("<img src=photo-48x48.jpg>", Reason.DECLARED_TOO_SMALL),
        ("<img src=/img/twitter-icon.png>", Reason.ICON_NAME),
        ("<img src=a.png class='site-logo'>", Reason.ICON_NAME),
        (
            "<aside class=related><a href=/b><img src=a.jpg>Another story</a></aside>",
            Reason.OUTSIDE_CONTENT,
        ),
        ("<div class=share-bar><img src=a.jpg></div>", Reason.OUTSIDE_CONTENT),
        (
            "<div><a href=/b><img src=a.jpg></a><h4><a href=/b>Another story</a></h4></div>",
            Reason.OUTSIDE_CONTENT,
        ),
        (
            """<div><a Href='https://news.example/b/'><img src=a.jpg></a>
            <h4><A HREF=/b#top>Another story</A></h4></div>""",
            Reason.OUTSIDE_CONTENT,
        ),
    ],
)
def test_each_image_left_out_has_one_reason(element: str, reason: Reason) -> None:
    found = extract(article(element), URL)
    assert images(found) == []
    assert [left.reason for left in found.left_out] == [reason]
    assert found.elements == 1


@pytest.mark.parametrize(
    "element",
    [
        "<img src=a.jpg width=64 height=64>",
        "<img src=acme-logo.png width=300 height=200>",
        "<img src=a.jpg width=600 height=0>",
        "<img src=a.jpg width='100%'>",
        "<a href=large.jpg><img src=a.jpg></a><a href=large.jpg>Show the large picture</a>",
        "<a href=/harbour><img src=a.jpg></a><a href=/harbour>Read on</a>",
    ],
)
def test_images_at_the_edge_of_the_bounds_stay(element: str) -> None:
    assert len(images(extract(article(element), URL))) == 1


def test_an_image_in_the_navigation_is_outside_the_content() -> None:
    html = article("<img src=bell.jpg>").replace("<ul>", "<ul><img src=prev.png>", 1)
    found = extract(html, URL)
    assert reasons(found) == {"prev.png": Reason.OUTSIDE_CONTENT}
    assert found.elements == 2


def test_a_repeated_image_counts_once() -> None:
    found = extract(article("<img src=a.jpg><img src=a.jpg>"), URL)
    assert len(images(found)) == 1
    assert reasons(found) == {"a.jpg": Reason.REPEATED}


def test_an_image_shown_again_and_again_is_decoration() -> None:
    found = extract(article("<img src=dash.jpg>" * 4), URL)
    assert images(found) == []
    assert found.elements == 4


@pytest.mark.parametrize(
    "lazy",
    [
        "<img class=lazy data-src=bell.jpg><noscript><img src=bell.jpg></noscript>",
        "<img src='data:image/gif;base64,R0'><noscript><img src=bell.jpg></noscript>",
        "<img src=blur-20px.jpg><noscript><img src=bell.jpg></noscript>",
        "<noscript><img src=bell.jpg></noscript><img data-src=bell.jpg>",
        "<div><div><img class=lazy></div><noscript><img src=bell.jpg></noscript></div>",
    ],
)
def test_a_noscript_twin_counts_once_and_gives_its_address(lazy: str) -> None:
    found = extract(article(lazy), URL)
    assert [image.url for image in images(found)] == [BASE + "bell.jpg"]
    assert [left.reason for left in found.left_out] == [Reason.NOSCRIPT_TWIN]


def test_a_noscript_image_alone_is_an_image() -> None:
    found = extract(article("<noscript><img src=bell.jpg></noscript>"), URL)
    assert [image.url for image in images(found)] == [BASE + "bell.jpg"]


def test_a_blurred_preview_gives_way_to_the_image_over_it() -> None:
    stacked = "<div><img src=/s/20/harbour.jpg><img data-src=/s/900/harbour.jpg></div>"
    (image,) = images(extract(article(stacked), URL))
    assert image.url == "https://news.example/s/900/harbour.jpg"


def test_of_a_chart_drawn_once_for_each_width_one_image_stays() -> None:
    def board(width: int) -> str:
        return (
            f"<div id=g-trade-{width} class=g-artboard data-min-width={width}><div><img"
            f" class=g-aiImg src=trade-{width}.png></div><div class=g-aiAbs><p>1999</p></div></div>"
        )

    charts = f"<div class=ai2html>{board(600)}{board(300)}</div>"
    found = extract(article(charts, f"<div class=ai2html>{board(601)}</div>"), URL)
    assert [image.url for image in images(found)] == [
        f"{BASE}trade-600.png",
        f"{BASE}trade-601.png",
    ]
    assert images(found)[0].candidates == (f"{BASE}trade-600.png", f"{BASE}trade-300.png")
    assert [left.reason for left in found.left_out] == [Reason.REPEATED]


def test_a_caption_follows_its_image_and_stands_once() -> None:
    figure = (
        "<figure><img src=bell.jpg alt='a bell' title=Bell width=640 height=480>"
        "<figcaption>The bell after cleaning.</figcaption></figure>"
    )
    found = extract(article(figure), URL)
    (image,) = images(found)
    assert image.caption == "The bell after cleaning."
    assert (image.alt, image.title) == ("a bell", "Bell")
    assert (image.declared_width, image.declared_height) == (640, 480)
    assert text(found).count("The bell after cleaning.") == 1
    after = found.spans[found.spans.index(image) + 1]
    assert isinstance(after, Text)
    assert after.text.startswith("The bell after cleaning.\n\n")


def test_a_title_above_a_docbook_figure_moves_below_it() -> None:
    figure = (
        "<div class=figure><p class=title><b>Figure 3.1. The bell</b></p>"
        "<div class=figure-contents><div class=mediaobject><img src=bell.png></div></div></div>"
    )
    found = extract(article(figure), URL)
    (image,) = images(found)
    assert image.caption == "Figure 3.1. The bell"
    assert text(found).count("Figure 3.1. The bell") == 1
    before = found.spans[found.spans.index(image) - 1]
    assert isinstance(before, Text)
    assert "Figure 3.1" not in before.text


def test_a_lead_image_before_the_text_has_its_role() -> None:
    html = page(
        "<article><header><h1>Story</h1><figure><img src=lead.jpg></figure></header>"
        f"<div class=body><p>{FIRST}</p><p>{SECOND}</p><p>{THIRD}</p></div></article>"
    )
    found = extract(html, URL)
    (image,) = images(found)
    assert found.spans.index(image) <= 1
    assert image.url == BASE + "lead.jpg"


def test_base_href_and_protocol_relative_addresses_resolve() -> None:
    html = article("<img src=a.jpg><img src=//cdn.example/b.jpg><img src=../c.jpg>")
    html = html.replace("<title>", "<base href='https://static.example/x/y/'><title>")
    assert [image.url for image in images(extract(html, URL))] == [
        "https://static.example/x/y/a.jpg",
        "https://cdn.example/b.jpg",
        "https://static.example/x/c.jpg",
    ]


def test_lists_keep_items_on_lines() -> None:
    items = (
        "<ol><li>Dredge the outer basin before the storms of autumn come</li>"
        "<li>Lay the new stones along the quay wall</li></ol>"
    )
    assert (
        "1. Dredge the outer basin before the storms of autumn come\n2. Lay the new stones along"
        in text(extract(article(items), URL))
    )


def half_linked_list(linked: int) -> str:
    """A list of twenty characters an item, so many of them in a link."""
    item = f"<li><a href=/x>{'b' * linked}</a> {'w' * (19 - linked)}"
    return text(extract(article(f"<ul>{item * 5}</ul>"), URL))


def test_a_list_with_up_to_three_fifths_of_its_text_in_links_is_text() -> None:
    assert "www" in half_linked_list(12)
    assert "www" not in half_linked_list(13)


def ending(last: str) -> str:
    found = extract(article().replace("</article>", f"<p>{last}</p></article>"), URL)
    return text(found).rpartition("\n\n")[2]


@pytest.mark.parametrize(
    "last",
    [
        "The agency issues driving licences and keeps the register of all vehicles.",
        "Half of the donation went to the museum, and half to the divers.",
        "Please respect the copyright of those who took the photographs.",
    ],
)
def test_a_text_may_end_with_licences_gifts_and_rights(last: str) -> None:
    assert ending(last) == last


@pytest.mark.parametrize(
    "last",
    [
        "Text: licensed under CC BY 4.0",
        "Copyright (c) 2024 Harbour News",
        "Subscribe to our weekly letter about ships.",
    ],
)
def test_words_about_the_site_end_no_text(last: str) -> None:
    assert ending(last) == THIRD


def test_tables_keep_rows_readable() -> None:
    table = (
        "<table><tr><th>Ferry</th><th>Length in metres</th></tr>"
        "<tr><td>Anna</td><td>98</td></tr><tr><td>Bertha</td><td>120</td></tr></table>"
    )
    found = text(extract(article(table), URL))
    assert "Ferry | Length in metres\nAnna | 98\nBertha | 120" in found


def test_code_keeps_its_line_breaks() -> None:
    code = "<pre><code>def depth(tide):\n    return tide + 4.5\n</code></pre>"
    assert "def depth(tide):\n    return tide + 4.5" in text(extract(article(code), URL))


def test_line_breaks_stay_and_double_ones_make_paragraphs() -> None:
    poem = f"<p>{FIRST}<br>second line of the verse<br><br>a new verse of the same poem</p>"
    found = text(extract(article(poem), URL))
    assert "now.\nsecond line" not in found
    assert "decade.\nsecond line of the verse\n\na new verse" in found


def test_white_space_and_invisible_characters_are_normalised() -> None:
    spaced = f"<p>The  tide\n\tis&nbsp;high&shy;er\u200b than e\u0301ver. {THIRD}</p>"
    assert "The tide is higher than \u00e9ver." in text(extract(article(spaced), URL))


def test_a_page_of_layout_tables_is_read_cell_by_cell() -> None:
    html = page(
        "<table width=600><tr><td colspan=2><img src=banner.gif width=600 height=40></td></tr><tr>"
        "<td width=120><a href=a.html>News</a><br><a href=b.html>Links</a><br></td>"
        f"<td><p>{FIRST}</p><img src=bell.jpg><p>{SECOND}</p><p>{THIRD}</p></td></tr></table>"
    )
    found = extract(html, URL)
    assert [image.url for image in images(found)] == [BASE + "bell.jpg"]
    assert " | " not in text(found)


def test_figures_of_every_section_stay_where_one_section_has_most_text() -> None:
    html = page(
        "<div class=navheader><a href=a.html><img src=images/prev.png alt=Prev></a></div>"
        "<div class=sect1><h2>Emboss</h2>"
        "<div class=sect2><h3>Overview</h3><div class=mediaobject><img src=before.jpg></div>"
        "<p>This filter stamps and carves the layer.</p></div>"
        f"<div class=sect2><h3>Options</h3><p>{FIRST}</p><p>{SECOND}</p>"
        "<div class=mediaobject><img src=dialog.jpg></div>"
        f"<p>{THIRD}</p></div></div>"
        "<div class=navfooter><a href=b.html><img src=images/next.png alt=Next></a></div>"
    )
    found = extract(html, URL)
    assert [image.url for image in images(found)] == [BASE + "before.jpg", BASE + "dialog.jpg"]
    assert set(reasons(found).values()) == {Reason.OUTSIDE_CONTENT}


def test_a_page_without_content_accounts_for_its_images() -> None:
    found = extract(page("<img src=a.jpg><img src=b.gif width=1>"), URL)
    assert found.spans == ()
    assert found.elements == 2
    assert {left.reason for left in found.left_out} == {Reason.OUTSIDE_CONTENT}


@pytest.mark.parametrize("html", ["", " ", "<!-- -->", "\x00", "<?xml version='1.0'?>"])
def test_nothing_gives_nothing(html: str) -> None:
    assert extract(html, URL).spans == ()


def test_what_the_head_says_is_recorded() -> None:
    head = (
        "<meta name=ROBOTS content='noai,  noimageai'><meta name=tdm-reservation content=1>"
        "<meta property=og:title content='The  bell'>"
        "<link rel=license href=https://creativecommons.org/licenses/by/4.0/>"
    )
    found = extract(page(f"<p>{FIRST}</p><a REL='License x' HREF=/terms>terms</a>", head), URL)
    assert found.title == "The bell"
    assert found.opt_out == ("meta robots: noai, noimageai", "meta tdm-reservation: 1")
    assert found.licences == (
        "https://creativecommons.org/licenses/by/4.0/",
        "https://news.example/terms",
    )


@pytest.mark.parametrize(
    ("meta", "signals"),
    [
        ("name=CCBot content=noai", ("meta ccbot: noai",)),
        ("name=openm3w content=noindex", ("meta openm3w: noindex",)),
        ("name=Google-Extended content=noindex", ("meta google-extended: noindex",)),
        ("name=anthropic-ai content=noai", ("meta anthropic-ai: noai",)),
        ("name=tdm-policy content=https://a.example/p", ("meta tdm-policy: https://a.example/p",)),
        ("http-equiv=Content-Usage content='train-ai=n'", ("meta content-usage: train-ai=n",)),
        ("name=description content='robots: noai'", ()),
        ("name=robotics content=noai", ()),
    ],
)
def test_signals_for_any_crawler_are_recorded_as_written(
    meta: str, signals: tuple[str, ...]
) -> None:
    assert extract(page(f"<p>{FIRST}</p>", f"<meta {meta}>"), URL).opt_out == signals


def test_a_result_does_not_depend_on_the_pages_before() -> None:
    html = article("<img src=bell.jpg><figure><img src=c.jpg><figcaption>C</figcaption></figure>")
    first = extract(html, URL)
    for other in (article("<img src=z.jpg>" * 3), page("<table>" * 50), html):
        extract(other, URL)
    assert extract(html, URL) == first


TAG_NAMES = (
    "p div img img/ figure figcaption ul li table tr td a noscript picture source pre br h2"
    " article script style template section svg blockquote amp-img span b"
)
TAGS = st.sampled_from(sorted(set(TAG_NAMES.split())))
ATTRIBUTES = st.sampled_from(
    [
        "",
        " src=a.jpg",
        " src='http://[x'",
        " srcset='a 1x, ,, b c 2w'",
        " data-src='//b/c d.png'",
        " width=9999999999999",
        " href=x",
        " class='related figure caption'",
        " style='width:3px;display:none'",
        " hidden",
    ]
)
MARKUP = st.lists(
    st.one_of(
        st.builds("<{}{}>".format, TAGS, ATTRIBUTES),
        st.builds("</{}>".format, TAGS),
        st.just(FIRST),
        st.text(max_size=20),
    ),
    max_size=40,
).map("".join)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(html=MARKUP, base=st.sampled_from([URL, "", "http://[", "file:///x", "x"]))
def test_no_page_raises_and_every_image_is_accounted_for(html: str, base: str) -> None:
    found = extract(html, base)
    spans = found.spans
    assert found.elements == len(images(found)) + len(found.left_out)
    assert all(image.url.startswith(("http://", "https://")) for image in images(found))
    assert all(span.text.strip() for span in spans if isinstance(span, Text))
    assert not any(
        isinstance(one, Text) and isinstance(next_one, Text) for one, next_one in pairwise(spans)
    )
    check_html(html)


@pytest.mark.parametrize("engine", ["openm3w", "trafilatura"])
def test_nested_lists_down_to_the_bound_do_not_raise(engine: Engine) -> None:
    found = extract(page("<ul><li>deep" * (MAX_DEPTH // 2) + FIRST), URL, engine=engine)
    assert found.elements == 0


def test_boxes_beyond_the_bound_are_too_deep() -> None:
    with pytest.raises(PageLimit) as caught:
        extract(page("<ul><li>deep" * (MAX_DEPTH // 2) + "<div>" + FIRST), URL)
    assert caught.value.reason == "too_deep"


def test_thousands_of_copies_of_an_image_give_a_bounded_number_of_addresses() -> None:
    copies = "".join(f"<img src=/max/{number}/photo.png>" for number in range(1_000, 6_000))
    (image,) = images(extract(article(copies), URL))
    assert len(image.candidates) == MAX_MERGED
    assert image.candidates[:2] == (
        "https://news.example/max/1000/photo.png",
        "https://news.example/max/1001/photo.png",
    )


POST = "The second of the wheels was older than the first, said the miller who had turned both. "


@pytest.mark.parametrize(
    "html",
    [
        "<ul>" + f"<li class=reply>{POST}</li>" * 20 + "</ul>",
        f"<div class=comment>{POST}</div>" * 20,
        f"<div class=comment><p>{POST}</p></div>" * 20,
        "<table><tr><td class='news search'>" + f"<p>{POST}</p>" * 10 + "</table>",  # no </td>
    ],
)
def test_names_say_nothing_where_they_would_put_all_aside(html: str) -> None:
    found = extract(f"<html><body>{html}</body></html>", URL)
    assert sum(POST.strip() in span.text for span in found.spans if isinstance(span, Text))
    assert (
        "".join(span.text for span in found.spans if isinstance(span, Text)).count("miller") >= 10
    )


@pytest.mark.parametrize(
    "footer",
    [
        "<footer><p>{}</p></footer>",
        "<div id=footer><p>{}</p></div>",
        "<aside><nav>{}</nav></aside>",
        "<p>{}</p>",
    ],
)
def test_licences_are_read_wherever_they_stand(footer: str) -> None:
    link = '<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC BY</a>'
    found = extract(article("") + footer.format(link), URL)
    assert found.licences == ("https://creativecommons.org/licenses/by/4.0/",)


def test_a_page_leaves_nothing_to_the_collector() -> None:
    """Extraction pauses it: what held itself in a circle would stay until it runs again."""
    html = article("<ul><li>a<ul><li>b</ul></ul><table><tr><td>a<td><img src=a.jpg></table>" * 9)
    extract(html, URL)
    gc.collect()
    gc.disable()
    try:
        extract(html, URL)
        assert gc.collect() == 0
    finally:
        gc.enable()
