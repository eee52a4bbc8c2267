"""What a URL asks for, taken apart once: whether it may be asked, and where a redirect leads.

Read as browsers do it (WHATWG URL standard), as far as it matters for pictures: what is checked
here is put together again from the parts that were checked, so that nobody reads it differently.
"""

import functools
import re
import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from yarl import URL

from openm3w.filters.url import ascii_host
from openm3w.pipeline.fetch.client.addresses import PRIVATE, refuses

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Statuses whose Location is followed (RFC 9110, section 15.4); 300 and 304 ask for nothing."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_NO_HOST = re.compile(r"https?:///", re.IGNORECASE)
_WHITE = "".join(map(chr, range(0x21)))  # what is taken from either end of a URL
_INNER = re.compile(r"[\t\n\r]")  # and from anywhere

# Escapes stand as they came: a changed one is another resource to many servers, and breaks URLs
# that are signed. Neither part may hold blanks, quotes, angle brackets or a number sign.
_IN_PATH = "!$%&'()*+,/:;=@[]|"
_IN_QUERY = "!$%&()*+,/:;=?@[]\\^`{|}"
_PLAIN_PATH = re.compile(rf"[\w.~\-{re.escape(_IN_PATH)}]*", re.ASCII)
_PLAIN_QUERY = re.compile(rf"[\w.~\-{re.escape(_IN_QUERY)}]*", re.ASCII)

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_-])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_MAX_HOST = 253  # characters, without the last dot: RFC 1035, section 2.3.4
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be asked, or the reason why not."""

    reason: str = ""
    """Of outcomes.REFUSED."""
    url: URL | None = None
    """Without userinfo and fragment."""


@dataclass(frozen=True, slots=True)
class _Lets:
    """Which addresses pass that else do not."""

    allow_private: bool
    nat64: bool


def target(url: str, *, ports: tuple[int, ...], allow_private: bool, nat64: bool = False) -> Target:
    """What is asked of whom; never raises.

    Userinfo and fragment are dropped, what may not stand in a URL is escaped, and everything else
    is asked for as it is spelled. `ports`: the allowed ones; none: all. A host that is an address
    is judged here, as `Limits` says it; names are, when they are looked up.
    """
    url = _cleaned(url)
    if fault := _fault_of_scheme(url):
        return Target(fault)
    lets = _Lets(allow_private=allow_private, nat64=nat64)
    try:
        parts = urlsplit(url)
        reason, host, port = _place(parts.scheme, parts.netloc, lets)
        path, query = _spelled(parts)
    except ValueError:
        return Target("bad_url")
    if not reason and ports and port not in ports:
        reason = "bad_port"
    if reason:
        return Target(reason)
    return Target(
        url=URL.build(
            scheme=parts.scheme,
            host=host,
            port=None if port == _DEFAULT_PORTS[parts.scheme] else port,
            path=path,
            query_string=query,
            encoded=True,
        )
    )


def fault_of_scheme(text: str) -> str:
    """`bad_url` of what begins with no scheme, `bad_scheme` of another than http(s), else ""."""
    return _fault_of_scheme(_cleaned(text))


def redirected(url: str, location: str) -> tuple[str, str]:
    """Where a Location header leads from a URL, and a reason of REFUSED where it must not.

    The address is absolute, without fragment and userinfo. Bytes of the header that are no UTF-8
    are expected as lone surrogates (`surrogateescape`), and come out as escapes of themselves.
    """
    try:
        location = _cleaned(location)
        if _NO_HOST.match(location):
            return "", "bad_url"  # urljoin would put our own host there
        parts = urlsplit(urljoin(_cleaned(url), location))
        if parts.scheme not in _DEFAULT_PORTS:
            return "", "bad_scheme"
        if not parts.hostname:
            return "", "bad_url"
        path, query = _spelled(parts)
    except ValueError:
        return "", "bad_url"
    place = parts.netloc.rpartition("@")[2]
    return SplitResult(parts.scheme, place, path, query, "").geturl(), ""


def _fault_of_scheme(cleaned: str) -> str:
    scheme = _SCHEME.match(cleaned)
    if scheme is None:
        return "bad_url"
    return "" if scheme[1].lower() in _DEFAULT_PORTS else "bad_scheme"


def _cleaned(url: str) -> str:
    url = url.strip(_WHITE)
    if not url.isprintable():
        url = _INNER.sub("", url)
    if "\\" in url:  # stands for a slash before the query
        path, mark, query = url.partition("?")
        url = path.replace("\\", "/") + mark + query
    return url


def _spelled(parts: SplitResult) -> tuple[str, str]:
    """Path and query; raises ValueError for characters that no encoding has."""
    path, query = parts.path or "/", parts.query
    if "/." in path and not path.startswith("//"):
        path = urlsplit(urljoin("http://host", path)).path
    if not _PLAIN_PATH.fullmatch(path):
        path = quote(path, safe=_IN_PATH, errors="surrogateescape")
    if not _PLAIN_QUERY.fullmatch(query):
        query = quote(query, safe=_IN_QUERY, errors="surrogateescape")
    return path, query


@functools.lru_cache(maxsize=1 << 14)
def _place(scheme: str, netloc: str, lets: _Lets) -> tuple[str, str, int]:
    """Reason, host (of IPv6 in brackets) and port; raises ValueError where there is none."""
    parts = urlsplit(f"{scheme}://{netloc}")
    port = _DEFAULT_PORTS[scheme] if parts.port is None else parts.port
    host = ascii_host(parts.hostname or "")
    if ":" in host:
        return _judged(host, lets), f"[{host}]", port
    if not _HOST.fullmatch(host) or len(host.rstrip(".")) > _MAX_HOST:
        return "bad_url", host, port
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return _judged_number(host, lets), host, port
    return "", host, port


def _judged(address: str, lets: _Lets) -> str:
    kind = refuses(address, nat64=lets.nat64)
    if kind == "invalid" or "%" in address:
        return "bad_url"
    return "" if not kind or (lets.allow_private and kind in PRIVATE) else "private_address"


def _judged_number(host: str, lets: _Lets) -> str:
    """Of a host whose last label is a number, which is an IPv4 address or nothing."""
    if refuses(host) != "invalid":
        return _judged(host, lets)
    try:
        address = socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return "bad_url"
    # 127.1, 0x7f000001 and 2130706433 lead where few look. Nobody publishes pictures like that.
    return "private_address" if refuses(address) else "bad_url"
