"""What holds of any page at all: tag soup from fragments that pages are made of."""

from collections.abc import Callable
from itertools import pairwise
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openm3w.pipeline.extraction.extract import Extraction, extract
from openm3w.pipeline.extraction.layout import lay_out
from openm3w.pipeline.extraction.limits import PageLimit
from openm3w.pipeline.extraction.tags import names
from openm3w.pipeline.extraction.tokens import tokenize
from openm3w.shards.document import Image, Text

Read = Callable[[str], tuple[list[str], list[str | None]]]

URL = "https://site.example/a/b.html"
SENTENCE = "A sentence of running text, with a comma, that is long enough to count as one. "
TAGS = sorted(
    names(
        "p div section article main aside nav footer header h1 h2 ul ol li dl dt dd table tr td th"
        " tbody figure figcaption blockquote pre center a b i span em picture noscript template button"
        " select option svg math video iframe textarea script style title ruby rt dialog address x-y"
        " frameset noframes html head body amp-img form label object xmp"
    )
)
WRITTEN = (
    "", " hidden", " style='display:none'", ' class="sidebar"', " class=sr-only", " role=navigation",
    ' class="entry-content"', " id=comments", " href=/x", ' href="', " '", "=", " a='>'", "/", " a=b=c",
)  # fmt: skip
IMAGES = (
    "<img src=a.jpg>", "<img src='/b.png' width=1 height=1>", "<img data-src=c.jpg src=data:x>",
    "<IMG SRC=//other.example/d.jpg>", '<img srcset="e.jpg 1x, f.jpg 2x">', "<img>", "<amp-img src=g>",
    "<img src='http://[/'>", "<img src='h i.jpg' alt='&lt;&copy;'>", "<img src=javascript:x>",
    "<source srcset=j.jpg>", "<image src=k.jpg>", "<img src=l.jpg",
)  # fmt: skip
MARKUP = (
    "<!--", "-->", "<!-->", "--!>", "<![CDATA[", "]]>", "<!doctype html>", "<?x", "<", ">", "</", "&", "&amp;",
    "&#0;", "&#x110000;", "&copy=1", "\0", "\r\n", " ", "'", '"', "é", "漢字", "\ud800", "\u202e", "\x0b",
    "<br>", "<hr>", "<base href=//b.example/c/>", "<base href=http://[>", "<meta property=og:image content=/o.jpg>",
    "<meta name=robots content=noai>", "<a rel=license href=/l>", "<link rel=license href=x>", "<input hidden>",
)  # fmt: skip

FRAGMENTS = st.one_of(
    st.builds("<{}{}>".format, st.sampled_from(TAGS), st.sampled_from(WRITTEN)),
    st.sampled_from(TAGS).map("</{}>".format),
    st.sampled_from(IMAGES),
    st.sampled_from(MARKUP),
    st.integers(1, 4).map(SENTENCE.__mul__),
    st.text(max_size=8),
)
SOUP = st.lists(FRAGMENTS, max_size=40).map("".join)


def try_extract(html: str) -> Extraction | str:
    try:
        return extract(html, URL)
    except PageLimit as error:
        return error.reason


@given(SOUP)
@settings(max_examples=400, deadline=None)
def test_every_image_element_is_accounted_for(html: str) -> None:
    page = extract(html, URL)
    numbers = [number for number in page.order if number >= 0]
    numbers += [image.number for image in page.left_out]
    assert sorted(numbers) == list(range(page.elements))
    images = [span for span in page.spans if isinstance(span, Image)]
    assert len(images) == len(page.order)
    assert all(
        number < 0 for number, image in zip(page.order, images, strict=True) if image.role == "og"
    )


@given(SOUP)
@settings(max_examples=400, deadline=None)
def test_spans_are_well_formed(html: str) -> None:
    page = extract(html, URL)
    for span in page.spans:
        if isinstance(span, Text):
            assert span.text.strip()
            span.text.encode()
        else:
            assert span.url in span.candidates
            for address in span.candidates:
                parts = urlsplit(address)
                assert parts.scheme in ("http", "https")
                assert parts.hostname
                assert address.isascii()
                assert not set(address) & set(" \t\r\n")
    assert not any(isinstance(a, Text) and isinstance(b, Text) for a, b in pairwise(page.spans))
    assert all(urlsplit(address).hostname for address in page.licences)


@given(SOUP, SOUP)
@settings(max_examples=200, deadline=None)
def test_a_page_gives_the_same_after_another(html: str, other: str) -> None:
    first = try_extract(html)
    try_extract(other)
    assert try_extract(html) == first


@given(SOUP)
@settings(max_examples=400, deadline=None)
def test_images_are_the_same_whatever_is_put_aside(html: str) -> None:
    pages = [
        lay_out(tokenize(html, skip_sides=tokens), skip_sides=skip)
        for tokens, skip in ((False, False), (False, True), (True, True))
    ]
    written = [[picture.written for picture in page.pictures] for page in pages]
    assert written[0] == written[1] == written[2]
    for page in pages:
        assert [picture.number for picture in page.pictures] == list(range(len(page.pictures)))
        assert all(0 <= picture.block <= len(page.blocks) for picture in page.pictures)


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_any_text_at_all_is_read(html: str) -> None:
    page = extract(html, URL)
    assert page.elements == len(page.left_out) + sum(number >= 0 for number in page.order)


# Elements whose rules are the same everywhere: no formatting elements, which browsers open again
# in the next block, and no tables, out of which they move text.
PLAIN = sorted(
    names(
        "p div section ul li dl dt dd h1 h2 blockquote pre span x-y article footer address center"
    )
)
PLAIN_SOUP = st.lists(
    st.one_of(
        st.builds("<{}{}>".format, st.sampled_from(PLAIN), st.sampled_from(("", " hidden"))),
        st.sampled_from(PLAIN).map("</{}>".format),
        st.sampled_from("abcdefgh"),
        st.sampled_from(
            ("<br>", "<hr>", "<!-- x -->", "<img src=x>", " ", "&amp;", "<script>x</script>",
             "<svg><path></svg>", "<table><tr><td>", "</table>", "<!-->", "<textarea>x</textarea>")
        ),
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(html=PLAIN_SOUP)
@settings(max_examples=500, deadline=None)
def test_tag_soup_has_the_paragraphs_that_browsers_see(
    ours: Read, browser: Read, html: str
) -> None:
    assert ours(f"<!doctype html><body>{html}") == browser(f"<!doctype html><body>{html}")


@pytest.mark.parametrize(
    "form",
    ["<title>{}", "<p>{}", "<img src={} alt={}>", "<a href={}>x</a>", "<nav><img src={}></nav>"],
)
def test_numbers_of_any_length_are_read(form: str) -> None:
    reference = f"&#{'9' * 5_000};"
    page = extract(f"<p>{SENTENCE * 3}</p>{form.format(reference, reference)}<p>{SENTENCE}", URL)
    assert page.spans
