"""`[pages]`: which pages by their address."""

from dataclasses import dataclass, replace
from pathlib import Path

from openm3w.filters.lists import Kind, content_digest, load
from openm3w.filters.pages import Allowed, DeniedDomain, DeniedToken, DeniedUrl, UrlFilter
from openm3w.filters.verdict import KEEP, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRules:
    """Lists of pages, by paths of files or of folders as UT1's; see `openm3w.filters.pages`.

    A relative path is one from where the command runs. What is denied is dropped also where it is
    allowed. A profile holds the paths and never what the lists say.
    """

    allow_domains: tuple[str, ...] = ()
    """Where one is named, pages that no list allows are dropped."""
    allow_urls: tuple[str, ...] = ()
    deny_domains: tuple[str, ...] = ()
    deny_urls: tuple[str, ...] = ()
    deny_tokens: tuple[str, ...] = ()
    """Words of the URL."""

    def __post_init__(self) -> None:
        self.filters()

    def filters(self) -> tuple[UrlFilter, ...]:
        """Those that can drop a page."""
        every: tuple[tuple[UrlFilter, bool], ...] = (
            (
                Allowed(domains=self.allow_domains, urls=self.allow_urls),
                bool(self.allow_domains or self.allow_urls),
            ),
            (DeniedDomain(lists=self.deny_domains), bool(self.deny_domains)),
            (DeniedUrl(lists=self.deny_urls), bool(self.deny_urls)),
            (DeniedToken(tokens=self.deny_tokens), bool(self.deny_tokens)),
        )
        return tuple(page_filter for page_filter, can_drop in every if can_drop)

    def judge(self, url: str) -> Verdict:
        """The decision of all of them, before there is a document."""
        for page_filter in self.filters():
            if not (verdict := page_filter.judge(url)):
                return verdict
        return KEEP

    def implies(self, other: "PageRules") -> bool:
        """Whether the lists named alone say that this drops whatever `other` drops."""
        denials = ("deny_domains", "deny_urls", "deny_tokens")
        allowed = [(r.allow_domains, r.allow_urls) for r in (other, self)]
        return allowed[0] in (((), ()), allowed[1]) and all(
            set(getattr(other, name)) <= set(getattr(self, name)) for name in denials
        )

    def absolute(self, folder: Path) -> "PageRules":
        """The rules with their relative paths taken from `folder`, wherever they are asked."""
        found = {
            name: tuple(str((folder / path).resolve()) for path in getattr(self, name))
            for name in ("allow_domains", "allow_urls", "deny_domains", "deny_urls")
        }
        return replace(self, **found)

    def contents(self) -> dict[str, tuple[str, ...]]:
        """The rules with digests of the lists' contents in the place of their paths.

        Raises:
            InputError: a list is not there, or an entry of it is no domain or URL.
        """
        kinds: dict[Kind, dict[str, tuple[str, ...]]] = {
            "domain": {"allow_domains": self.allow_domains, "deny_domains": self.deny_domains},
            "url": {"allow_urls": self.allow_urls, "deny_urls": self.deny_urls},
        }
        found = {"deny_tokens": self.deny_tokens}
        for kind, named in kinds.items():
            for field, paths in named.items():
                found[field] = tuple(_checked(path, kind) for path in paths)
        return found


def _checked(path: str, kind: Kind) -> str:
    load(path, kind)
    return content_digest(path, kind)
