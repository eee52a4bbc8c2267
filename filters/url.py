"""URLs as keys: one spelling for each address, and the domain that somebody registered."""

import functools
import re
import unicodedata
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_LOOSE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_USER = re.compile(r"^(\s*https?://)[^/?#]*@", re.IGNORECASE)
# Most URLs are in this spelling already, and a run asks for each one's several times.
_PLAIN = re.compile(
    r"https?://[a-z0-9.-]+(?::(?!80/|443/|0)[0-9]{1,5})?/[A-Za-z0-9._~!$&'()*+,;=:@/\[\]-]*"
    r"(?:\?[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]+)?"
)
# RFC 3986's delimiters stand for themselves; escaped ones mean something else and stay escaped.
_DELIMITERS = "!$&'()*+,;=:@/?%[]"


def url_key(url: str) -> str:
    """The canonical spelling of an http(s) URL, for joins; never raises.

    Scheme and host in lower case, the host in its ASCII form, no default port, no fragment,
    escapes as in RFC 3986 section 6.2.2, no dot segments, an empty path as `/`. Anything else,
    and a URL that does not parse, is its own key.
    """
    if _PLAIN.fullmatch(url) and "/." not in url:
        return url
    try:
        parts = urlsplit(url.strip())
        host, port = ascii_host(parts.hostname or ""), parts.port
        path, query = _escaped(parts.path), _escaped(parts.query)
    except ValueError:
        return url
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return url
    place = f"[{host}]" if ":" in host else host
    if port not in (None, _DEFAULT_PORTS[parts.scheme]):
        place = f"{place}:{port}"
    return f"{parts.scheme}://{_user(parts)}{place}{_path(path)}{'?' if query else ''}{query}"


def without_user(url: str) -> str:
    """A URL without the user name and password in it; never raises. A name of a file stays."""
    return _USER.sub(r"\1", url, count=1)


def registered_domain(url: str) -> str:
    """The domain under a public suffix, as `bbc.co.uk`; never raises.

    IP addresses, single labels and bare suffixes are returned as they are; "" for a URL without
    a host. The suffixes are those shipped with tldextract; nothing is downloaded.
    """
    try:
        host = ascii_host(urlsplit(url.strip()).hostname or "")
    except ValueError:
        return ""
    return _domain_of(host.rstrip("."))


def is_public_suffix(domain: str) -> bool:
    """Whether anybody registers domains directly under this one, as under `co.uk`."""
    found = _extractor()(domain)
    return bool(found.suffix) and not found.domain


def ascii_host(host: str) -> str:
    """A host name in lower case with its labels in punycode, as browsers send it.

    Raises:
        ValueError: a label has no punycode form.
    """
    if host.isascii():
        return host.lower()
    folded = unicodedata.normalize("NFKC", host).lower().replace("\u3002", ".")
    # The standard library's "idna" codec is of 2003: it makes one host of two (fass.de and the
    # one with a sharp s), refuses labels that resolve, and rejects long ones.
    return ".".join(
        label if label.isascii() else f"xn--{label.encode('punycode').decode()}"
        for label in folded.split(".")
    )


def _user(parts: SplitResult) -> str:
    before, sign, _ = parts.netloc.rpartition("@")
    return _escaped(before) + sign


def _escaped(text: str) -> str:
    def normal(match: re.Match[str]) -> str:
        byte = int(match[1], 16)
        return chr(byte) if byte in _UNRESERVED else match[0].upper()

    loose = _LOOSE_PERCENT.sub("%25", text)
    return quote(_ESCAPE.sub(normal, loose), safe=_DELIMITERS, errors="surrogatepass")


def _path(path: str) -> str:
    if "/." not in path:
        return path or "/"
    kept: list[str] = []
    *folders, last = path.split("/")[1:]
    for segment in folders:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if last == "..":
        del kept[-1:]
    return "/".join(["", *kept, "" if last in (".", "..") else last])


@functools.lru_cache(maxsize=1)
def _extractor() -> Any:
    from tldextract import TLDExtract

    return TLDExtract(suffix_list_urls=(), cache_dir=None)


@functools.lru_cache(maxsize=1 << 16)
def _domain_of(host: str) -> str:
    if ":" in host:
        return host
    found = _extractor()(host)
    return f"{found.domain}.{found.suffix}" if found.domain and found.suffix else host
