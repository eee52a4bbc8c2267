"""Keys of exact duplicates, and the order in which the first of a group stays.

A page's URL key is `openm3w.filters.url.url_key`; that of its text is made here.
"""

import hashlib
from collections.abc import Iterable

_BACKWARDS = str.maketrans("0123456789", "9876543210")
_END = "~"  # after every character of a date


def text_key(texts: Iterable[str]) -> str:
    """Digest of the words in lower case, whatever the spacing: 32 hex digits."""
    words = " ".join(" ".join(texts).lower().split())
    return hashlib.blake2b(words.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def latest_first(fetched: str, name: str) -> str:
    """A string that sorts captures by date, the latest first, and those of one date by name.

    `fetched` is a WARC-Date (ISO 8601, UTC, to the second or finer), or "" for one that is not
    known, which comes last.
    """
    # With the mark behind it a longer date, one with a fraction of the second, sorts first.
    return f"{fetched.removesuffix('Z').translate(_BACKWARDS)}{_END} {name}"


def name_of(order: str) -> str:
    """The name in what `latest_first` made."""
    return order.partition(" ")[2]
