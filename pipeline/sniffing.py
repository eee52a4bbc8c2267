"""What a payload is, by its first bytes."""

from typing import Literal

ContentKind = Literal["html", "image", "other"]

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"})

# The WHATWG MIME sniffing standard, section 7.1, and the tags that old pages begin with.
_HTML_STARTS = (
    b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<iframe", b"<h1", b"<div",
    b"<font", b"<table", b"<a ", b"<style", b"<title", b"<b>", b"<br", b"<p", b"<!--", b"<meta",
    b"<center", b"<frameset",
)  # fmt: skip
_IMAGE_STARTS = (
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"GIF87a",
    b"GIF89a",
    b"BM",
    b"II*\0",
    b"MM\0*",
)

SNIFFED_BYTES = 1024
"""Of a payload, by which it is told what it is."""


def sniff(body: bytes) -> ContentKind:
    """`html`, `image` or `other` by the first bytes."""
    head = body[:SNIFFED_BYTES]
    if head.startswith(_IMAGE_STARTS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "image"
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"):
        return "image"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<?xml"):
        return "html" if b"<html" in text else "other"
    return "html" if text.startswith(_HTML_STARTS) else "other"
