"""What a page writes as an address, to the absolute http(s) URL that would be fetched."""

import re
from itertools import islice
from typing import Final
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

from openm3w.filters.url import ascii_host
from openm3w.pipeline.extraction.reasons import Reason

MAX_URL_CHARS: Final = 8_192
"""Longer addresses are data in disguise; servers refuse them."""

MAX_SRCSET_CHARS: Final = 65_536
MAX_CANDIDATES: Final = 100
"""Addresses of one srcset; real ones have 20 at most."""

_REMOVED: Final = re.compile("[\\t\\n\\r]")
_PLAIN: Final = re.compile(
    r"https?://[a-z0-9-]+(?:\.[a-z0-9-]+)*(?:/(?!\.{0,2}(?:/|\Z|[?#]))[A-Za-z0-9._~!$&'()*+,;=:@%-]*)+"
    r"(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?(?=#|\Z)"
)
"""Most addresses are absolute already, with nothing in them that needs to be encoded."""
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
# Printable ASCII but for what the URL Standard's query and path percent-encode sets name.
_KEPT: Final = "!#$%&'()*+,-./:;=?@[\\]^_|~{}"
_CANDIDATE: Final = re.compile(
    r"[\s,]*(\S.*?)(?: (\d+(?:\.\d+)?)([wx])(?: \d+h)?| \d+h)? ?(?:,(?= )|(?<=[0-9][wxh]),|,?$)"
)


def resolve_url(base: str, address: str) -> tuple[str, Reason | None]:
    """Absolute URL of an address against the page's base, or "" and why there is none.

    As browsers do: RFC 3986 resolution, tabs and line breaks removed, backslashes taken as
    slashes, what is not ASCII percent-encoded as UTF-8 (in host names by IDNA). The fragment
    goes, for it is never sent.
    """
    if len(address) <= MAX_URL_CHARS and (plain := _PLAIN.match(address)):
        return plain[0], None
    address = _REMOVED.sub("", address).strip()
    if not address or address.startswith("#"):
        return "", Reason.NO_URL
    scheme = _SCHEME.match(address)
    if scheme and scheme[1].lower() == "data":
        return "", Reason.DATA_URI
    if scheme and scheme[1].lower() not in ("http", "https"):
        return "", Reason.NOT_HTTP
    if len(address) > MAX_URL_CHARS:
        return "", Reason.NO_URL
    try:
        return _absolute(base, address)
    except ValueError:  # a port that is no number, brackets around no IPv6 address, IDNA
        return "", Reason.NO_URL


def parse_srcset(srcset: str) -> list[tuple[str, float, str]]:
    """Addresses of a srcset with their descriptor as (address, number, "w" | "x").

    Without a descriptor it is 1x. Commas inside an address stay (a candidate ends at a comma
    before white space, or after a descriptor), and so do spaces, which the standard forbids
    and pages use.
    """
    if plain := _plain_srcset(srcset):
        return plain
    text = " ".join(srcset[:MAX_SRCSET_CHARS].split())
    return [
        (found[1], float(found[2] or 1), found[3] or "x")
        for found in islice(_CANDIDATE.finditer(text), MAX_CANDIDATES)
        if found[1] != ","
    ]


def _plain_srcset(srcset: str) -> list[tuple[str, float, str]]:
    """The candidates where all are an address without comma and a whole number; else nothing."""
    found = list[tuple[str, float, str]]()
    for candidate in srcset[:MAX_SRCSET_CHARS].split(",", MAX_CANDIDATES)[:MAX_CANDIDATES]:
        address, _, size = candidate.strip().partition(" ")
        number, unit = size[:-1], size[-1:]
        if not address or unit not in ("w", "x") or not number.isascii() or not number.isdigit():
            return []
        found.append((address, float(number), unit))
    return found


def _absolute(base: str, address: str) -> tuple[str, Reason | None]:
    path, mark, query = address.partition("?")
    parts = urlsplit(urljoin(base, path.replace("\\", "/") + mark + query))
    if parts.scheme not in ("http", "https"):
        return "", Reason.NOT_HTTP
    if not parts.hostname:
        return "", Reason.NO_URL
    user, at, host = parts.netloc.rpartition("@")
    name, colon, port = host.rpartition(":") if parts.port is not None else (host, "", "")
    host = (
        f"{quote(user, safe=_KEPT)}{at}{name if name.isascii() else ascii_host(name)}{colon}{port}"
    )
    if re.search(r"[\s<>\"`{}|^\\]", host):
        return "", Reason.NO_URL
    encoded = (quote(part, safe=_KEPT) for part in (parts.path or "/", parts.query))
    return urlunsplit((parts.scheme, host, *encoded, "")), None
