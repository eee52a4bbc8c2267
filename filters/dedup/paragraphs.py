"""Paragraphs that a site repeats: menus, notices and appeals that extraction took for text.

OBELICS (Laurençon et al., 2023, arXiv:2306.16527) drops the paragraphs that occur
three times or more under one domain. Its released code compares them letter by letter under one
host name; here the domain is the registered one, and case and spacing do not count.

A paragraph's number is its place among all of a document's, over its texts in order. Counting
and removing both go through `paragraphs`, so that a number means the same paragraph to both.
"""

import dataclasses
import hashlib
from collections.abc import Collection, Iterable, Iterator

from openm3w.filters.url import registered_domain
from openm3w.shards.document import Document, Span, Text

_BLANK_LINE = "\n\n"


def paragraphs(text: str) -> list[str]:
    """The parts of a text between blank lines, as a document's spans hold them."""
    return [part for part in text.split(_BLANK_LINE) if part.strip()]


def paragraph_keys(url: str, texts: Iterable[str]) -> Iterator[tuple[int, bytes]]:
    """Number of each paragraph, and its key of 16 bytes."""
    domain = registered_domain(url)
    number = 0
    for text in texts:
        for paragraph in paragraphs(text):
            yield number, paragraph_key(domain, paragraph)
            number += 1


def paragraph_key(domain: str, paragraph: str) -> bytes:
    """Digest of 16 bytes of a registered domain and the paragraph's words in lower case."""
    words = " ".join(paragraph.lower().split())
    material = f"{domain}\n{words}".encode(errors="surrogatepass")
    return hashlib.blake2b(material, digest_size=16).digest()


def without_paragraphs(document: Document, numbers: Collection[int]) -> Document:
    """The document without the paragraphs of these numbers; texts left empty are gone.

    Texts that lose nothing stay as they are, letter by letter.
    """
    if not numbers:
        return document
    return dataclasses.replace(document, spans=tuple(_left(document, frozenset(numbers))))


def _left(document: Document, numbers: frozenset[int]) -> Iterator[Span]:
    first = 0
    for span in document.spans:
        if not isinstance(span, Text):
            yield span
            continue
        found = paragraphs(span.text)
        here = range(first, first + len(found))
        first = here.stop
        if numbers.isdisjoint(here):
            yield span
            continue
        kept = [part for number, part in zip(here, found, strict=True) if number not in numbers]
        if kept:
            yield dataclasses.replace(span, text=_BLANK_LINE.join(kept))
