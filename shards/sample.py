"""Document and image bytes <-> the members of one tar sample. See docs/shard-format.md.

Interleaved samples have parallel `texts` and `images` lists, exactly one not null at each index
(the OBELICS form), `images[i]` being the full member name. Caption samples follow img2dataset's
member convention, text samples are a `.txt` beside a `.json`. Keys hold no dot, so that every
loader splits `key.000.jpg` at the same place.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from openm3w.errors import ShardError
from openm3w.shards.captioned import IMAGE_SUFFIXES, decode_caption, encode_caption
from openm3w.shards.document import (
    Document,
    Image,
    ImageContent,
    Provenance,
    Signals,
    Span,
    Text,
)
from openm3w.shards.members import dump, load, member, plain, utf8
from openm3w.shards.typed import make

Kind = Literal["interleaved", "caption", "text"]
KINDS: tuple[Kind, ...] = ("interleaved", "caption", "text")

IMAGE_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")
"""What images may be, by Pillow's names; its other decoders (EPS, PSD, FITS, ...) have a record of
holes. Shards hold JPEGs, those of others and exported originals the rest too."""

KEY = re.compile(r"[0-9a-z][0-9a-z_-]{0,79}")
"""What a key may be; no dot, where loaders split, and short enough for a tar header's 100 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A document with the encoded bytes of its images, in the order of `document.images`."""

    key: str
    document: Document
    images: tuple[bytes, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Of a caption sample: columns of its table, and `sha256` of the image as it was fetched."""


def image_member(key: str, index: int) -> str:
    """Name of the `index`-th image of an interleaved sample."""
    return f"{key}.{index:03d}.jpg"


def document_to_json(
    document: Document, image_names: Sequence[str] | None = None
) -> dict[str, Any]:
    """The JSON form of a document; images are named by URL unless `image_names` is given."""
    texts: list[str | None] = []
    images: list[str | None] = []
    metadata: list[dict[str, Any] | None] = []
    seen = 0
    for span in document.spans:
        if isinstance(span, Text):
            texts.append(span.text)
            images.append(None)
            metadata.append(None)
            continue
        texts.append(None)
        images.append(span.url if image_names is None else image_names[seen])
        metadata.append(plain(span))
        seen += 1
    return {
        "texts": texts,
        "images": images,
        "image_metadata": metadata,
        "metadata": {
            "url": document.url,
            "doc_id": document.doc_id,
            "title": document.title,
            "provenance": plain(document.provenance),
            "signals": plain(document.signals),
            "scores": dict(document.scores),
            **({"dropped": document.dropped} if document.dropped else {}),
        },
    }


def document_from_json(value: Mapping[str, Any]) -> Document:
    """The inverse of `document_to_json`.

    Raises:
        ShardError: the lists are not parallel, or a field is missing.
    """
    try:
        rows = zip(value["texts"], value["images"], value["image_metadata"], strict=True)
        spans = tuple(_span(text, image, about) for text, image, about in rows)
        about_page = value["metadata"]
        about = {name: about_page[name] for name in ("doc_id", "url", "title", "scores")}
        about["dropped"] = about_page.get("dropped", "")
        provenance = make(Provenance, about_page["provenance"])
        signals = make(Signals, about_page["signals"])
        return make(
            Document, {**about, "spans": spans, "provenance": provenance, "signals": signals}
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ShardError(
            f"sample json is not a document: {error!r}; see docs/shard-format.md"
        ) from error


def encode_sample(sample: Sample, kind: Kind) -> list[tuple[str, bytes]]:
    """Member names and bytes of a sample, in the order in which they stand in the tar.

    Raises:
        ValueError: the key is not well formed, or images and their bytes do not match.
    """
    key, document = sample.key, sample.document
    if not KEY.fullmatch(key):
        raise ValueError(f"{key!r} is no key: lower-case letters, digits, - and _, at most 80")
    if kind == "text":
        text = "\n\n".join(document.texts)
        about = document_to_json(document)["metadata"]
        return [(f"{key}.json", dump(about)), (f"{key}.txt", utf8(text))]
    if len(sample.images) != len(document.images):
        raise ValueError(
            f"{key}: {len(document.images)} images in the document, bytes of {len(sample.images)}"
        )
    if kind == "caption":
        return encode_caption(key, document, sample.images[0], sample.extra)
    names = [image_member(key, i) for i in range(len(sample.images))]
    head = (f"{key}.json", dump(document_to_json(document, names)))
    return [head, *zip(names, sample.images, strict=True)]


def decode_sample(key: str, members: Mapping[str, bytes], kind: Kind) -> Sample:
    """The inverse of `encode_sample`; `members` is keyed by what follows `key` and the dot.

    Raises:
        ShardError: a member is missing or does not decode; the message begins with the key.
    """
    # Others' captions are often a .txt without more; ours always have a .json.
    about = load(key, members) if kind != "caption" or "json" in members else {}
    try:
        return _decode_members(key, members, about, kind)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ShardError(f"sample {key}: not a {kind} sample: {error!r}") from error


def decode_document(key: str, members: Mapping[str, bytes], kind: Kind) -> Document:
    """The document alone; of image members only the names are looked at.

    Raises:
        ShardError: as `decode_sample`.
    """
    if kind != "interleaved":
        return decode_sample(key, members, kind).document
    try:
        return document_from_json(load(key, members))
    except ShardError as error:
        raise ShardError(
            f"sample {key}: {error}".replace(f"sample {key}: sample", "sample")
        ) from error


def caption_document(doc_id: str, image: Image, caption: str, **about: Any) -> Document:
    """A caption pair as a document: the image, then its caption."""
    return Document(doc_id=doc_id, spans=(image, Text(text=caption)), **about)


def _decode_members(
    key: str, members: Mapping[str, bytes], about: Mapping[str, Any], kind: Kind
) -> Sample:
    if kind == "text":
        text = member(key, members, "txt").decode()
        return Sample(key=key, document=_text_document(key, about, text))
    if kind == "caption":
        document, data, extra = decode_caption(key, members, about)
        return Sample(key=key, document=document, images=(data,), extra=extra)
    try:
        document = document_from_json(about)
    except ShardError as error:
        raise ShardError(f"sample {key}: {error}") from error
    names = [name for name in about["images"] if name is not None]
    named = [name.removeprefix(f"{key}.") for name in names]
    images = tuple(member(key, members, suffix) for suffix in named)
    known = {*named, "json"}
    for suffix in members:
        if suffix not in known and suffix.rpartition(".")[2] in IMAGE_SUFFIXES:
            raise ShardError(f"sample {key}: the image {key}.{suffix} is not named by its .json")
    return Sample(key=key, document=document, images=images)


def _text_document(key: str, about: Mapping[str, Any], text: str) -> Document:
    fields = {name: about[name] for name in ("url", "title", "scores") if name in about}
    return make(
        Document,
        {
            **fields,
            "doc_id": about.get("doc_id", key),
            "spans": (Text(text=text),) if text else (),
            "provenance": make(Provenance, about.get("provenance", {})),
            "signals": make(Signals, about.get("signals", {})),
        },
    )


def _span(text: str | None, image: str | None, about: Mapping[str, Any] | None) -> Span:
    if (text is None) == (image is None):
        raise ValueError("texts and images must have exactly one not null at each index")
    if not isinstance(text if image is None else image, str):
        raise TypeError("an entry of texts or images is not a string")
    if text is not None:
        return Text(text=text)
    fields = dict(about or {})
    content = fields.pop("content", None)
    return make(Image, {**fields, "content": make(ImageContent, content) if content else None})
