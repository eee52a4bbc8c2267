"""Images that a corpus repeats: logos, buttons, adverts and placeholders.

OBELICS (Laurençon et al., 2023, arXiv:2306.16527) drops images whose URL occurs more than ten
times in the whole set, and all but one of the documents that have the same set of image URLs. One
picture under many URLs is found by its content's hash.
"""

import hashlib
from collections.abc import Iterable

from openm3w.filters.url import url_key

DEFAULT_MAXIMUM = 10
"""Occurrences that an image may have and stay: OBELICS."""


def image_keys(url: str, sha256: str = "") -> list[str]:
    """What an occurrence of an image is counted under: its URL and, where known, its content."""
    return [f"{kind} {value}" for kind, value in (("url", url), ("sha256", sha256)) if value]


def image_key(url: str) -> bytes:
    """Digest of 16 bytes of an image's URL key."""
    return _digest(url_key(url))


def image_set_key(urls: Iterable[str]) -> bytes:
    """Digest of 16 bytes of the set of URLs, whatever their order and number; b"" for none."""
    keys = sorted({url_key(url) for url in urls})
    return _digest("\n".join(keys)) if keys else b""


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
