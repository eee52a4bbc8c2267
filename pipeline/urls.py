"""Resolving a reference against its page, as a browser would for http(s)."""

from urllib.parse import urljoin


def join_url(base: str, reference: str) -> str:
    """The absolute URL of `reference` on the page `base`, or "" where there is none (RFC 3986)."""
    try:
        return urljoin(base, reference.strip())
    except ValueError:  # an unparsable authority, as in http://[1
        return ""
