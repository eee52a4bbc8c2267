"""Bytes of a page to text, by the rules of browsers."""

import codecs
import contextlib
import re
from collections.abc import Iterator
from typing import Final

from resiliparse.parse.encoding import detect_encoding

from openm3w.pipeline.extraction.attributes import attributes
from openm3w.pipeline.extraction.encodings import decode, find_encoding

DETECTION_BYTES: Final = 65_536
"""How much of the body the detector sees; it needs letters, and heads are mostly markup."""

HEAD_BYTES: Final = 65_536
"""How far a page is searched for what it says of its charset. Browsers begin with 1,024 bytes, but
read the page again where its head says another charset later, behind scripts and styles."""

FALLBACK: Final = "windows-1252"
"""What browsers assume of a western page that names nothing and cannot be detected."""

_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16le"),
    (b"\xfe\xff", "utf-16be"),
)
_NOT_ASCII: Final = re.compile(rb"[\x80-\xff]")
_PARAMETER: Final = re.compile(r"""(?:^|;)\s*+([^\s;="]++)\s*+=\s*+(?:"([^"]*+)"?|([^;,]*+))""")
_WRITTEN: Final = r"""(?:[^>=]++|=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))?+)*+"""
_HEAD: Final = re.compile(
    r"<!--(?:-?>|.*?(?:-->|\Z))"
    r"|<(script|style|title|textarea)[\s>/].*?(?:</\1|\Z)"
    rf"|<meta[\s/]({_WRITTEN})"
    r"|\A\s*<\?xml\s([^>]*+)"
    r"|(<body)[\s>/]"
    rf"|</?[a-z]{_WRITTEN}",
    re.IGNORECASE | re.DOTALL,
)
_IN_CONTENT: Final = re.compile(r"""charset\s*=\s*["']?\s*([^\s;"']+)""", re.IGNORECASE)


def decode_html(body: bytes, content_type: str) -> tuple[str, str]:
    """Text and charset of a page: BOM, then header, then meta, then detection.

    Labels mean what the WHATWG Encoding Standard says: gb2312 is read as gb18030, latin-1 as
    windows-1252. A declared UTF-8 is outvoted by detection where most of what is not ASCII does
    not decode. Never raises; NULs are removed and what cannot be decoded becomes U+FFFD.
    """
    mark, name = next(((m, n) for m, n in _MARKS if body.startswith(m)), (b"", ""))
    if not name:
        name = _in_header(content_type) or _in_page(body)
        if not name or (name == "utf-8" and not _is_utf8(body)):
            name = _detect(body)
    return decode(body[len(mark) :], name).replace("\x00", ""), name


def _in_header(content_type: str) -> str:
    for parameter, quoted, bare in _PARAMETER.findall(content_type):
        if parameter.lower() == "charset" and (words := (quoted or bare).split()):
            return find_encoding(words[0].strip("'"))
    return ""


def _in_page(body: bytes) -> str:
    """The encoding that a page's own markup names, "" where it names none that is known."""
    for label in _labels(body[:HEAD_BYTES].decode("latin-1")):
        if name := find_encoding(label):
            # Markup that could be read is no UTF-16; the standard takes it as UTF-8.
            name = "utf-8" if name.startswith("utf-16") else name
            return FALLBACK if name == "x-user-defined" else name
    return ""


def _labels(head: str) -> Iterator[str]:
    for match in _HEAD.finditer(head):
        meta, declaration, body = match.group(2, 3, 4)
        if body:
            return
        if declaration:
            yield attributes(declaration).get("encoding", "")
        elif meta and "charset" in meta.lower():
            found = attributes(meta)
            if "charset" in found:
                yield found["charset"]
            elif found.get("http-equiv", "").strip().lower() == "content-type":
                yield from _IN_CONTENT.findall(found.get("content", ""))[:1]


def _detect(body: bytes) -> str:
    if _is_utf8(body):
        return "utf-8"
    # Prose stands in the middle of a page; without letters beyond ASCII there is no evidence.
    first = _NOT_ASCII.search(body)
    start = max(0, first.start() - 1024) if first else 0
    return find_encoding(detect_encoding(body[start : start + DETECTION_BYTES]) or "") or FALLBACK


def _is_utf8(body: bytes) -> bool:
    """Whether at least half of what is not ASCII decodes; a character cut at the end counts not.

    Pages have single bytes in another encoding: from a database, a counter, an advertisement.
    """
    decoder = codecs.getincrementaldecoder("utf-8")
    with contextlib.suppress(UnicodeDecodeError):
        decoder().decode(body)
        return True
    text = decoder("replace").decode(body)
    wrong = text.count("\ufffd") - body.count("\ufffd".encode())
    return 2 * wrong <= len(text) - len(text.encode("ascii", "ignore"))
