"""Images that a corpus repeats: logos, buttons, adverts and placeholders.

OBELICS (Laurençon et al., 2023, arXiv:2306.16527) drops images whose URL occurs more than ten
times in the whole set, and all but one of the documents that have the same set of image URLs. One
picture under many URLs is found by its content's hash, in the images job.
"""

import hashlib
from collections.abc import Iterable

from openm3w.filters.url import url_key


def image_key(url: str) -> bytes:
    """Digest of 16 bytes of an image's URL key."""
    return _digest(url_key(url))


def image_set_key(urls: Iterable[str]) -> bytes:
    """Digest of 16 bytes of the set of URLs, whatever their order and number; b"" for none."""
    keys = sorted({url_key(url) for url in urls})
    return _digest("\n".join(keys)) if keys else b""


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=16).digest()
