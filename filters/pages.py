"""Choices of pages by their address: lists of domains and URLs, and words of the URL.

Each decides on the URL alone (`judge`), so that a page can be dropped before it is parsed.
"""

from dataclasses import dataclass
from typing import ClassVar

from openm3w.filters.lists import domain_keys, load
from openm3w.filters.registry import register
from openm3w.filters.url import url_key
from openm3w.filters.url_tokens import url_tokens
from openm3w.filters.verdict import KEEP, Verdict, drop
from openm3w.shards.document import Document


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Drops pages that no list of what is wanted names; without a list all are wanted.

    A page passes by its domain or by its URL; see `denied_domain` and `denied_url` for what
    matches.

    Source: none.
    """

    name: ClassVar[str] = "allowed"
    reasons: ClassVar[frozenset[str]] = frozenset({"not_allowed"})

    domains: tuple[str, ...] = ()
    """Paths of lists or hash sets."""
    urls: tuple[str, ...] = ()

    def keep(self, document: Document) -> Verdict:
        return self.judge(document.url)

    def judge(self, url: str) -> Verdict:
        if not self.domains and not self.urls:
            return KEEP
        named = _names_domain(self.domains, url) or _names_url(self.urls, url)
        return KEEP if named else drop("not_allowed")


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class DeniedDomain:
    """Drops pages of listed domains and of everything under them.

    Names are compared in punycode, whole labels at a time: `example.org` names `a.example.org` and
    not `anexample.org`. An IP address names itself.

    Source: RefinedWeb (arXiv:2306.01116) and FineWeb (arXiv:2406.17557) drop UT1's 4.6 million
    domains; the lists are the user's.
    """

    name: ClassVar[str] = "denied_domain"
    reasons: ClassVar[frozenset[str]] = frozenset({"denied_domain"})

    lists: tuple[str, ...] = ()
    """Paths of lists or hash sets."""

    def keep(self, document: Document) -> Verdict:
        return self.judge(document.url)

    def judge(self, url: str) -> Verdict:
        return drop("denied_domain") if _names_domain(self.lists, url) else KEEP


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class DeniedUrl:
    """Drops listed pages, compared by the canonical spelling of their URLs.

    An entry without a scheme, as in UT1's lists, names the http and the https page. Entries are
    whole URLs: a folder's does not name the pages in it.

    Source: RefinedWeb (arXiv:2306.01116), FineWeb (arXiv:2406.17557); the lists are the user's.
    """

    name: ClassVar[str] = "denied_url"
    reasons: ClassVar[frozenset[str]] = frozenset({"denied_url"})

    lists: tuple[str, ...] = ()
    """Paths of lists or hash sets."""

    def keep(self, document: Document) -> Verdict:
        return self.judge(document.url)

    def judge(self, url: str) -> Verdict:
        return drop("denied_url") if _names_url(self.lists, url) else KEEP


@register
@dataclass(frozen=True, slots=True, kw_only=True)
class DeniedToken:
    """Drops pages whose URL has one of these words, as a word of its own.

    Words end at whatever is no letter and where a small letter meets a capital: `sex` names
    `/sex-shop` and `freeSexPictures`, not `Essex` and not `sussex.ac.uk`. Case makes no difference.

    Source: OBELICS (arXiv:2306.16527) drops `porn`, `xxx` and `sex` anywhere in a URL; as words is
    ours.
    """

    name: ClassVar[str] = "denied_token"
    reasons: ClassVar[frozenset[str]] = frozenset({"denied_token"})

    tokens: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for token in self.tokens:
            if not token.isalpha():
                raise ValueError(
                    f"deny_tokens: {token!r} is no word of letters alone, so no URL could have it"
                )

    def keep(self, document: Document) -> Verdict:
        return self.judge(document.url)

    def judge(self, url: str) -> Verdict:
        tokens, lowered = [token.lower() for token in self.tokens], url.lower()
        # What is no part of the URL is no word of it, which spares most the taking apart.
        if url.isascii() and "%" not in url and not any(map(lowered.__contains__, tokens)):
            return KEEP
        return KEEP if url_tokens(url).isdisjoint(tokens) else drop("denied_token")


UrlFilter = Allowed | DeniedDomain | DeniedUrl | DeniedToken
URL_FILTERS = (Allowed, DeniedDomain, DeniedUrl, DeniedToken)


def _names_domain(paths: tuple[str, ...], url: str) -> bool:
    if not paths:
        return False
    keys = domain_keys(url)
    lists = (load(path, "domain") for path in paths)
    return any(key in known for known in lists for key in keys)


def _names_url(paths: tuple[str, ...], url: str) -> bool:
    if not paths:
        return False
    key = url_key(url)
    return any(key in load(path, "url") for path in paths)
