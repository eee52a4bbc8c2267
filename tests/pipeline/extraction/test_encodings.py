"""Labels and decoders of the WHATWG Encoding Standard, where Python's differ."""

import pytest

from openm3w.pipeline.extraction.encodings import decode, find_encoding


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("UTF8", "utf-8"),
        ("\t\n utf-8 \f\r", "utf-8"),
        ("unicode-1-1-utf-8", "utf-8"),
        ("iso-8859-1", "windows-1252"),
        ("iso_8859-1:1987", "windows-1252"),
        ("us-ascii", "windows-1252"),
        ("x-cp1252", "windows-1252"),
        ("iso-8859-9", "windows-1254"),
        ("l5", "windows-1254"),
        ("tis-620", "windows-874"),
        ("iso-8859-11", "windows-874"),
        ("dos-874", "windows-874"),
        ("iso-8859-8-i", "iso-8859-8"),
        ("visual", "iso-8859-8"),
        ("koi", "koi8-r"),
        ("koi8-ru", "koi8-u"),
        ("mac", "macintosh"),
        ("x-mac-ukrainian", "x-mac-cyrillic"),
        ("ms932", "shift_jis"),
        ("windows-31j", "shift_jis"),
        ("x-euc-jp", "euc-jp"),
        ("gb2312", "gb18030"),
        ("x-gbk", "gb18030"),
        ("big5-hkscs", "big5"),
        ("cn-big5", "big5"),
        ("ks_c_5601-1987", "euc-kr"),
        ("windows-949", "euc-kr"),
        ("ucs-2", "utf-16le"),
        ("unicode", "utf-16le"),
        ("hz-gb-2312", "replacement"),
        ("iso-2022-kr", "replacement"),
        ("x-user-defined", "x-user-defined"),
        # No labels of the standard, but Python knows which encoding of it they mean.
        ("latin-1", "windows-1252"),
        ("win-1251", "windows-1251"),
        ("cp932", "shift_jis"),
        ("zh-cn", "gb18030"),
        ("utf_8", "utf-8"),
    ],
)
def test_a_label_means_what_the_standard_says(label, name):
    assert find_encoding(label) == name


@pytest.mark.parametrize(
    "label",
    [
        "",
        "nonsense",
        "utf-7",
        "utf-32",
        "hex",
        "idna",
        "rot13",
        "unicode_escape",
        "cp437",
        "a" * 99,
    ],
)
def test_other_labels_mean_nothing(label):
    assert find_encoding(label) == ""


@pytest.mark.parametrize(
    ("name", "body", "text"),
    [
        # Bytes without a character from 80 to 9F are C1 controls, beyond that they are none.
        ("windows-1252", b"\x80\x81\x8d\x8f\x90\x9d\x9f", "€\x81\x8d\x8f\x90\x9dŸ"),
        ("windows-1250", b"\x81\x83\x88\x90\x98\xe1", "\x81\x83\x88\x90\x98á"),
        ("windows-1251", b"\x98\xff", "\x98я"),
        ("windows-1253", b"\x9f\xaa\xe1\xd2", "\x9f\ufffdα\ufffd"),
        ("windows-1254", b"\x81\xfd", "\x81ı"),
        ("windows-1255", b"\x8a\xca\xe0\xd9", "\x8a\u05baא\ufffd"),
        ("windows-1257", b"\x9f\xa1", "\x9f\ufffd"),
        ("windows-874", b"\x81\xa1\xdb\xfc", "\x81ก\ufffd\ufffd"),
        ("iso-8859-8", b"\x81\xa1\xe0", "\x81\ufffdא"),
        ("koi8-u", b"\xae\xbe\xa4\xc1", "ўЎєа"),
        ("koi8-r", b"\xae\xbe\xc1", "╝╬а"),
        ("macintosh", b"\x8e\xdb", "é€"),
        ("x-mac-cyrillic", b"\xa2\xb6\xff", "Ґґ€"),
        ("ibm866", b"\x80\xf2", "АЄ"),
        ("x-user-defined", b"a\x7f\x80\xff", "a\x7f\uf780\uf7ff"),
        # Of characters that a maker of computers added, the web is full.
        ("shift_jis", b"\x87\x40\xfa\x40\x81\x60\x80", "①ⅰ～\x80"),
        ("euc-jp", b"\xad\xa1\xad\xb5\xad\xea\xf9\xa1", "①Ⅰ㈱纊"),
        ("euc-jp", b"\xa1\xc1\xa1\xdd\xa1\xf1\x8e\xb1\x8f\xb0\xa1\\~", "～－￠ｱ丂\\~"),
        ("iso-2022-jp", b'\x1b$B$"!A\x1b(I1\x1b(B a', "あ～ｱ a"),
        ("gb18030", b"\x80\xa2\xe3\xa6\xd9\xa8\xbc\xfe\x59", "€€\ufe10\u1e3f\u9fb4"),
        ("gb18030", b"\x81\x30\x84\x36", "¥"),
        ("big5", b"\xf9\xd6\x88\x62", "碁\u00ca\u0304"),
        ("euc-kr", b"\xb0\xa1\x81\x41", "가갂"),
        ("utf-16le", b"a\0\x00\xd8b\0", "a\ufffdb"),
        ("replacement", b"\x1b$)C anything", "\ufffd"),
        ("replacement", b"", ""),
    ],
)
def test_bytes_are_read_as_the_standard_reads_them(name, body, text):
    assert decode(body, name) == text


@pytest.mark.parametrize("name", ["shift_jis", "euc-jp", "euc-kr", "big5", "gb18030"])
@pytest.mark.parametrize("lead", [b"\x81", b"\x8f", b"\xa1", b"\xad"])
def test_half_a_character_swallows_no_markup(name, lead):
    assert decode(lead + b"<p>words", name).endswith("<p>words")
    assert decode(b"words" + lead, name).startswith("words")
