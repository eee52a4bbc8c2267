"""What a page says about itself as a whole: its title, base, share image, opt-outs and licences."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from openm3w.pipeline.extraction.attributes import attributes, decode_text
from openm3w.pipeline.extraction.boxes import Layout
from openm3w.pipeline.extraction.licences import find_licences
from openm3w.pipeline.extraction.spacing import one_line
from openm3w.pipeline.extraction.urls import resolve_url

MAX_BASE_CHARS: Final = 500
"""Of a base address: it is part of all that the page names."""

_OPT_OUT_NAME: Final = re.compile(
    # All that is called a bot, and crawlers that are not: Google-Extended, anthropic-ai, Slurp.
    r"robots|[\w-]{0,40}bot|[\w-]{1,40}-extended|anthropic-ai|cohere-ai|slurp|openm3w"
    r"|tdm-reservation|tdm-policy|content-usage",
    re.ASCII,
)
_TELLING: Final = (
    *("og:title", "og:image", "twitter:image", "bot", "tdm-", "usage", "licen", "right"),
    *("-ai", "-extended", "slurp", "openm3w"),
)
"""Metas without any of these say nothing that is asked here, and most are."""

_SHARE_IMAGES: Final = ("og:image", "og:image:url", "og:image:secure_url", "twitter:image")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Facts of a page's head."""

    title: str
    """The page's name as it wants to be shared, else its title element."""
    base: str
    """What relative addresses are resolved against: the first `<base href>`, else the page."""
    opt_out: tuple[str, ...]
    """Raw signals for robots and text mining as `meta robots: noai`, in the page's order."""
    licences: tuple[str, ...]
    """Absolute http(s) URLs, wherever the page names a licence."""
    share_images: tuple[str, ...]
    """Absolute http(s) URLs of og:image and its kin."""


def read_head(layout: Layout, html: str, url: str) -> Head:
    """What the elements say that hold no text; `html` is the page that was laid out."""
    found = [
        (tag, attributes(written))
        for tag, written in layout.head
        if tag not in ("meta", "link") or _is_telling(tag, written.lower())
    ]
    base = _base(found, url)
    metas = [
        (_name(element), element.get("content", "")) for tag, element in found if tag == "meta"
    ]
    shared = next((one_line(text) for name, text in metas if name == "og:title"), "")
    opt_out = (
        f"meta {name}: {' '.join(value.split())}"
        for name, value in metas
        if _OPT_OUT_NAME.fullmatch(name)
    )
    return Head(
        title=shared or one_line(decode_text(layout.title)),
        base=base,
        opt_out=tuple(dict.fromkeys(opt_out)),
        licences=find_licences(found, html, base),
        share_images=tuple(dict.fromkeys(_share_images(metas, base))),
    )


def _is_telling(tag: str, written: str) -> bool:
    if tag == "link":  # of which there are many, and which are asked for licences alone
        return "licen" in written
    return any(word in written for word in _TELLING)


def _name(meta: dict[str, str]) -> str:
    return (
        (meta.get("property") or meta.get("name") or meta.get("http-equiv") or "").strip().lower()
    )


def _base(found: list[tuple[str, dict[str, str]]], url: str) -> str:
    """What addresses are relative to; browsers ignore a base that none can be relative to."""
    for tag, element in found:
        if tag == "base" and "href" in element:
            href = element["href"]
            return (resolve_url(url, href)[0] if len(href) <= MAX_BASE_CHARS else "") or url
    return url


def _share_images(metas: list[tuple[str, str]], base: str) -> Iterator[str]:
    for wanted in _SHARE_IMAGES:
        for name, value in metas:
            if name == wanted and (address := resolve_url(base, value)[0]):
                yield address
