"""Images that a corpus repeats: logos, buttons, adverts and placeholders.

OBELICS (Laurençon et al., 2023, arXiv:2306.16527) drops images whose URL occurs more than ten
times in the whole set. One picture under many URLs is found by its content's hash.
"""

DEFAULT_MAXIMUM = 10
"""Occurrences that an image may have and stay: OBELICS."""


def image_keys(url_key: str, sha256: str = "") -> list[str]:
    """What an occurrence of an image is counted under: its URL and, where known, its content."""
    return [f"{kind} {value}" for kind, value in (("url", url_key), ("sha256", sha256)) if value]
