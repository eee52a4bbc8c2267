"""What a page writes as an address, to the absolute http(s) URL that would be fetched."""

import re
from functools import lru_cache
from ipaddress import IPv6Address
from itertools import islice
from typing import Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from openm3w.filters.url import ascii_host
from openm3w.pipeline.extraction.reasons import Reason

MAX_URL_CHARS: Final = 8_192
"""Longer addresses are data in disguise; servers refuse them."""

MAX_SRCSET_CHARS: Final = 65_536
MAX_CANDIDATES: Final = 100
"""Addresses of one srcset; real ones have 20 at most."""

MAX_HOST_CHARS: Final = 253
"""RFC 1035; what is longer has no address, and punycode takes the square of its time."""

MAX_PORT: Final = 65_535

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_AROUND: Final = "".join(map(chr, range(33)))
_REMOVED: Final = re.compile("[\\t\\n\\r]")
_PLAIN: Final = re.compile(
    r"https?://[a-z0-9-]++(?:\.[a-z0-9-]++)*+"
    r"(?:/(?!(?:\.|%2[eE]){0,2}(?:[/?#]|\Z))[A-Za-z0-9._~!$&'()*+,;=:@%-]*+)++"
    r"(?:\?[A-Za-z0-9._~!$&()*+,;=:@%/?-]*+)?+(?=#|\Z)"
)
"""Most addresses are absolute already, with nothing in them that needs to be encoded."""
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*+):", re.IGNORECASE)
# Printable ASCII but for what the URL Standard's percent-encode sets of each part name.
_PATH_KEPT: Final = "!$%&'()*+,-./:;=@[\\]_|~"
_QUERY_KEPT: Final = "!$%&()*+,-./:;=?@[\\]^_`{|}~"
_NO_HOST: Final = re.compile(r"[\x00-\x20\"#%/:<>?@\[\\\]^`{|}\x7f]")
_CANDIDATE: Final = re.compile(
    r"[\s,]*(\S.*?)(?: (\d+(?:\.\d+)?)([wx])(?: \d+h)?| \d+h)? ?(?:,(?= )|(?<=[0-9][wxh]),|,?$)"
)


def resolve_url(base: str, address: str) -> tuple[str, Reason | None]:
    """Absolute URL of an address against the page's base, or "" and why there is none.

    As browsers do (the WHATWG's URL Standard): tabs and line breaks removed, backslashes taken
    as slashes and any number of them before a host, host names in lower case and by IDNA, no
    default ports, no dot segments, what is not ASCII percent-encoded as UTF-8. The fragment, user
    name and password go, for they are never sent. So one address has one URL.
    """
    if len(address) <= MAX_URL_CHARS and (plain := _PLAIN.match(address)):
        return plain[0], None
    address = _REMOVED.sub("", address.strip(_AROUND))
    if not address or address.startswith("#"):
        return "", Reason.NO_URL
    scheme = _SCHEME.match(address)
    if scheme and scheme[1].lower() == "data":
        return "", Reason.DATA_URI
    if scheme and scheme[1].lower() not in _DEFAULT_PORTS:
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


class _Base(NamedTuple):
    scheme: str
    origin: str
    """With `scheme://`, and without a slash at its end; "" where it has no host."""
    path: str
    query: str
    """With its question mark."""


@lru_cache(maxsize=64)
def _split_base(base: str) -> _Base | None:
    """A base's parts; none where nothing can be relative to it."""
    scheme = _SCHEME.match(base)
    if scheme is None or scheme[1].lower() not in _DEFAULT_PORTS:
        return None
    absolute = resolve_url("", base)[0]
    if not absolute:  # only hosts can follow, as in `https:` and `//b.example/`
        return _Base(scheme[1].lower(), "", "", "")
    parts = urlsplit(absolute)
    origin = f"{parts.scheme}://{parts.netloc}"
    return _Base(parts.scheme, origin, parts.path, "?" * bool(parts.query) + parts.query)


def _absolute(base: str, address: str) -> tuple[str, Reason | None]:
    path, mark, query = address.partition("#")[0].partition("?")
    path = path.replace("\\", "/")
    found = _SCHEME.match(path)
    scheme, rest = (found[1].lower(), path[found.end() :]) if found else ("", path)
    query = mark + quote(query, safe=_QUERY_KEPT)
    # `http:a.jpg` is relative on a page of the same scheme, and names a host on any other.
    around = _split_base(base)
    if around is None and not scheme:
        return "", Reason.NOT_HTTP
    if around is None or scheme not in ("", around.scheme) or rest.startswith("//"):
        host, slash, below = rest.lstrip("/").partition("/")
        scheme = scheme or (around.scheme if around else "")
        return f"{scheme}://{_authority(scheme, host)}{_path(slash + below)}{query}", None
    if not around.origin:
        return "", Reason.NO_URL
    if not rest:
        return f"{around.origin}{around.path}{query or around.query}", None
    folder = "" if rest.startswith("/") else around.path.rpartition("/")[0] + "/"
    return f"{around.origin}{_path(folder + rest)}{query}", None


def _authority(scheme: str, written: str) -> str:
    """Host and port: what a page says of a user is published nowhere, and never sent.

    Raises:
        ValueError: no server can be reached by it.
    """
    place = written.rpartition("@")[2]
    if place.startswith("["):
        literal, bracket, port = place[1:].partition("]")
        host = f"[{IPv6Address(literal).compressed}]"
        if not bracket or "%" in literal or (port and not port.startswith(":")):
            raise ValueError(place)
        port = port[1:]
    else:
        name, _, port = place.partition(":")
        host = _host(name)
    if not port:
        return host
    if not (port.isascii() and port.isdigit()) or int(port) > MAX_PORT:
        raise ValueError(port)
    return host + ("" if int(port) == _DEFAULT_PORTS[scheme] else f":{int(port)}")


def _host(name: str) -> str:
    if len(name) > MAX_HOST_CHARS:
        raise ValueError(name)
    host = ascii_host(unquote(name, errors="strict") if "%" in name else name)
    if not host or _NO_HOST.search(host):
        raise ValueError(name)
    return host


def _path(path: str) -> str:
    """A path without dot segments, encoded."""
    if "/." in path or "/%2" in path:
        kept = list[str]()
        *folders, last = path.split("/")[1:]
        for segment in folders:
            if (dots := _dots(segment)) == "..":
                del kept[-1:]
            elif dots != ".":
                kept.append(segment)
        if (dots := _dots(last)) == "..":
            del kept[-1:]
        path = "/".join(["", *kept, "" if dots else last])
    return quote(path, safe=_PATH_KEPT) or "/"


def _dots(segment: str) -> str:
    """`.` or `..` where a segment of a path means one of them, else nothing."""
    dots = segment.lower().replace("%2e", ".") if len(segment) <= len("%2e%2e") else ""
    return dots if dots in (".", "..") else ""
