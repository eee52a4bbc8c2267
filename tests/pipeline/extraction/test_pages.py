"""Whole pages as the common site builders write them, small, and all that comes out of them."""

import pytest

from openm3w.pipeline.extraction.extract import Extraction, extract
from openm3w.pipeline.extraction.reasons import Reason
from openm3w.shards.document import Image, Text

URL = "https://site.example/2024/page.html"
BASE = "https://site.example/2024/"

FIRST = (
    "The mill stood empty for thirty years before the cooperative bought it, repaired the wheel"
    " and found that the old stones still ground finer flour than anybody had expected."
)
SECOND = (
    "Grain comes from eleven farms along the river, and each sack carries the name of the field"
    " that it grew in, so that bakers can ask for the same field again next year."
)
THIRD = (
    "Visitors are welcome on Saturdays, when the sluice is opened at ten and the wheel turns until"
    " the pond is empty, which in a dry summer takes hardly more than two hours."
)


def shown(extraction: Extraction) -> list[str]:
    """Lines of the text spans, and images by role and file name, in reading order."""
    lines = list[str]()
    for span in extraction.spans:
        if isinstance(span, Text):
            lines.extend(line for line in span.text.split("\n") if line)
        else:
            lines.append(f"<{span.role} {span.url.removeprefix(BASE)}>")
    return lines


def images(extraction: Extraction) -> list[Image]:
    return [span for span in extraction.spans if isinstance(span, Image)]


def reasons(extraction: Extraction) -> dict[str, Reason]:
    return {left.url.removeprefix(BASE): left.reason for left in extraction.left_out}


WORDPRESS = f"""<!doctype html><html lang=en-GB><head><title>The mill - A blog</title>
<meta property=og:title content="The mill"></head>
<body class="post-template-default single single-post postid-7 with-sidebar">
<a class="skip-link screen-reader-text" href=#content>Skip to content</a>
<header id=masthead class=site-header><a href=/><img class=custom-logo src=/logo.png
 width=200 height=80></a><nav class=main-navigation><ul id=menu><li class=menu-item><a href=/a>About
</a><li class=menu-item><a href=/b>Recipes</a></ul></nav></header>
<main id=main class=site-main><article id=post-7 class="post-7 post type-post hentry">
<header class=entry-header><h1 class=entry-title>The mill</h1><div class=entry-meta>
<span class=posted-on>12 May 2024</span> <span class=byline>by <a href=/author/jo>Jo</a></span></div>
</header><div class=post-thumbnail><img src=wheel.jpg width=900 height=600 alt="A water wheel"></div>
<div class=entry-content><p>{FIRST}</p>
<figure class="wp-block-image size-large"><img src=stones.jpg alt="Two stones" width=800 height=500>
<figcaption class=wp-element-caption>The stones were cut in 1843.</figcaption></figure>
<h2>Where the grain comes from</h2><p>{SECOND}</p><ul><li>Rye<li>Spelt</ul><p>{THIRD}</p>
<div class="sharedaddy sd-sharing-enabled"><h3 class=sd-title>Share this:</h3><ul><li><a
 href=https://social.example/share><img src=facebook.png>Facebook</a></ul></div>
<div id=jp-relatedposts class=jp-relatedposts><h3>Related</h3><a href=/other><img src=other.jpg
 width=350 height=200></a><h4><a href=/other>The other mill, on the far side of the hill</a></h4></div>
</div><footer class=entry-footer>Posted in <a href=/c>Mills</a></footer></article>
<section id=comments class=comments-area><h2>One thought on “The mill”</h2><ol class=comment-list><li
 class=comment><img class=avatar src=face.jpg width=96 height=96><p>I used to fish in that pond when
 I was a boy, and the miller always shouted at us from the little window above the wheel.</p></ol>
</section></main><aside class=widget-area><section class="widget widget_recent_entries"><h2
 class=widget-title>Recent posts</h2><ul><li><a href=/x>A walk along the canal</a></ul></section></aside>
<footer class=site-footer>Proudly powered by a press</footer></body></html>"""


def test_a_wordpress_post_has_neither_its_sharing_bar_nor_related_posts_nor_comments() -> None:
    found = extract(WORDPRESS, URL)
    assert found.title == "The mill"
    assert shown(found) == [
        "The mill",
        "<lead wheel.jpg>",
        FIRST,
        "<content stones.jpg>",
        "The stones were cut in 1843.",
        "Where the grain comes from",
        SECOND,
        "- Rye",
        "- Spelt",
        THIRD,
    ]
    assert images(found)[1].caption == "The stones were cut in 1843."
    assert set(reasons(found).values()) == {Reason.OUTSIDE_CONTENT}


MEDIAWIKI = f"""<!doctype html><html><head><title>Mill - Encyclopaedia</title></head><body>
<div id=content class=mw-body><h1 id=firstHeading class=firstHeading>Mill</h1>
<div id=bodyContent class=mw-body-content><div id=siteSub class=noprint>From the encyclopaedia</div>
<a class=mw-jump-link href=#nav>Jump to navigation</a>
<div id=mw-content-text class=mw-content-ltr><div class=mw-parser-output>
<table class="infobox vcard"><tbody><tr><th colspan=2>Upper Mill</th></tr>
<tr><td colspan=2><a href=/wiki/File:Mill.jpg><img src=mill.jpg width=250 height=180></a>
<div>The mill in 2019</div></td></tr>
{"".join(f"<tr><th><a href=/wiki/{n}>Fact {n}</a></th><td><a href=/w/{n}>Value {n}</a></td></tr>" for n in range(30))}
</tbody></table>
<p>The <b>Upper Mill</b> is a <a href=/wiki/1>water mill</a> on the <a href=/wiki/2>river Lark</a> in
<a href=/wiki/3>Suffolk</a>, built in <a href=/wiki/4>1743</a> for the grain of the
<a href=/wiki/5>abbey's farms</a> and in use until <a href=/wiki/6>the First World War</a>.</p>
<div id=toc class=toc role=navigation><h2>Contents</h2><ul><li><a href=#h>1 History</a></ul></div>
<h2><span class=mw-headline id=h>History</span><span class=mw-editsection>[<a
 href=/edit>modify the source</a>]</span></h2><p>{FIRST}</p>
<div class="thumb tright"><div class=thumbinner><a href=/wiki/File:W.jpg><img src=w.jpg width=220
 height=165 class=thumbimage></a><div class=thumbcaption>The wheel before its repair</div></div></div>
<p>{SECOND}</p>
<table class=wikitable><tr><th>Year</th><th>Sacks</th></tr><tr><td>1750</td><td>310</td></tr>
<tr><td>1800</td><td>1,240</td></tr></table><p>{THIRD}</p>
<h2>References<span class=mw-editsection>[<a href=/edit>edit</a>]</span></h2>
<ol class=references><li id=cite_note-1>^ A. Smith: <i>Mills of the county</i>, London 1921, page 12
</ol><div role=navigation class=navbox><table><tr><th>Mills of the county</th></tr><tr><td><a href=/m/1>
Lower</a> <img src=icon.png width=16 height=16></td></tr></table></div></div></div>
<div id=catlinks class=catlinks><a href=/c>Categories</a>: <a href=/c/1>Mills</a></div></div></div>
<div id=mw-navigation><div class=vector-menu><ul><li><a href=/main>Main page</a></ul></div></div>"""


def test_a_mediawiki_article_has_its_fact_boxs_image_and_neither_contents_nor_navigation() -> None:
    found = extract(MEDIAWIKI, URL)
    lines = shown(found)
    assert "<content mill.jpg>" in lines
    assert any(
        line.startswith("The Upper Mill is a water mill on the river Lark") for line in lines
    )
    start = lines.index("History")
    assert lines[start:] == [
        "History",
        FIRST,
        "<content w.jpg>",
        "The wheel before its repair",
        SECOND,
        "Year | Sacks",
        "1750 | 310",
        "1800 | 1,240",
        THIRD,
        "References",
        "1. ^ A. Smith: Mills of the county, London 1921, page 12",
    ]
    assert "Contents" not in lines
    assert reasons(found)["icon.png"] is Reason.OUTSIDE_CONTENT


DOCBOOK = f"""<html xmlns="http://www.w3.org/1999/xhtml"><head><title>3.2. Grinding</title></head><body>
<div class=navheader><table width="100%"><tr><th colspan=3 align=center>3.2. Grinding</th></tr><tr>
<td><a accesskey=p href=a.html><img src=images/prev.png alt=Prev></a></td><th>Chapter 3</th></tr></table>
<hr/></div><div class=sect2><div class=titlepage><div><div><h3 class=title><a id=g></a>3.2. Grinding</h3>
</div></div></div><div class=sect3><div class=titlepage><div><div><h4 class=title>3.2.1. Overview</h4>
</div></div></div><div class=figure><p class=title><b>Figure 3.1. The stones</b></p>
<div class=figure-contents><div class=mediaobject><img src=images/stones.png alt="The stones"/></div>
</div></div><p>{FIRST}</p><div class=note><table border=0><tr><td rowspan=2><img alt="[Note]"
 src=images/note.png></td><th>Note</th></tr><tr><td><p>{SECOND}</p></td></tr></table></div>
<div class=variablelist><dl class=variablelist><dt><span class=term>Gap</span></dt><dd><p>The distance of
the stones.</p></dd><dt><span class=term>Speed</span></dt><dd><p>Turns in a minute.</p></dd></dl></div>
<pre class=programlisting>mill --gap 2
  --speed 90</pre><p>{THIRD}</p></div></div><div class=navfooter><hr/><table><tr><td><a href=a.html>
<img src=images/prev.png alt=Prev></a></td><td><a href=index.html><img src=images/home.png alt=Home></a>
</td></tr><tr><td>3.1. Sluices</td><td>3.3. Sacks</td></tr></table></div></body></html>"""


def test_a_docbook_page_keeps_its_headings_figure_and_terms_without_arrows_and_signs() -> None:
    found = extract(DOCBOOK, URL)
    assert shown(found) == [
        "3.2. Grinding",
        "3.2.1. Overview",
        "<content images/stones.png>",
        "Figure 3.1. The stones",
        FIRST,
        "Note",
        SECOND,
        "Gap",
        "  The distance of the stones.",
        "Speed",
        "  Turns in a minute.",
        "mill --gap 2",
        "  --speed 90",
        THIRD,
    ]
    assert reasons(found)["images/note.png"] is Reason.ICON_NAME
    assert images(found)[0].caption == "Figure 3.1. The stones"


SPHINX = f"""<!doctype html><html><head><title>Grinding - Mill 1.0 docs</title></head><body>
<div class=related role=navigation><h3>Navigation</h3><ul><li><a href=genindex.html>index</a></ul></div>
<div class=document><div class=documentwrapper><div class=bodywrapper><div class=body role=main>
<div class="sphx-glr-download-link-note admonition note"><p class=admonition-title>Note</p>
<p>Click <a href=#d>here</a> to download the full example code</p></div>
<section id=grinding><h1>Grinding<a class=headerlink href=#grinding title=Permalink>¶</a></h1><p>{FIRST}</p>
<div class="highlight-python notranslate"><div class=highlight><pre><span></span><span class=kn>import</span>
 <span class=nn>mill</span>

<span class=n>mill</span><span class=o>.</span><span class=n>run</span><span class=p>()</span>
</pre></div></div><section id=gap><h2>The gap<a class=headerlink href=#gap>¶</a></h2><p>{SECOND}</p>
<div class="toctree-wrapper compound"><ul><li class=toctree-l1><a href=a.html>Sluices and how to open
 them</a></ul></div></section></section></div></div></div><div class=sphinxsidebar role=navigation><div
 class=sphinxsidebarwrapper><h3><a href=index.html>Table of Contents</a></h3><ul><li><a href=#>Grinding</a>
</ul></div></div></div><div class=footer role=contentinfo>Created using Sphinx.</div></body></html>"""


def test_a_sphinx_page_has_headings_without_paragraph_signs_and_no_contents() -> None:
    lines = shown(extract(SPHINX, URL))
    assert lines[:2] == ["Grinding", FIRST]
    assert lines[-2:] == ["The gap", SECOND]
    assert "mill.run()" in " ".join(lines[2:-2])
    assert "Click" not in " ".join(lines)


@pytest.mark.parametrize(
    "code",
    [
        "<pre>if open:\n    run()\nelse:\n    wait()</pre>",
        "<pre><code class=language-python>if open:\n    run()\nelse:\n    wait()</code></pre>",
        "<pre>if open:<br>    run()<br>else:<br>    wait()</pre>",
        "<table><tr><td><pre>if open:\n    run()\nelse:\n    wait()</pre></td></tr></table>",
    ],
)
def test_code_keeps_its_lines_and_their_indent(code: str) -> None:
    found = extract(f"<main><p>{FIRST}</p>{code}<p>{SECOND}</p></main>", URL)
    assert shown(found) == [FIRST, "if open:", "    run()", "else:", "    wait()", SECOND]


def test_highlighted_code_keeps_its_lines_and_their_indent() -> None:
    code = (
        "<pre><span></span><span class=k>if</span> <span class=n>open</span><span class=p>:</span>\n"
        "    <span class=n>run</span><span class=p>()</span>\n<span class=k>else</span>"
        "<span class=p>:</span>\n    <span class=n>wait</span><span class=p>()</span>\n</pre>"
    )
    found = extract(f"<main><p>{FIRST}</p>{code}<p>{SECOND}</p></main>", URL)
    assert shown(found) == [FIRST, "if open:", "    run()", "else:", "    wait()", SECOND]


NEWSLETTER_SITE = f"""<html><head><title>On mills</title><meta property=og:image content=cover.jpg></head>
<body><div id=root><div class=a1><div class=a2><button>Sign in</button></div></div><article><div><section>
<h1>On mills</h1><p>{FIRST}</p><figure class="ab ac"><div class=aq><img class=ae
 src=https://cdn.example/max/60/q/wheel-house.jpeg?q=20 width=30 height=20><img class=af width=1200
 height=800><noscript><img src=https://cdn.example/max/1200/wheel-house.jpeg width=1200 height=800
 srcset="https://cdn.example/max/276/wheel-house.jpeg 276w, https://cdn.example/max/1200/wheel-house.jpeg
 1200w"></noscript></div><figcaption>The wheel house</figcaption></figure><p>{SECOND}</p>
<blockquote><p>Flour is a slow thing.</p></blockquote><p>{THIRD}</p>
<div class="subscription-widget-wrap"><p>Thanks for reading! Subscribe for free to receive new posts.</p>
</div></section></div></article></div></body></html>"""


def test_a_figure_with_preview_and_noscript_is_one_image_with_its_caption() -> None:
    found = extract(NEWSLETTER_SITE, URL)
    assert shown(found) == [
        "On mills",
        FIRST,
        "<content https://cdn.example/max/1200/wheel-house.jpeg>",
        "The wheel house",
        SECOND,
        "Flour is a slow thing.",
        THIRD,
    ]


NEWS = f"""<html><head><title>Mill to reopen | News</title></head><body><div class=page><header
 class=site-header><nav><a href=/>Home</a> <a href=/sport>Sport</a></nav></header><div class=cookie-banner>
<p>We use cookies to improve your experience, and share what we learn with 412 partners.</p></div>
<article class=story><header class=story__header><h1>Mill to reopen</h1><p class=standfirst>After thirty
 years the wheel of the Upper Mill is to turn again this spring.</p><div class=story__byline>By Jo Smith
</div></header><figure class=lead-image><img src=lead.jpg width=980 height=550><figcaption>The Upper Mill
 on Monday. Photo: Jo Smith</figcaption></figure><div class=story__body><p>{FIRST}</p>
<div class=teaser-box><a href=/rents><img src=rents.jpg width=300 height=200></a><h3><a href=/rents>Rents
 rise again along the river</a></h3></div><p>{SECOND}</p><div class=newsletter-box><h3>Our newsletter</h3>
<p>Get the best stories of the week into your inbox every Friday morning.</p></div>
<div><img src=inside.jpg width=700 height=400></div><div class=image-caption>The wheel is six metres high.
</div><p>{THIRD}</p><p>Photo: Jo Smith</p></div></article><section class=more-stories><h2>More stories</h2>
<ul><li><a href=/1><img src=s1.jpg width=300 height=200>Bridge closed for the whole of the summer</a></ul>
</section><footer><p>© 2024 News. All rights reserved.</p></footer></div></body></html>"""


def test_a_news_article_keeps_introduction_lead_and_captions_without_teasers() -> None:
    found = extract(NEWS, URL)
    assert shown(found) == [
        "Mill to reopen",
        "After thirty years the wheel of the Upper Mill is to turn again this spring.",
        "<lead lead.jpg>",
        "The Upper Mill on Monday. Photo: Jo Smith",
        FIRST,
        SECOND,
        "<content inside.jpg>",
        "The wheel is six metres high.",
        THIRD,
    ]
    assert reasons(found) == {
        "rents.jpg": Reason.OUTSIDE_CONTENT,
        "s1.jpg": Reason.OUTSIDE_CONTENT,
    }


def _post(name: str, text: str) -> str:
    return (
        f"<tr><td class=postprofile><a href=/u/{name}><b>{name}</b></a><br><img src={name}.jpg"
        f" class=avatar width=100 height=100><br>Posts: 12</td><td class=postbody><div>{text}</div>"
        "</td></tr>"
    )


def test_a_forum_thread_gives_its_posts_in_order_without_avatars() -> None:
    posts = _post("ada", FIRST) + _post("ben", SECOND) + _post("cyd", THIRD)
    found = extract(
        "<html><head><title>Which stones? - Forum</title></head><body><div id=navbar><a href=/>Index</a>"
        f"</div><h2>Which stones?</h2><table class=forumline>{posts}</table><div class=pagination>"
        "<a href=?2>2</a></div></body></html>",
        URL,
    )
    lines = shown(found)
    assert [line for line in lines if line in (FIRST, SECOND, THIRD)] == [FIRST, SECOND, THIRD]
    assert not images(found)


def test_a_shops_product_keeps_picture_description_and_table() -> None:
    found = extract(
        "<html><head><title>Spelt flour</title></head><body><nav><a href=/>Shop</a></nav>"
        "<div class=breadcrumbs><a href=/>Home</a> / <a href=/f>Flour</a></div><main class=product>"
        "<div class=product-gallery><img src=flour.jpg width=600 height=600 alt='A bag of flour'></div>"
        f"<div class=product-summary><h1>Spelt flour</h1><p>{FIRST}</p><form class=cart><button>Add to"
        f" basket</button></form></div><div class=product-tabs><h2>Description</h2><p>{SECOND}</p><table>"
        "<tr><th>Weight</th><td>1 kg</td></tr><tr><th>Origin</th><td>Suffolk</td></tr></table></div>"
        "<section class=related-products><h2>You may also like</h2><ul><li><a href=/rye><img src=rye.jpg"
        " width=300 height=300>Rye flour</a></ul></section></main></body></html>",
        URL,
    )
    lines = shown(found)
    assert [image.url for image in images(found)] == [f"{BASE}flour.jpg"]
    for line in ("Spelt flour", FIRST, SECOND, "Weight | 1 kg", "Origin | Suffolk"):
        assert line in lines
    assert "Rye flour" not in lines
    assert "Add to basket" not in lines


LAYOUT_OF_1999 = f"""<HTML><HEAD><TITLE>Mill</TITLE></HEAD><BODY BGCOLOR=#FFFFFF><TABLE WIDTH=600 BORDER=0>
<TR><TD WIDTH=120 VALIGN=TOP><IMG SRC=spacer.gif WIDTH=120 HEIGHT=1><BR><A HREF=a.htm><FONT SIZE=2>Home</FONT>
</A><BR><A HREF=b.htm><FONT SIZE=2>Prices</FONT></A><BR><A HREF=c.htm><FONT SIZE=2>Links</FONT></A></TD>
<TD VALIGN=TOP><FONT FACE=Arial SIZE=4><B>The mill</B></FONT><BR><BR><FONT FACE=Arial SIZE=2>{FIRST}<BR><BR>
<IMG SRC=wheel.gif WIDTH=300 HEIGHT=200 ALIGN=LEFT HSPACE=5>{SECOND}<BR><BR>{THIRD}</FONT></TD></TR></TABLE>
<CENTER><FONT SIZE=1><A HREF=mailto:a@b.example>Webmaster</A></FONT></CENTER></BODY></HTML>"""


def test_a_table_layout_of_1999_gives_its_paragraphs_and_no_spacer() -> None:
    found = extract(LAYOUT_OF_1999, URL)
    assert shown(found) == ["The mill", FIRST, "<content wheel.gif>", SECOND, THIRD]
    assert "\n\n" in found.spans[-1].text  # type: ignore[union-attr]


def test_a_frameset_gives_what_it_says_without_frames() -> None:
    found = extract(
        "<html><head><title>Mill</title></head><frameset cols='20%,80%'><frame src=nav.htm><frame"
        f" src=main.htm><noframes><body><h1>The mill</h1><p>{FIRST}</p></body></noframes></frameset></html>",
        URL,
    )
    assert shown(found) == ["The mill", FIRST]


def test_lists_inside_lists_are_indented_and_numbered() -> None:
    found = extract(
        f"<main><p>{FIRST}</p><ol><li>Clean the stones<ul><li>with a brush<li>without water</ul><li>Set"
        f" the gap</ol><p>{SECOND}</p></main>",
        URL,
    )
    assert shown(found) == [
        FIRST,
        "1. Clean the stones",
        "  - with a brush",
        "  - without water",
        "2. Set the gap",
        SECOND,
    ]


def test_rows_of_a_table_stand_on_lines() -> None:
    found = extract(
        f"<main><p>{FIRST}</p><table><caption>Harvest</caption><thead><tr><th>Field</th><th>Sacks</th></tr>"
        "</thead><tbody><tr><td>North</td><td>31</td></tr><tr><td>South</td><td>28</td></tr></tbody></table>"
        f"<p>{SECOND}</p></main>",
        URL,
    )
    assert "Field | Sacks\nNorth | 31\nSouth | 28" in found.spans[0].text  # type: ignore[union-attr]


ARABIC = "النسخ الاحتياطي هو أحد المهام الرئيسية لأي مدير نظم، لكنه موضوع معقد، ويحتاج لأدوات قوية يصعب إتقانها."
CHINESE = "水磨坊空置了三十年，合作社买下它，修好水轮。"
CHINESE_NEXT = "谷物来自河边的十一个农场，每袋都写着地名。"


@pytest.mark.parametrize(
    ("lang", "paragraphs"),
    [("ar dir=rtl", [ARABIC, ARABIC[::-1]]), ("zh-CN", [CHINESE, CHINESE_NEXT])],
    ids=["right to left", "Chinese"],
)
def test_other_scripts_come_out_as_written(lang: str, paragraphs: list[str]) -> None:
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    found = extract(
        f"<html lang={lang}><body><div class=x><ul><li><a href=/a>首页</a><li><a href=/b>关于</a></ul></div>"
        f"<div class=y>{body}</div><div class=z><a href=/c>更多</a></div></body></html>",
        URL,
    )
    assert shown(found) == paragraphs


def test_a_stream_of_teasers_gives_summaries_without_headlines_of_other_pages() -> None:
    items = "".join(
        f"<li><h3><a href=/{n}>Headline number {n} of the day</a></h3><p>{text}</p></li>"
        for n, text in enumerate((FIRST, SECOND, THIRD))
    )
    assert shown(extract(f"<main><ul>{items}</ul></main>", URL)) == [
        f"- {FIRST}",
        f"- {SECOND}",
        f"- {THIRD}",
    ]


def test_a_long_heading_does_not_draw_the_content_onto_itself() -> None:
    heading = "Everything that one may want to know about mills and their wheels"
    found = extract(
        f"<div><div class=head><h1>{heading}</h1></div><div class=body><p>Short, but it is all the text"
        " that this page has for its readers.</p></div></div>",
        URL,
    )
    assert shown(found)[-1].startswith("Short, but it is all")


def test_who_wrote_a_text_and_when_is_left_out() -> None:
    for byline in (
        "By Jo Smith",
        "Posted on Tuesday 15 October by Jo",
        "Last updated on 3 May 2024",
    ):
        found = extract(f"<main><p>{FIRST}</p><p>{byline}</p><p>{SECOND}</p></main>", URL)
        assert shown(found) == [FIRST, SECOND]
    found = extract(f"<main><p>{FIRST}</p><p>By then it was dark.</p><p>{SECOND}</p></main>", URL)
    assert shown(found) == [FIRST, "By then it was dark.", SECOND]


def test_what_would_be_left_of_a_list_of_links_is_left_out_too() -> None:
    items = "".join(
        f"<li><a href=/{n}>Flour of the field number {n}</a><p>{n} £</p></li>" for n in range(9)
    )
    found = extract(f"<main><p>{FIRST}</p><ul>{items}</ul><p>{SECOND}</p></main>", URL)
    assert shown(found) == [FIRST, SECOND]


def test_an_introduction_written_as_a_heading_is_kept() -> None:
    found = extract(
        f"<main><p>{FIRST}</p><h4>{THIRD}</h4><h4>Grain</h4><p>{SECOND}</p></main>", URL
    )
    assert shown(found) == [FIRST, THIRD, "Grain", SECOND]


def test_posts_that_are_all_called_comments_are_the_content_where_there_is_no_other() -> None:
    posts = "".join(
        f"<div class=comment><div class=comment-author>user{number}</div>"
        f"<p>Post {number} says that the valve leaks when the boiler is cold, and stops after an"
        " hour; has anybody else seen this, and what did you do about it?</p></div>"
        for number in range(8)
    )
    html = f"<!doctype html><title>t</title><h1>Leaking valve</h1><div id=posts>{posts}</div>"
    text = " ".join(span.text for span in extract(html, URL).spans if isinstance(span, Text))
    assert all(f"Post {number} says" in text for number in range(8))


def test_comments_under_an_article_stay_out_though_they_are_longer() -> None:
    comments = "".join(
        f"<div class=comment><p>Reader {number} thinks that all of this was better before, and"
        " goes on about it for quite some time without an end in sight.</p></div>"
        for number in range(8)
    )
    story = "<p>The council voted on Monday to repair the bridge before winter, said its mayor.</p>"
    html = f"<!doctype html><title>t</title><article><h1>t</h1>{story * 3}</article>{comments}"
    text = " ".join(span.text for span in extract(html, URL).spans if isinstance(span, Text))
    assert "council voted" in text
    assert "Reader" not in text


@pytest.mark.parametrize(
    "name", ["growing-up", "home-fire", "star-trek", "next-mayor", "print-shop"]
)
def test_a_photograph_may_have_a_sign_in_its_name(name: str) -> None:
    html = f"<article><p>{WORDS}</p><img src={name}.jpg><p>{WORDS}</p></article>"
    assert [image.url.rpartition("/")[2] for image in _images(html)] == [f"{name}.jpg"]


@pytest.mark.parametrize("name", ["next", "arrow_left", "star-half", "home", "up2"])
def test_a_sign_by_itself_is_none(name: str) -> None:
    html = f"<article><p>{WORDS}</p><img src={name}.gif><p>{WORDS}</p></article>"
    assert not _images(html)


@pytest.mark.parametrize("own", ["related-work", "comments", "search", "privacy", "citation"])
def test_a_section_named_by_its_heading_is_content(own: str) -> None:
    html = f"<main><p>{WORDS}</p><section id={own}><h2>H</h2><p>Inner. {WORDS}</p></section></main>"
    assert any("Inner." in s.text for s in extract(html, URL).spans if isinstance(s, Text))


def test_capitals_in_markup_hide_and_name_as_small_letters_do() -> None:
    html = (
        f"<DIV CLASS=content><P>{WORDS}</P><P class=not-sr-only>Shown to all.</P>"
        "<DIV CLASS=sidebar><P>Beside.</P></DIV><DIV STYLE='DISPLAY:NONE'><P>Hidden.</P></DIV>"
        f"<P>{WORDS}</P></DIV>"
    )
    text = " ".join(span.text for span in extract(html, URL).spans if isinstance(span, Text))
    assert "Shown to all." in text
    assert "Beside." not in text
    assert "Hidden." not in text


@pytest.mark.parametrize(
    "html",
    [
        f"<div data-x='{'caption ' * 50_000}'>"
        + "<p>Words and more words of some length.</p>" * 2_000,
        "<picture>" + "<source srcset='a 1x, b 2x'>" * 2_000 + "<img src=a.jpg>" * 500,
        f"<p>text<img src=a.jpg data-z='{'a.jpg?' * 50_000} x'></p>",
    ],
    ids=["long attribute", "open picture", "long address"],
)
def test_long_attributes_cost_no_more_than_their_length(html: str) -> None:
    extract(html, URL)  # took minutes where each was read again for every paragraph or image


def _images(html: str) -> list[Image]:
    return [span for span in extract(html, URL).spans if isinstance(span, Image)]


WORDS = (
    "The council voted on Monday to repair the bridge before winter, said its mayor, who had"
    " asked for the money twice."
)
