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


def test_an_encoding_of_fonts_is_read_in_the_header_alone() -> None:
    assert decode_html(b"\xe9", "text/html; charset=x-user-defined")[0] == "\uf7e9"
    assert decode_html(b"<meta charset=x-user-defined>\xe9", "")[1] == "windows-1252"


def test_a_byte_order_mark_wins_and_utf32_is_no_encoding_of_the_web() -> None:
    assert decode_html(b"\xef\xbb\xbf\xc3\xa9", "text/html; charset=koi8-r") == ("é", "utf-8")
    assert decode_html(b"\xff\xfe\0\0a\0\0\0", "") == ("a", "utf-16le")


@pytest.mark.parametrize(
    ("header", "charset"),
    [
        ("text/html;charset=koi8-r", "koi8-r"),
        ('text/html; Charset = "koi8-r"', "koi8-r"),
        ("text/html; charset='koi8-r'", "koi8-r"),
        ("text/html; charset=koi8-r, text/html", "koi8-r"),
        ("text/html; version=1; charset=koi8-r; q=1", "koi8-r"),
        ('text/html; note="; charset=koi8-r"', "windows-1251"),
        ("text/html; charset=", "windows-1251"),
        ("text/html; charset=nonsense", "windows-1251"),
        ("text/html", "windows-1251"),
    ],
)
def test_the_header_is_read_parameter_by_parameter(header: str, charset: str) -> None:
    assert decode_html(b"<meta charset=windows-1251>\xc0", header)[1] == charset


PRAGMA = b'<meta content="text/html; charset=koi8-r" http-equiv=Content-Type>'


@pytest.mark.parametrize(
    "head",
    [
        b'<META CHARSET = "KOI8-R" />',
        b"<meta/charset=koi8-r>",
        PRAGMA,
        PRAGMA.replace(b"=koi", b" = koi"),
        b'<?xml version="1.0" encoding="koi8-r"?><html>',
        # Only the first that is known counts, and only where it is markup.
        b"<meta charset=nonsense>" + PRAGMA + b"<meta charset=utf-8>",
        b'<meta name=description content="charset=utf-8">' + PRAGMA,
        b"<!-- <meta charset=utf-8> -->" + PRAGMA,
        b"<!-->" + PRAGMA,
        b"<script>'<meta charset=utf-8>'</script>" + PRAGMA,
        b"<title><meta charset=utf-8></title>" + PRAGMA,
        b'<link title="<meta charset=utf-8>">' + PRAGMA,
        b"<metadata charset=utf-8>" + PRAGMA,
        # Browsers read a page again where its head says it late.
        b"<style>" + b"p { color: red } " * 3_000 + b"</style>" + PRAGMA,
    ],
)
def test_a_page_says_its_charset_in_markup(head: bytes) -> None:
    assert decode_html(head + b"<body>\xc1", "")[1] == "koi8-r"


def test_nothing_in_the_body_says_a_charset() -> None:
    assert decode_html(b"<body><meta charset=koi8-r>words", "")[1] == "utf-8"


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "piece", [b"<meta ", b"<meta charset", b"<!--", b"<script ", b"<a b='", b"<?xml ", b'charset="']
)
def test_hostile_heads_are_read_in_linear_time(piece: bytes) -> None:
    assert decode_html(piece * 1_000_000 + b"\xe9", f"text/html; {'charset=; ' * 1_000_000}")[0]


@pytest.mark.parametrize("codec", ["cp1251", "koi8-r", "utf-8"])
def test_what_names_no_charset_is_detected(codec: str) -> None:
    body = b"<html><body>" + (RUSSIAN * 3).encode(codec)
    assert RUSSIAN in decode_html(body, "text/html")[0]


def test_utf8_that_does_not_decode_is_outvoted() -> None:
    body = (RUSSIAN * 3).encode("cp1251")
    assert RUSSIAN in decode_html(body, "text/html; charset=utf-8")[0]


@pytest.mark.parametrize("header", ["text/html; charset=utf-8", "text/html"])
@pytest.mark.parametrize(
    ("body", "text", "charset"),
    [
        (b"The caf\xc3\xa9 \xe2\x80\x94 it\xe2\x80\x99s\xa0open", "The café — it’s\ufffdopen", "utf-8"),
        (b"caf\xc3\xa9 \xa0", "café \ufffd", "utf-8"),
        (b"caf\xe9 \xc3\xa9t\xe9s", "café Ã©tés", "windows-1252"),
        (b"d\xe9j\xe0 vu, caf\xe9, na\xefve, 20\xa0\x80", "déjà vu, café, naïve, 20\xa0€", "windows-1252"),
        # U+FFFD in the page itself is no character that does not decode.
        ("Who\ufffds there\ufffd".encode() + b"\xa0", "Who\ufffds there\ufffd\ufffd", "utf-8"),
    ],
    ids=["one of four", "one of two", "two of three", "all", "written"],
)  # fmt: skip
def test_utf8_is_outvoted_where_most_of_it_does_not_decode(
    body: bytes, text: str, charset: str, header: str
) -> None:
    assert decode_html(body, header) == (text, charset)


ENCODED = {
    "windows-1251": RUSSIAN,
    "koi8-r": RUSSIAN,
    "iso-8859-5": RUSSIAN,
    "shift_jis": JAPANESE,
    "euc-jp": JAPANESE,
    "gb18030": "网络存档变成多模态训练数据，并用它训练模型。今天天气很好，我们去河边散步。",
    "big5": "網路存檔變成多模態訓練資料，並用它訓練模型。今天天氣很好，我們去河邊散步。",
    "windows-1253": "Ο μύλος στεκόταν άδειος για τριάντα χρόνια δίπλα στο ποτάμι.",
    "windows-1255": "הטחנה עמדה ריקה במשך שלושים שנה ליד הנהר.",
    "windows-1256": "النسخ الاحتياطي هو أحد المهام الرئيسية لأي مدير نظم.",
}


@pytest.mark.parametrize("charset", ENCODED)
def test_pages_in_other_encodings_are_no_utf8_with_errors(charset: str) -> None:
    body = (ENCODED[charset] * 3).encode(charset)
    assert decode_html(body, "text/html; charset=utf-8")[1] != "utf-8"


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
