"""A document in the parts that its page shows: strings to be read, and addresses to be opened.

Every string of the web passes `openm3w.shards.terminal.clean`, as in a terminal: characters that
hide, or turn the reading around, deceive a reader of a page as well. Templates escape what is here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from openm3w.shards.catalog.numbered import Shown
from openm3w.shards.document import Document, Image, Provenance, Text
from openm3w.shards.serve.site import Collection
from openm3w.shards.terminal import clean, clean_line, counted
from openm3w.shards.view.rendering import paragraphs

_KEY = 12
"""Characters of a key that tell documents apart for a reader."""

EXCERPT = 220
"""Characters of a text on a card: about four lines."""

_SIMILAR = "similarity"
"""In the name of each score of image and text."""

_OPENED = frozenset({"http", "https"})
_URL = re.compile(r"[!-~\u00a1-\U0010ffff]+")
"""No white space and no control character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An address of the web as it is shown, and as it may be opened."""

    text: str
    href: str
    """"" where it may not be opened: another scheme, or not well formed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A document in a list."""

    number: int
    """From 0."""
    key: str
    title: str
    place: str
    """Domain, language and what else tells documents apart."""
    excerpt: str
    picture: str
    """Address of its first picture, "" where there is none."""
    count: str
    similarity: float | None
    dropped: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """Text as it stands; line breaks are kept."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image at its place, and what is known of it."""

    number: int
    """In the document, from 1."""
    src: str
    alt: str
    caption: str
    title: str
    url: Link
    size: tuple[int, int] | None
    """Pixels as stored; None where they are not known."""
    facts: tuple[tuple[str, str], ...]
    scores: tuple[tuple[str, str], ...]
    matched: tuple[str, str] | None
    """Where the text stands that its similarity is of, and that text."""


def link(url: str) -> Link:
    """An address; it opens only as http or https, and only where it is what it is shown as."""
    shown = clean_line(url)
    try:
        parts = urlsplit(url)
        right = parts.scheme.lower() in _OPENED and bool(parts.hostname)
    except ValueError:
        right = False
    return Link(text=shown, href=url if right and shown == url and _URL.fullmatch(url) else "")


def picture_path(collection: Collection, number: int, image: int) -> str:
    """Where the bytes of a document's image are; both are counted from 0."""
    return f"/pictures/{collection.name}/{number}/{image}"


def card(collection: Collection, shown: Shown) -> Card:
    """A document for a list."""
    document, number = shown.sample.document, shown.number - 1
    text = excerpt(document)
    similar = [i.scores["similarity"] for i in document.images if "similarity" in i.scores]
    return Card(
        number=number,
        key=clean_line(shown.sample.key),
        title=clean_line(document.title),
        place=" · ".join(_place(document)),
        excerpt=text,
        picture=picture_path(collection, number, 0) if shown.sample.images else "",
        count=counted(len(document.images), "picture"),
        similarity=max(similar, default=None),
        dropped=clean_line(document.dropped),
    )


def excerpt(document: Document) -> str:
    """How a document begins, behind a heading that only says its title again."""
    parts = [clean_line(text[: 4 * EXCERPT]) for text in document.texts[:4]]
    first, _, rest = (
        clean(document.texts[0])[: 4 * EXCERPT].partition("\n") if parts else ("", "", "")
    )
    if first.strip() and clean_line(document.title).startswith(first.strip()):
        parts[0] = clean_line(rest)
    text = " ".join(part for part in parts if part)
    return text if len(text) <= EXCERPT else f"{text[:EXCERPT].rsplit(' ', 1)[0]} …"


def title_of(shown: Shown) -> str:
    """The title, or what a document without one is called."""
    document = shown.sample.document
    return clean_line(document.title) or (
        clean_line(document.url) or f"{shown.kind} {clean_line(shown.sample.key)[:_KEY]}"
    )


def blocks(collection: Collection, shown: Shown) -> Iterator[Paragraph | Picture]:
    """Text and pictures in reading order."""
    number = 0
    for span in shown.sample.document.spans:
        if isinstance(span, Text):
            for paragraph in paragraphs(span.text):
                yield Paragraph(text=paragraph)
            continue
        yield _picture(collection, shown, span, number)
        number += 1


def about(shown: Shown) -> list[tuple[str, str]]:
    """Where a document comes from and what it says of itself: names and values."""
    sample, document = shown.sample, shown.sample.document
    at, signals = document.provenance, document.signals
    rows = [
        ("dropped", document.dropped),
        ("dataset", f"{shown.dataset} ({shown.kind}, {shown.split})"),
        ("key", sample.key),
        ("archive", _record(at)),
        ("record", at.record_id),
        ("part", at.part),
        ("crawl", at.crawl),
        ("fetched", at.fetched),
        ("language", _language(document)),
        ("charset", signals.charset),
        ("text", f"{document.num_characters:,} characters"),
        ("opt-out", ", ".join(signals.opt_out)),
        ("licences", ", ".join(signals.licences)),
        *((name, str(value)) for name, value in sample.extra.items()),
    ]
    return [(clean_line(name), clean_line(value)) for name, value in rows if value]


def scores(values: Mapping[str, float]) -> tuple[tuple[str, str], ...]:
    """Names and numbers: whole ones, as counts are, without decimals."""
    return tuple((clean_line(name), number(value)) for name, value in values.items())


def number(value: float) -> str:
    """A number as a person reads it: `12,345`, `0.2513`."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:,.4g}"


def pretty(text: str, most: int) -> tuple[str, bool]:
    """JSON to be read, cleaned line by line, and whether it was cut after `most` characters."""
    cleaned = clean(text[:most])
    return cleaned, len(text) > most


def _place(document: Document) -> Iterator[str]:
    images = document.images
    url = document.url or (images[0].url if images else "")
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    parts = (host.removeprefix("www."), document.signals.language, document.provenance.part)
    return (clean_line(part) for part in parts if part)


def _record(at: Provenance) -> str:
    length = f", {at.length:,} bytes" if at.length else ""
    return f"{at.source} at {at.offset:,}{length}" if at.source else ""


def _language(document: Document) -> str:
    signals = document.signals
    return f"{signals.language} ({signals.language_score:.2f})" if signals.language else ""


def _picture(collection: Collection, shown: Shown, image: Image, at: int) -> Picture:
    content = image.content
    there = at < len(shown.sample.images)
    return Picture(
        number=at + 1,
        src=picture_path(collection, shown.number - 1, at) if there else "",
        alt=clean_line(image.alt),
        caption=clean_line(image.caption),
        title=clean_line(image.title),
        url=link(image.url),
        size=(content.width, content.height)
        if content and content.width and content.height
        else None,
        facts=tuple(_facts(image)),
        # What it is about before what it looks like.
        scores=scores(dict(sorted(image.scores.items(), key=lambda item: _SIMILAR not in item[0]))),
        matched=_matched(image),
    )


def _matched(image: Image) -> tuple[str, str] | None:
    text = clean_line(image.matched_text)
    return (clean_line(image.matched_from), text) if text else None


def _facts(image: Image) -> Iterator[tuple[str, str]]:
    content = image.content
    if content is not None:
        if content.width and content.height:
            yield "stored", f"{content.width:,} x {content.height:,}"
        original = (content.original_width, content.original_height)
        if all(original) and original != (content.width, content.height):
            yield (
                "original",
                f"{original[0]:,} x {original[1]:,} {content.original_format}".rstrip(),
            )
        if content.num_bytes:
            yield "bytes", f"{content.num_bytes:,}"
        for name, value in (("sha256", content.sha256), ("phash", content.phash)):
            if value:
                yield name, clean_line(value)
    if image.role != "content":
        yield "role", clean_line(image.role)
    if image.declared_width or image.declared_height:
        yield "declared", f"{image.declared_width or '?'} x {image.declared_height or '?'}"
