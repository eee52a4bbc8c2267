"""The encodings of the web, labels and decoders, as the WHATWG Encoding Standard has them.

Python's codecs are near, but not the same: they give up bytes that browsers read as C1 controls
(81 in windows-1252), know no circled digits in EUC-JP, and have utf-7, hex, rot-13 and escapes,
which a page must not be able to ask for.
"""

import codecs
import functools
import re
from typing import Final

from w3lib.encoding import resolve_encoding, to_unicode

_LABELS_OF: Final = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
    "ibm866": "866 cp866 csibm866 ibm866",
    "iso-8859-2": (
        "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2"
    ),
    "iso-8859-3": (
        "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3"
    ),
    "iso-8859-4": (
        "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4"
    ),
    "iso-8859-5": (
        "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 "
        "iso_8859-5:1988"
    ),
    "iso-8859-6": (
        "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 "
        "iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987"
    ),
    "iso-8859-7": (
        "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 "
        "iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek"
    ),
    "iso-8859-8": (  # and iso-8859-8-i, which differs in the direction of text alone
        "csiso88598e csiso88598i csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-8859-8-i "
        "iso-ir-138 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 logical visual"
    ),
    "iso-8859-10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso-8859-13": "iso-8859-13 iso8859-13 iso885913",
    "iso-8859-14": "iso-8859-14 iso8859-14 iso885914",
    "iso-8859-15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9",
    "iso-8859-16": "iso-8859-16",
    "koi8-r": "cskoi8r koi koi8 koi8-r koi8_r",
    "koi8-u": "koi8-ru koi8-u",
    "macintosh": "csmacintosh mac macintosh x-mac-roman",
    "windows-874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
    "windows-1250": "cp1250 windows-1250 x-cp1250",
    "windows-1251": "cp1251 windows-1251 x-cp1251",
    "windows-1252": (
        "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 "
        "iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252"
    ),
    "windows-1253": "cp1253 windows-1253 x-cp1253",
    "windows-1254": (
        "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 "
        "l5 latin5 windows-1254 x-cp1254"
    ),
    "windows-1255": "cp1255 windows-1255 x-cp1255",
    "windows-1256": "cp1256 windows-1256 x-cp1256",
    "windows-1257": "cp1257 windows-1257 x-cp1257",
    "windows-1258": "cp1258 windows-1258 x-cp1258",
    "x-mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "gb18030": (  # and gbk, which is read by the same decoder
        "chinese csgb2312 csiso58gb231280 gb18030 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk"
    ),
    "big5": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc-jp": "cseucpkdfmtjapanese euc-jp x-euc-jp",
    "iso-2022-jp": "csiso2022jp iso-2022-jp",
    "shift_jis": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    "euc-kr": (
        "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 "
        "ksc_5601 windows-949"
    ),
    "replacement": "csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement",
    "utf-16be": "unicodefffe utf-16be",
    "utf-16le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
    "x-user-defined": "x-user-defined",
}
"""Name (in lower case) and labels of every encoding of the standard, section 4.2."""

_NAMES: Final = {label: name for name, labels in _LABELS_OF.items() for label in labels.split()}
_CODECS: Final = {
    "big5": "big5hkscs",
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "gb18030": "gb18030",
    "iso-2022-jp": "iso2022_jp_ext",
    "shift_jis": "cp932",
    "utf-16be": "utf-16-be",
    "utf-16le": "utf-16-le",
    "utf-8": "utf-8",
}
"""Python's codecs for those that take more than one byte for a character."""
_TABLES: Final = {"windows-874": "cp874", "x-mac-cyrillic": "mac_cyrillic"}
"""Python's codecs for tables of 256 characters, where the name is another."""
_LETTERS: Final = {
    "koi8-u": {0xAE: "ў", 0xBE: "Ў"},  # as koi8-ru has it, with a letter of Belarus
    "windows-1255": {0xCA: "\u05ba"},
}
"""What their tables have in the standard and not in Python."""
_WHITE_SPACE: Final = " \t\n\f\r"
_HOLE: Final = "\ufffe"
"""What `codecs.charmap_decode` takes for a byte that has no character."""

# What the standard reads otherwise than Python: signs as in Shift_JIS, and characters for which
# Unicode had no place when Python's table was made.
_JAPANESE: Final = dict(zip("〜‖−¢£¬", "～∥－￠￡￢", strict=True))  # noqa: RUF001
_CHINESE: Final = dict(
    zip(
        map(chr, (0xE5E5, *range(0xE78D, 0xE797), 0xE7C7, 0xE81E, 0xE826, 0xE82B, 0xE82C, 0xE832,
                  0xE843, 0xE854, 0xE864)),
        map(chr, (0x3000, 0xFE10, 0xFE12, 0xFE11, *range(0xFE13, 0xFE1A), 0x1E3F,
                  *range(0x9FB4, 0x9FBC))),
        strict=True,
    )
)  # fmt: skip
_OTHERWISE: Final = {"euc-jp": _JAPANESE, "iso-2022-jp": _JAPANESE, "gb18030": _CHINESE}
_CHANGED: Final = {name: re.compile(f"[{''.join(others)}]") for name, others in _OTHERWISE.items()}


def find_encoding(label: str) -> str:
    """The name of the encoding that a label means, "" where it means none.

    Labels that the standard does not have, but of which Python knows an encoding of the standard,
    are taken too: `latin-1`, `cp932`, `win-1251`.
    """
    label = label.strip(_WHITE_SPACE).lower()
    return _NAMES.get(label) or _of_codec().get(resolve_encoding(label) or "", "")


def decode(body: bytes, name: str) -> str:
    """A text in the encoding of that name; what is no character becomes U+FFFD."""
    if name == "utf-8":
        return body.decode(errors="replace")
    if name == "gb18030":
        text = to_unicode(body, name)  # knows 80 as the sign of the euro
    elif name == "euc-jp":
        text = body.decode("euc_jp", "openm3w_euc_jp")
    elif name in _CODECS:
        text = body.decode(_CODECS[name], "replace")
    elif name == "replacement":
        return "\ufffd" if body else ""
    else:
        return codecs.charmap_decode(body, "replace", _table(name))[0]
    if name in _OTHERWISE:
        others = _OTHERWISE[name]
        text = _CHANGED[name].sub(lambda match: others[match[0]], text)
    return text


@functools.cache
def _of_codec() -> dict[str, str]:
    """Name of Python's codec -> that of the encoding; when asked for, as it loads all of them."""
    return {
        codecs.lookup(_CODECS.get(name) or _TABLES.get(name, name)).name: name
        for name in _LABELS_OF
        if name not in ("replacement", "x-user-defined")
    }


@functools.cache
def _table(name: str) -> str:
    """The characters of all bytes."""
    if name == "x-user-defined":
        return "".join(chr(byte if byte < 0x80 else 0xF700 + byte) for byte in range(0x100))
    table = list(bytes(range(0x100)).decode(_TABLES.get(name, name), "replace"))
    for byte in range(0x80, 0x100):
        if table[byte] == "\ufffd":
            table[byte] = chr(byte) if byte < 0xA0 else _HOLE
    for byte, char in _LETTERS.get(name, {}).items():
        table[byte] = char
    return "".join(table)


def _euc_jp_gap(error: UnicodeError) -> tuple[str, int]:
    """The characters that makers of computers added, which Python knows in Shift_JIS alone."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    pair = error.object[error.start : error.start + 2]
    if len(pair) == 2 and all(0xA1 <= byte <= 0xFE for byte in pair):
        row, cell = pair[0] - 0xA1, pair[1] - 0xA1
        lead = row // 2 + (0x81 if row < 62 else 0xC1)
        trail = cell + 0x9F if row % 2 else cell + 0x40 + (cell >= 63)
        char = bytes((lead, trail)).decode("cp932", "replace")
        if char[0] != "\ufffd":
            return char, error.start + 2
    return "\ufffd", error.end


codecs.register_error("openm3w_euc_jp", _euc_jp_gap)
