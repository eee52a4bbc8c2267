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
from openm3w.pipeline.extraction.sides import MAY_BE_SIDE, SIDE_TAGS
from openm3w.pipeline.extraction.tags import (
    BLOCK,
    CELLS,
    END_SCOPE,
    HEADINGS,
    IMAGES,
    IMPLIED_END,
    INLINE_BOXES,
    VERBATIM,
    VOID,
    names,
)
from openm3w.pipeline.extraction.tokens import tokenize
from openm3w.shards.document import Image, Text

Read = Callable[[str], tuple[list[str], list[str | None]]]

URL = "https://site.example/a/b.html"
SENTENCE = "A sentence of running text, with a comma, that is long enough to count as one. "
TAGS = sorted(
    BLOCK | INLINE_BOXES | VOID | IMAGES | HEADINGS | VERBATIM | CELLS
    | set(IMPLIED_END) | set(END_SCOPE) | SIDE_TAGS | MAY_BE_SIDE
    | names(
        "a b i span em font small nobr html head body title base meta link br hr img picture source"
        " script style textarea iframe noembed svg math desc foreignObject mi annotation-xml path"
        " frameset frame option label output slot map area x-y o:p constructor"
    )
)  # fmt: skip
WRITTEN = (
    "", " hidden", " style='display:none'", ' class="sidebar"', " class=sr-only", " role=navigation",
    ' class="entry-content"', " id=comments", " href=/x", ' href="', " '", "=", " a='>'", "/", " a=b=c",
    ' HREF=/y CLASS="WIDGET"', " rel=license href=l", ' class="caption"', " class='figure thumb'", " class=title",
    " class=infobox", ' id="a-b-c-d"', "\0", ' class="\0\ud800"', ' "', ' a="b"c\'d', ' a="\n\t>', " a=&quot;>", "\f/",
    " class=" + "long-name-" * 300, ' title="' + "words and words " * 200 + '"', " =a", " a = b", " a\r\n=\r\n'b'",
)  # fmt: skip
ELEMENTS_WITH_IMAGES = (
    "<img src=a.jpg>", "<img src='/b.png' width=1 height=1>", "<img data-src=c.jpg src=data:x>",
    "<IMG SRC=//other.example/d.jpg>", '<img srcset="e.jpg 1x, f.jpg 2x">', "<img>", "<amp-img src=g>",
    "<img src='http://[/'>", "<img src='h i.jpg' alt='&lt;&copy;'>", "<img src=javascript:x>",
    "<source srcset=j.jpg>", "<image src=k.jpg>", "<img src=l.jpg",
    "<img data-src=c.jpg src=data:x><noscript><img src=c.jpg></noscript>", "<noscript><IMG SRC=m.jpg></noscript>",
    "<picture><source srcset='n.webp 2x, o.webp' type=image/webp><source srcset=p.avif><img src=q.jpg></picture>",
    "<figure><img src=photograph.jpg><figcaption>Caption</figcaption></figure>", "<img src=/small/photograph.jpg>",
    "<div class=figure><p class=title>Figure</p><img src=r.jpg></div>", "<a href=/x><img src=s.jpg></a>",
    "<img srcset='" + "t.jpg 1w, " * 150 + "'>", "<img src=data:image/png;base64," + "A" * 20_000 + ">",
    "<img src=http://\u00e9\u0301.example/\ud800>", "<img src=http://a.example:99999/>", "<img src='\0.jpg' alt='\udfff'>",
    "<img src=" + "u" * 9_000 + ">", "<img src=http://xn--a.example/>", "<img src=//[::1]/v.jpg>", "<img src='http://a..b/w'>",
    "<img src=x.jpg width=99999999999 height=-1 style='width:10px'>", "<img srcset=', , 1x, y.jpg 2e9x, z.jpg 9w'>",
)  # fmt: skip
MARKUP = (
    "<!--", "-->", "<!-->", "--!>", "<![CDATA[", "]]>", "<!doctype html>", "<?x", "<", ">", "</", "&", "&amp;",
    "&#0;", "&#x110000;", "&copy=1", "\0", "\r\n", " ", "'", '"', "é", "漢字", "\ud800", "\u202e", "\x0b",
    "<br>", "<hr>", "<base href=//b.example/c/>", "<base href=http://[>", "<meta property=og:image content=/o.jpg>",
    "<meta name=robots content=noai>", "<a rel=license href=/l>", "<link rel=license href=x>", "<input hidden>",
    "<ruby>x<rp>(<rt>y<rp>)</ruby>", "<table><tr><td>x<td>y<tr><th>z</table>", "<ul><li>x<li>y<ul><li>z</ul></ul>",
    "<dl><dt>x<dd>y</dl>", "<svg><title>x</title><![CDATA[<p>]]><path d='</svg>'/></svg>", "<svg/>", "<svg><p>", "<svg><desc>",
    "<script><!--<script></script>", "<script>'</p>'</script>", "<SCRIPT/>", "<style><p></STYLE >", "<textarea></p>",
    "<template><p>x<img src=t.jpg></template>", "<math><mi>x</math>", "<plaintext>", "<noframes><p>x</noframes>",
    "RenÃ©", "É\u00a0:", "q" + "\u0301" * 40, "\u200b", "\ufeff", "\x93", "\U000f0000", "&#xD800;", "&#128;", "&nbsp;", "&notit;",
    "&ampamp;", "&#" + "9" * 5_000, "abc:", "© rights", "Photo: x", "By Ann Lee", "¶", "[edit]", "<o:p/>", "<!>", "<?", "<![if x]>",
)  # fmt: skip

FRAGMENTS = st.one_of(
    st.builds("<{}{}>".format, st.sampled_from(TAGS), st.sampled_from(WRITTEN)),
    st.sampled_from(TAGS).map("</{}>".format),
    st.sampled_from(ELEMENTS_WITH_IMAGES),
    st.sampled_from(MARKUP),
    st.sampled_from(TAGS).map(lambda name: f"<{name.upper()}>{name[:3]}</{name.title()} x>"),
    st.integers(1, 4).map(SENTENCE.__mul__),
    st.text(max_size=8),
)
SOUP = st.lists(FRAGMENTS, max_size=60).map("".join)


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
