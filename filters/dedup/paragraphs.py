"""Paragraphs that a site repeats: menus, notices and appeals that extraction took for text.

OBELICS (Laurençon et al., 2023, arXiv:2306.16527) drops the paragraphs that occur
three times or more under one domain. Its released code compares them letter by letter under one
host name; here the domain is the registered one, and case and spacing do not count.
"""

import hashlib
from collections.abc import Iterable, Iterator

from openm3w.filters.url import registered_domain

DEFAULT_MINIMUM = 3
"""Occurrences from which a paragraph is dropped, each of them: OBELICS."""


def paragraphs(text: str) -> list[str]:
    """The parts of a text between blank lines, as a document's spans hold them."""
    return [part for part in text.split("\n\n") if part.strip()]


def paragraph_keys(url: str, texts: Iterable[str]) -> Iterator[tuple[int, int, bytes]]:
    """Place of the text, place of the paragraph in it, and its key of 16 bytes."""
    domain = registered_domain(url)
    for at, text in enumerate(texts):
        for number, paragraph in enumerate(paragraphs(text)):
            yield at, number, paragraph_key(domain, paragraph)


def paragraph_key(domain: str, paragraph: str) -> bytes:
    """Digest of 16 bytes of a registered domain and the paragraph's words in lower case."""
    words = " ".join(paragraph.lower().split())
    material = f"{domain}\n{words}".encode(errors="surrogatepass")
    return hashlib.blake2b(material, digest_size=16).digest()
