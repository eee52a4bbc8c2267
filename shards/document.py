"""The one element type: a page, a caption pair or a text, as spans in reading order.

A `Document` is made by extraction and stays one until the trainer's tokeniser. It is frozen: a
step that changes it makes a new one with `dataclasses.replace`. Image bytes are never part of
it; they travel beside it (`openm3w.shards.sample.Sample`) or stay in a pack.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

Role = Literal["content", "lead", "og"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A run of text; paragraphs inside it are separated by a blank line."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageContent:
    """What is known of an image once its bytes were decoded and encoded again."""

    sha256: str
    """Hex digest of the stored bytes."""
    width: int
    """Pixels, as stored."""
    height: int
    original_width: int
    """Pixels, as decoded and turned upright."""
    original_height: int
    num_bytes: int
    """Size of the stored bytes."""
    original_format: str = ""
    """What the fetched bytes were: `jpeg`, `png`, `webp`, ...; "" where nobody noted it."""
    phash: str = ""
    """64-bit perceptual hash as 16 hex digits, compared by Hamming distance; "" where none was
    made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image at its place in the text, as the page names it."""

    url: str
    """Absolute http(s) URL that should be fetched; "" where the source gave no URL."""
    candidates: tuple[str, ...] = ()
    """Every absolute URL that the element names, `url` among them, in the page's order."""
    role: Role = "content"
    """`content`, or `lead` and `og` for images outside the content region."""
    alt: str = ""
    title: str = ""
    caption: str = ""
    """Text of the figure's caption."""
    declared_width: int | None = None
    """Pixels by the page's markup, before any fetch."""
    declared_height: int | None = None
    content: ImageContent | None = None
    """Set where the image was fetched and kept."""
    scores: Mapping[str, float] = field(default_factory=dict)
    """By name, as `similarity`; see the manifest's `models` for what made them."""
    matched_text: str = ""
    """The window of text that `similarity` is of: the one that is most like the image."""
    matched_from: str = ""
    """Where that stood: `before` or `after` the image, or in its `alt`, `title` or `caption`."""


Span = Text | Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a document comes from; never a path of the machine that made it."""

    source: str = ""
    """Archive or table name, relative to the input that the user named."""
    record_id: str = ""
    """WARC-Record-ID, where there is one."""
    offset: int = 0
    """Byte offset of the record in `source`; the row number for tables."""
    length: int = 0
    """Bytes of the record in `source`, compressed as stored."""
    crawl: str = ""
    fetched: str = ""
    """WARC-Date: ISO 8601, UTC."""
    part: str = ""
    """Which named part of a collection it belongs to, as `Wikipedia (en)` of the Pile's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What the page and its headers say about themselves."""

    language: str = ""
    """ISO 639-1 code, or "" where none was found."""
    language_score: float = 0.0
    """Confidence of the language model, 0 to 1."""
    charset: str = ""
    opt_out: tuple[str, ...] = ()
    """Raw signals as `x-robots-tag: noai`, all recorded; the policy decides."""
    licences: tuple[str, ...] = ()
    """URLs of licences that the page names: links, metas, microdata, RDFa, JSON-LD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Text and images in reading order: the order is the product."""

    doc_id: str
    """32 lower-case hex digits."""
    url: str = ""
    title: str = ""
    spans: tuple[Span, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)
    signals: Signals = field(default_factory=Signals)
    scores: Mapping[str, float] = field(default_factory=dict)
    dropped: str = ""
    """Job and reason, as `shards: too_few_images`, of a document that a build left out and shows
    as an example; "" of what is kept."""

    @property
    def images(self) -> tuple[Image, ...]:
        return tuple(span for span in self.spans if isinstance(span, Image))

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(span.text for span in self.spans if isinstance(span, Text))

    @property
    def num_characters(self) -> int:
        return sum(len(text) for text in self.texts)

    def with_images(self, images: Iterable[Image]) -> "Document":
        """The document with these images in the places of its own, as many and in their order."""
        rest = iter(images)
        spans = tuple(next(rest) if isinstance(span, Image) else span for span in self.spans)
        return replace(self, spans=spans)


def make_doc_id(record_id: str, source: str = "", offset: int = 0) -> str:
    """128-bit hex of the WARC record id, else of source name and offset.

    The source is a name relative to the user's input, so that equal input in another folder
    gives equal ids.
    """
    name = record_id or f"{source}\n{offset}"
    # File names are bytes, and Python holds what is not UTF-8 of them as halves of surrogate pairs.
    return hashlib.blake2b(name.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
