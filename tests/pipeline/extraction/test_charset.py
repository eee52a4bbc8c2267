"""Charsets as browsers find and read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openm3w.pipeline.extraction.charset import decode_html

RUSSIAN = "Привет, мир! Это обычный русский текст про погоду и про море."
JAPANESE = "これは日本語で書かれた普通の文章です。天気について書いてあります。"


@pytest.mark.parametrize(
    ("body", "header", "text", "charset"),
    [
        (b"caf\xc3\xa9", "text/html; charset=utf-8", "café", "utf-8"),
        (b"caf\xe9 \x80", "text/html; charset=latin-1", "café €", "windows-1252"),
        (b"caf\xe9 \x80", "text/html; charset=ISO-8859-1", "café €", "windows-1252"),
        (b"caf\xe9 \x80", "text/html; charset=us-ascii", "café €", "windows-1252"),
        ("漢字䶮".encode("gb18030"), "text/html; charset=gb2312", "漢字䶮", "gb18030"),
        ("漢字".encode("gb18030"), "text/html; charset=GBK", "漢字", "gb18030"),
        (JAPANESE.encode("cp932"), "text/html; charset=Shift_JIS", JAPANESE, "shift_jis"),
        (JAPANESE.encode("euc-jp"), "text/html; charset=EUC-JP", JAPANESE, "euc-jp"),
        ("한국어".encode("cp949"), "text/html; charset=ks_c_5601-1987", "한국어", "euc-kr"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "text/html; charset=latin-1", "café", "utf-8"),
        (b"\xff\xfea\x00b\x00", "", "ab", "utf-16le"),
        (b"\xfe\xff\x00a\x00b", "", "ab", "utf-16be"),
    ],
)
def test_labels_mean_what_browsers_take_them_for(
    body: bytes, header: str, text: str, charset: str
) -> None:
    assert decode_html(body, header) == (text, charset)


def test_the_header_wins_over_the_page_and_the_page_over_detection() -> None:
    body = b"<meta charset=windows-1251>" + RUSSIAN.encode("koi8-r")
    assert decode_html(body, "text/html; charset=koi8-r")[0].endswith(RUSSIAN)
    assert decode_html(body, "")[1] == "windows-1251"


def test_a_meta_element_cannot_make_a_page_utf16() -> None:
    assert decode_html(b"<meta charset=utf-16>caf\xc3\xa9", "")[0].endswith("café")


@pytest.mark.parametrize("codec", ["cp1251", "koi8-r", "utf-8"])
def test_what_names_no_charset_is_detected(codec: str) -> None:
    body = b"<html><body>" + (RUSSIAN * 3).encode(codec)
    assert RUSSIAN in decode_html(body, "text/html")[0]


def test_utf8_that_does_not_decode_is_outvoted() -> None:
    body = (RUSSIAN * 3).encode("cp1251")
    assert RUSSIAN in decode_html(body, "text/html; charset=utf-8")[0]


def test_utf8_cut_inside_a_character_stays_utf8() -> None:
    text, charset = decode_html("Übermut tut selten gut, é".encode()[:-1], "charset=utf-8")
    assert charset == "utf-8"
    assert text.startswith("Übermut")


@pytest.mark.parametrize(
    "label", ["utf-7", "hex", "idna", "rot13", "bz2", "unicode_escape", "undefined", "nonsense"]
)
def test_codecs_that_are_no_charset_of_the_web_are_not_used(label: str) -> None:
    text, charset = decode_html(b"+ADw-a \\u0041 b", f"text/html; charset={label}")
    assert text == "+ADw-a \\u0041 b"
    assert charset == "utf-8"


def test_nuls_go_and_no_surrogate_comes() -> None:
    assert decode_html(b"a\x00b", "")[0] == "ab"
    assert decode_html(b"\xed\xa0\x80x", "text/html; charset=utf-8")[0].encode()


@given(body=st.binary(max_size=200), header=st.text(max_size=40))
def test_nothing_raises(body: bytes, header: str) -> None:
    text, charset = decode_html(body, f"text/html; charset={header}")
    assert text.encode() is not None
    assert "\x00" not in text
    assert charset == charset.lower()
