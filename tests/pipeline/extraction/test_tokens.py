"""The tokenising rules of the HTML Standard (section 13.2.5), one line each."""

import re

import pytest

from openm3w.pipeline.extraction.attributes import attributes, decode_references
from openm3w.pipeline.extraction.limits import PageLimit
from openm3w.pipeline.extraction.tokens import images_in, text_in, tokenize

RAW_END = re.compile(r"<></(?:script|style|iframe|textarea|noembed|svg)\b[^>]*>", re.IGNORECASE)


def tokens(html: str) -> str:
    """All tokens on one line: tags by name and attributes, what was passed over as `<>`.

    The end tag of what was passed over may be part of it.
    """
    read = tokenize(html, skip_sides=False)
    return RAW_END.sub("<>", "".join(f"<{tag}{written}>{text}" for _, tag, written, text in read))


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("", "<>"),
        ("only text", "<>only text"),
        ("before<p>after", "<>before<p>after"),
        ("<p>one</p>two", "<p>one</p>two"),
        ("<P>one</P>", "<P>one</P>"),
        ("<p\nclass=a>x", "<p\nclass=a>x"),
        ("<br/>x", "<br/>x"),
        ("<br />x", "<br />x"),
        ("<h1>x", "<h1>x"),
        ("<o:p>x</o:p>", "<o:p>x</o:p>"),
        ("<amp-img src=a>", "<amp-img src=a>"),
        ("<p", "<p>"),
        ("<p class=", "<p class=>"),
        ("<p>a < b<p>c", "<p>a < b<p>c"),
        ("<p>a <3 b", "<p>a <3 b"),
        ("<p>a << b", "<p>a << b"),
        ("<p>a <> b", "<p>a <> b"),
        ("<p>x<", "<p>x<"),
    ],
)
def test_tags_and_the_text_after_each(html: str, expected: str) -> None:
    assert tokens(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a<!-- x -->b", "<p>a<>b"),
        ("<p>a<!-->b", "<p>a<>b"),
        ("<p>a<!--->b", "<p>a<>b"),
        ("<p>a<!---->b", "<p>a<>b"),
        ("<p>a<!-- x --!>b", "<p>a<>b"),
        ("<p>a<!-- x -- > y -->b", "<p>a<>b"),
        ("<p>a<!-- x > y -->b", "<p>a<>b"),
        ("<p>a<!-- <p> -->b", "<p>a<>b"),
        ("<p>a<!-- <!-- x --> y -->b", "<p>a<> y -->b"),
        ("<p>a<!-- x ---->b", "<p>a<>b"),
        ("<p>a<!-- x", "<p>a<>"),
        ("<p>a<!-- x -", "<p>a<>"),
        ("<p>a<!- x -->b", "<p>a<>b"),
        ("<p>a<!doctype html>b", "<p>a<>b"),
        ('<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/x">b', "<>b"),
        ("<p>a<?xml version='1.0'?>b", "<p>a<>b"),
        ("<p>a<?php echo '>' ?>b", "<p>a<>' ?>b"),
        ("<p>a<![CDATA[x]]>b", "<p>a<>b"),
        ("<p>a<![CDATA[x>y]]>b", "<p>a<>y]]>b"),
        ("<p>a<![endif]>b", "<p>a<>b"),
        ("<p>a<!--[if IE]>x<![endif]-->b", "<p>a<>b"),
        ("<p>a</>b", "<p>a<>b"),
        ("<p>a</ p>b", "<p>a<>b"),
        ("<p>a</3>b", "<p>a<>b"),
        ("<p>a<!", "<p>a<>"),
        ("<p>a</", "<p>a<>"),
    ],
)
def test_comments_and_what_is_read_as_one(html: str, expected: str) -> None:
    assert tokens(html) == expected


@pytest.mark.parametrize("name", ["script", "style", "iframe", "textarea", "noembed", "svg"])
@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("a<RAW>x</RAW>b", "<>a<>b"),
        ("a<RAW><i2>'</i2>\"<x></RAW>b", "<>a<>b"),
        ("a<RAW>x</RAW >b", "<>a<>b"),
        ("a<RAW>x</RAW\n>b", "<>a<>b"),
        ("a<RAW>x</RAWs></RAW>b", "<>a<>b"),
        ("a<RAW>x</ RAW></RAW>b", "<>a<>b"),
        ("a<RAW data-x='>'>x</RAW>b", "<>a<>b"),
        ("a<RAW>x", "<>a<>"),
        ("a<RAW", "<>a<>"),
        ("a<RAWs>x</RAWs>b", "<>a<RAWs>x</RAWs>b"),
    ],
)
def test_what_is_no_markup_ends_at_its_own_end_tag(html: str, expected: str, name: str) -> None:
    for written in (name, name.upper()):
        if html != "a<RAW":  # a name cut off by the end of the page is no tag of that name
            assert tokens(html.replace("RAW", written)) == expected.replace("RAW", written)


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<script><!-- x </script>b", "<>b"),
        ("<script><!-- x --> y </script>b", "<>b"),
        ("<script><!-- <script> x </script> y --> z </script>b", "<>b"),
        ("<script><!-- <script> x </script> y </script>b", "<>b"),
        ("<script><!-- <SCRIPT> x </sCRIPT> y --> z </script>b", "<>b"),
        ("<script><!-- <script> --> y </script>b", "<>b"),
        ("<script><!-- <script>", "<>"),
        ("<script><!-- <script> x </script> b", "<>"),
        ("<script><!--> <script> x </script>b", "<>b"),
        ("<script><!---> <script> x </script>b", "<>b"),
        ("<script><!-- <scripts> x </script>b", "<>b"),
        ("<script> <script> x </script>b", "<>b"),
        ("<script>'<!--'</script>b<script>'-->'</script>c", "<>b<>c"),
        ("<script/>x</script>b", "<>b"),
    ],
)
def test_scripts_in_comments_of_scripts(html: str, expected: str) -> None:
    assert tokens(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<svg/>b", "<>b"),
        ("<svg viewBox='0 0 1 1' />b", "<>b"),
        ("<svg><path/></svg>b", "<>b"),
        ("<svg><title>x</title><g><text>y</text></g></svg>b", "<>b"),
        ("<svg><path><p>b", "<><p>b"),
        ("<div><svg><path></div>b", "<div><></div>b"),
        ("<svg><image href=a></svg>b", "<>b"),
        ("<svg><foreignObject><p>x</p></foreignObject></svg>b", "<>b"),
        ("<svg><!-- </svg> --><path></svg>b", "<>b"),
        ("<svg><style><![CDATA[ a > b {} </svg>]]></style></svg>b", "<>b"),
        ("<svg><script>a</script></svg>b", "<>b"),
        ("<svg><a>x</a><switch></switch></svg>b", "<>b"),
    ],
)
def test_drawings_end_at_a_tag_of_the_page(html: str, expected: str) -> None:
    assert tokens(html) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<p a="x>y">b', "b"),
        ("<p a='x>y'>b", "b"),
        ("<p a = 'x>y' >b", "b"),
        ("<p a=\n'x>y'>b", "b"),
        ("<p a='x\"y'c='>'>b", "b"),
        ("<p don't>it's b", "it's b"),
        ("<p a=don't>it's b", "it's b"),
        ("<p a=x'>'>b", "'>b"),
        ('<p a=?q="x>y">b', 'y">b'),
        ('<p a=b=">y">b', 'y">b'),
        ('<p a="x"b>c', "c"),
        ('<p a="x>', ""),
        ("<p a=>b", "b"),
        ("<p a= >b", "b"),
        ("<p a==b>c", "c"),
    ],
)
def test_quotes_hold_angle_brackets_only_around_values(html: str, expected: str) -> None:
    assert tokenize(html, skip_sides=False)[0][3] == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", {}),
        (" a=1", {"a": "1"}),
        (" a=\"1\" b='2' c=3 d", {"a": "1", "b": "2", "c": "3", "d": ""}),
        (" a = 1  b\n=\n'2'", {"a": "1", "b": "2"}),
        (" SRC=a.JPG", {"src": "a.JPG"}),
        (" a=1 A=2 a=3", {"a": "1"}),
        (" a a=2", {"a": ""}),
        (' a="1"b="2"', {"a": "1", "b": "2"}),
        (" a=x/y/ ", {"a": "x/y/"}),
        (" a=x/", {"a": "x/"}),
        (" a/b", {"a": "", "b": ""}),
        ("/a=1/", {"a": "1/"}),
        (' a="" b', {"a": "", "b": ""}),
        (" a='\"' b=\"'\"", {"a": '"', "b": "'"}),
        (" a=it's b=x\"y", {"a": "it's", "b": 'x"y'}),
        (" a=b=c", {"a": "b=c"}),
        (' a="x y" data-b:c.d=1 @e', {"a": "x y", "data-b:c.d": "1", "@e": ""}),
        (' a="x\ny"', {"a": "x\ny"}),
        (' a="x', {"a": "x"}),
        (" a='x", {"a": "x"}),
        (" don't", {"don't": ""}),
        (" a=\0b", {"a": "\0b"}),
        (" a=&amp;&lt;", {"a": "&<"}),
    ],
)
def test_attributes(written: str, expected: dict[str, str]) -> None:
    assert attributes(written) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a&amp;b", "a&b"),
        ("a&ampb", "a&ampb"),
        ("a&amp", "a&"),
        ("a&amp b", "a& b"),
        ("?x=1&copy=1", "?x=1&copy=1"),
        ("?x=1&copy;=1", "?x=1©=1"),
        ("?x=1&lang=en", "?x=1&lang=en"),
        ("?x=1&lang;", "?x=1⟨"),
        ("?x=1&lang", "?x=1&lang"),
        ("?x=1&copy", "?x=1©"),
        ("?x=1&copy2=1", "?x=1&copy2=1"),
        ("&notit;", "&notit;"),
        ("&nosuch;", "&nosuch;"),
        ("&", "&"),
        ("&&amp;", "&&"),
        ("&;", "&;"),
        ("&#65;&#x42;&#X43;", "ABC"),
        ("&#65", "A"),
        ("&#65B", "AB"),
        ("&#0;", "\ufffd"),
        ("&#xD800;", "\ufffd"),
        ("&#x110000;", "\ufffd"),
        ("&#999999999999;", "\ufffd"),
        ("&#128;", "€"),
        ("&#;", "&#;"),
        ("&#x;", "&#x;"),
        ("&AMP;", "&"),
        ("&NotEqualTilde;", "\u2242\u0338"),
        ("&amp;amp;", "&amp;"),
    ],
)
def test_character_references_in_attributes(value: str, expected: str) -> None:
    assert decode_references(value) == expected
    assert attributes(f' a="{value}"') == {"a": expected}


BESIDE = "<nav id=n><img src=a><script>x<IMG></script><!-- <img> --><amp-img src=b></nav>"


def test_a_part_beside_the_content_is_one_token_when_it_is_skipped() -> None:
    skipped = tokenize(f"<p>a{BESIDE}b<p>c", skip_sides=True)
    assert [(bool(beside), name, text) for beside, name, _, text in skipped] == [
        (False, "p", "a"),
        (True, "", "b"),
        (False, "p", "c"),
    ]
    assert images_in(skipped[1][0]) == [" src=a", " src=b"]


@pytest.mark.parametrize(
    "html",
    [
        "<nav>x<p>",
        "<nav><nav>x</nav>",
        "<nav>x<!-- </nav> --><p>",
        "<nav>x<script>'</nav>'</script><p>",
    ],
)
def test_a_part_without_end_is_no_token(html: str) -> None:
    assert tokenize(html, skip_sides=True)[0][:2] == ("", "nav")


def test_text_in_counts_what_is_no_label_and_no_script() -> None:
    long = "x" * 30
    assert text_in(f"<nav><a>Home</a><p>{long}</p><script>{{{long}}}</script></nav>") == 30


def test_white_space_between_tags_is_one_character() -> None:
    assert tokens("<p>\n\n\t <b> a  b </b>\n\n<i>") == "<p>\n<b> a  b </b>\n<i>"


def test_pages_beyond_all_bounds_are_not_read() -> None:
    with pytest.raises(PageLimit, match="too_large"):
        tokenize("<br>" * 100_001, skip_sides=True)
    assert len(tokenize("<br>" * 100_000, skip_sides=True)) == 100_000
