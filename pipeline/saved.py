"""Pages that were saved as HTML files, and where they stood.

What a page's relative addresses mean depends on its own address, which a file does not have. It is
taken from `--url`, or from the page: the mark of the browser that saved it, `<link rel=canonical>`,
or `og:url`. Where none of them says it, relative addresses lead nowhere: nothing is made up.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from openm3w.errors import RecipeError
from openm3w.pipeline.archive import Record
from openm3w.pipeline.extraction.attributes import attributes, decode_references
from openm3w.pipeline.extraction.charset import decode_html
from openm3w.pipeline.extraction.limits import PageLimit
from openm3w.pipeline.extraction.tokens import tokenize
from openm3w.pipeline.extraction.urls import resolve_url
from openm3w.pipeline.sniffing import sniff
from openm3w.pipeline.sources import Source

XHTML_SUFFIXES: Final = (".xhtml", ".xht")
SUFFIXES: Final = (".html", ".htm", *XHTML_SUFFIXES)
_XHTML: Final = (("content-type", "application/xhtml+xml"),)
"""Browsers, too, tell XHTML on a disk by the name of the file alone."""

UNKNOWN: Final = "https:"
"""Base of a page that stood nowhere known: `//host/path` resolves against it, `path` does not."""

HEAD_BYTES: Final = 1 << 19
"""How far a page is searched for its address; heads hold styles and scripts of some 100 KB."""

_OTHERS: Final = {
    b"\x1f\x8b": "gzip data",
    b"PK\x03\x04": "a zip file",
    b"%PDF-": "a PDF file",
    b"WARC/": "a WARC file",
}
_MHTML: Final = re.compile(
    rb"(?:[A-Za-z-]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*?Content-Type:\s*multipart/related", re.IGNORECASE
)
_SNIFFED_BYTES: Final = 1024
_BINARY: Final = bytes({*range(1, 0x09), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20)})
"""Bytes that no text has, by the WHATWG MIME Sniffing standard, but for NULs: UTF-16 has them."""

MAX_BINARY: Final = 0.05
"""Share of such bytes at the beginning of a page. Compressed data has a tenth, a page now and then
a stray one."""
_MARKED: Final = (b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf")
"""Byte-order marks: what begins so is text."""
_MARK_CHARS: Final = 4096
# Internet Explorer, Edge and Chrome; SingleFile.
_MARK: Final = re.compile(
    r"<!--\s*(?:saved from url=\(\d+\)|Page saved with SingleFile\s+url:\s*)(\S+)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One page of a file."""

    record: Record
    """Its `url` is what relative addresses are resolved against."""
    address: str
    """Where the page stood, or ""."""


def has_page_name(path: Path) -> bool:
    """Whether a file is a page by its name."""
    return path.name.lower().endswith(SUFFIXES)


def looks_like_page(path: Path) -> bool:
    """Whether a file is a page by its first bytes."""
    with path.open("rb") as file:
        return sniff(file.read(_MARK_CHARS)) == "html"


def other_kind(body: bytes) -> str:
    """What a file is that is surely no page, whatever its name says; else ""."""
    if sniff(body) == "image":
        return "an image"
    if kind := next((kind for start, kind in _OTHERS.items() if body.startswith(start)), ""):
        return kind
    head = body[:_SNIFFED_BYTES]
    if _MHTML.match(head):
        return "an MHTML file"
    return "binary data" if _is_binary(head) else ""


def _is_binary(head: bytes) -> bool:
    letters = head.replace(b"\0", b"")
    controls = len(letters) - len(letters.translate(None, _BINARY))
    return not head.startswith(_MARKED) and controls > MAX_BINARY * len(letters)


def read_saved(source: Source, *, url: str, max_body: int) -> Saved:
    """The page of a file, which stood at `url` where that is not "".

    The addresses of a page that a browser saved with its images name copies on a disk: they are
    resolved against nothing.
    """
    with source.path.open("rb") as file:
        body = file.read(max_body + 1)
    address, base = (url, url) if url else _find_address(source.path, body)
    record = Record(
        kind="resource",
        type="resource",
        url=base or UNKNOWN,
        record_id="",
        date="",
        offset=0,
        length=source.path.stat().st_size,
        status=200,
        headers=_XHTML if source.path.suffix.lower() in XHTML_SUFFIXES else (),
        body=body[:max_body],
        body_cut=len(body) > max_body,
        body_error="",
        payload_digest="",
        truncated="",
    )
    return Saved(record=record, address=address)


def checked_url(url: str) -> str:
    """An address given for a page, as a browser would write it.

    Raises:
        RecipeError: it is not an absolute http(s) address.
    """
    absolute, _ = resolve_url("", url)
    if not absolute:
        raise RecipeError(f"--url {url}: not an absolute address that begins with http(s)://")
    return absolute


def _find_address(path: Path, body: bytes) -> tuple[str, str]:
    """Where a page says that it stood, and what its relative addresses are resolved against."""
    head, _ = decode_html(body[:HEAD_BYTES], "")
    mark = _MARK.search(head, 0, _MARK_CHARS)
    if mark and (address := resolve_url("", decode_references(mark[1]))[0]):
        return address, ""
    address = _named_address(head)
    with_images = path.with_name(f"{path.stem}_files").is_dir()  # as Firefox saves, without a mark
    return address, "" if with_images else address


def _named_address(head: str) -> str:
    """The canonical link, else og:url, where it is absolute; else ""."""
    found = {"canonical": "", "og:url": ""}
    try:
        tokens = tokenize(head, skip_sides=True)
    except PageLimit:
        return ""  # nothing else of such a page is read either
    for _, tag, written, _ in tokens:
        if tag.lower() not in ("link", "meta"):
            continue
        element = attributes(written)
        relations = element.get("rel", "").lower().split()
        name = "canonical" if "canonical" in relations else element.get("property", "").lower()
        value = element.get("href" if name == "canonical" else "content", "")
        if not found.get(name, "-"):
            found[name] = resolve_url("", value)[0]
    return found["canonical"] or found["og:url"]
