"""Bytes of a page to text, by the rules of browsers."""

import codecs
import re
from typing import Final

from resiliparse.parse.encoding import detect_encoding
from w3lib.encoding import (
    html_body_declared_encoding,
    http_content_type_encoding,
    read_bom,
    resolve_encoding,
)

DETECTION_BYTES: Final = 65_536
"""How much of the body the detector sees; it needs letters, and heads are mostly markup."""

FALLBACK: Final = "cp1252"
"""What browsers assume of a western page that names nothing and cannot be detected."""

_NOT_ASCII: Final = re.compile(rb"[\x80-\xff]")
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_WITHOUT_SURROGATES: Final = frozenset(("utf-8", *(f"cp{page}" for page in range(1250, 1259))))
_LABELS: Final = {
    "iso-8859-8-i": "iso-8859-8",
    "x-gbk": "gb18030",
    "x-mac-cyrillic": "mac-cyrillic",
    "x-user-defined": "cp1252",
    "unicode": "utf-16",
}
"""Labels of the Encoding Standard that w3lib does not know."""

_STANDARD_NAMES: Final = {
    "big5hkscs": "big5",
    "cp866": "ibm866",
    "cp874": "windows-874",
    "cp932": "shift_jis",
    "cp949": "euc-kr",
    "euc_jp": "euc-jp",
    "gb18030": "gb18030",
    "iso2022_jp": "iso-2022-jp",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "mac-cyrillic": "x-mac-cyrillic",
    "mac-roman": "macintosh",
    "utf-16": "utf-16le",
    "utf-16-be": "utf-16be",
    "utf-16-le": "utf-16le",
    "utf-8": "utf-8",
    **{f"iso8859-{part}": f"iso-8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"cp{page}": f"windows-{page}" for page in range(1250, 1259)},
}
"""Python's codec to the name by the Encoding Standard. Nothing else is a charset of the web:
Python also has utf-7, hex, idna, rot-13 and escapes, which a page must not be able to ask for."""


def decode_html(body: bytes, content_type: str) -> tuple[str, str]:
    """Text and charset of a page: BOM, then header, then meta, then detection.

    Labels mean what the WHATWG Encoding Standard says: gb2312 is read as gb18030, latin-1 as
    windows-1252. A declared UTF-8 that does not decode is outvoted by detection. Never raises;
    NULs are removed and what cannot be decoded becomes U+FFFD.
    """
    named, mark = read_bom(body)
    if named and mark:
        return _decode(body[len(mark) :], named), _STANDARD_NAMES.get(named, named)
    codec = _declared(body, content_type)
    if not codec or (codec == "utf-8" and not _is_utf8(body)):
        codec = _detect(body)
    return _decode(body, codec), _STANDARD_NAMES[codec]


def _declared(body: bytes, content_type: str) -> str:
    """The codec that the header, else the page itself names; "" where neither is known."""
    if codec := _codec(http_content_type_encoding(content_type) or ""):
        return codec
    codec = _codec(html_body_declared_encoding(body) or "")
    # A page whose meta element could be read is no UTF-16; the standard takes it as UTF-8.
    return "utf-8" if codec.startswith(("utf-16", "utf-32")) else codec


def _codec(label: str) -> str:
    """The codec that browsers use for a label, or "" for a label that nobody knows."""
    codec = resolve_encoding(_LABELS.get(label.strip().lower(), label)) or ""
    return codec if codec in _STANDARD_NAMES else ""


def _detect(body: bytes) -> str:
    if _is_utf8(body):
        return "utf-8"
    # Prose stands in the middle of a page; without letters beyond ASCII there is no evidence.
    first = _NOT_ASCII.search(body)
    start = max(0, first.start() - 1024) if first else 0
    return _codec(detect_encoding(body[start : start + DETECTION_BYTES]) or "") or FALLBACK


def _is_utf8(body: bytes) -> bool:
    """Whether the body decodes, but for a character cut at its end."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(body, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _decode(body: bytes, codec: str) -> str:
    text = body.decode(codec, errors="replace").replace("\x00", "")
    # Of UTF-8 and tables of single bytes come none, and they are nearly all pages.
    return text if codec in _WITHOUT_SURROGATES else _SURROGATES.sub("\ufffd", text)
