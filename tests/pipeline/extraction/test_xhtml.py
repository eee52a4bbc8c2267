"""XHTML read as browsers read it when it is served as such."""

import pytest

from openm3w.pipeline.extraction.extract import extract
from openm3w.pipeline.extraction.xhtml import as_html
from openm3w.shards.document import Text

URL = "https://docs.example/guide.xhtml"
TEXT = "The millstone rests on a bearing that has to be oiled before every season of grinding."


@pytest.mark.parametrize(
    ("xhtml", "html"),
    [
        ('<script src="a.js"/>', '<script src="a.js"></script>'),
        ("<title/><p>x</p>", "<title></title><p>x</p>"),
        ('<a id="top"/>x', '<a id="top"></a>x'),
        ("<div />x", "<div ></div>x"),
        ('<a href="a/b/">x</a>', '<a href="a/b/">x</a>'),
        ('<p title="a/>b">x</p>', '<p title="a/>b">x</p>'),
        ("<p title='/>'/>x", "<p title='/>'></p>x"),
        ('<img src="a"/><br/><hr />', '<img src="a"/><br/><hr />'),
        ("<!-- <p/> --><p/>", "<!-- <p/> --><p></p>"),
        ("<p><![CDATA[a < b & c]]></p>", "<p>a &lt; b &amp; c</p>"),
        ("<![CDATA[a]b]]c]]>]]>", "a]b]]c]]>"),
        (
            "<script>//<![CDATA[\nx</script>\n//]]></script>",
            "<script>//\nx&lt;/script&gt;\n//</script>",
        ),
        ("<p", "<p"),
        ('<p title="', '<p title="'),
        ("<![CDATA[x", "x"),
        ("<!-- x", "<!-- x"),
        ("a < b <3", "a < b <3"),
    ],
)
def test_what_xml_means_is_written_as_html(xhtml: str, html: str) -> None:
    assert as_html(xhtml) == html


def test_an_empty_script_swallows_no_text() -> None:
    xhtml = f"<html><head><script src='a.js'/><title>Mill</title></head><body><p>{TEXT}</p></body></html>"
    assert [span for span in extract(as_html(xhtml), URL).spans if isinstance(span, Text)] == [
        Text(text=TEXT)
    ]
    assert extract(xhtml, URL).spans == ()  # served as text/html, browsers show nothing either


@pytest.mark.parametrize(
    "piece", ["<", "<a ", "<a/", "<!--", "<![CDATA[", "<a '", '<a "', "]]", "<p/>"]
)
def test_time_grows_with_the_page(piece: str) -> None:
    as_html(piece * 300_000)
