"""datatrove: JSON lines of documents with a list of media.

Fields by datatrove 0.10.1 (data.py, pipeline/writers/jsonl.py): `text`, `id`, `media` (each `id`,
`type` where 0 is an image, `url`, `alt`, `path`, `offset`, `length`, `media_bytes` in base64,
`metadata`) and `metadata`. It has no place for where in the text an image stands; our exports note
it in a medium's `metadata` as `text_offset`, the characters of `text` before it, and without that
images follow the text.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openm3w.shards.document import Image, Provenance, Signals, Span, Text
from openm3w.shards.interop import carried, tables
from openm3w.shards.interop.rows import (
    Found,
    MalformedError,
    Picture,
    Row,
    decoded,
    each,
    mapping,
    number,
    text,
)
from openm3w.shards.interop.sources import Source
from openm3w.shards.interop.writing import Done, Part, image_name
from openm3w.shards.sample import Sample

_IMAGE = 0
_OFFSET = "text_offset"
_BETWEEN = "\n\n"
"""Between paragraphs of a text, and so between texts that become one."""


def read(source: Source) -> Iterator[Found]:
    """The lines of a file; also of datatrove's Parquet."""
    return each(tables.read(source.path, ()), _row)


def write(part: Part) -> Done:
    """`<stem>.jsonl`, images inside in base64, as `JsonlWriter(save_media_bytes=True)` does.

    A document without text is left out: datatrove's readers leave it out too.
    """
    url, kept, dropped = f"{part.stem}.jsonl", 0, 0

    def values() -> Iterator[Mapping[str, Any]]:
        nonlocal kept, dropped
        for sample in part.samples:
            if any(sample.document.texts):
                kept += 1
                yield _value(sample, with_bytes=part.with_images)
            else:
                dropped += 1

    tables.write_lines(part.root / url, values())
    return Done(
        split=part.split, url=url, kept=kept, dropped={"no_text": dropped} if dropped else {}
    )


def _row(value: Mapping[str, Any]) -> Row:
    words = value["text"]
    if not isinstance(words, str):
        raise MalformedError("text is no string")
    about = mapping(decoded(value.get("metadata")))
    media = [mapping(it) for it in value.get("media") or () if mapping(it).get("type") == _IMAGE]
    spans, pictures = _spans(words, media)
    document = carried.document(
        decoded(about.get(carried.FIELD)),
        spans,
        url=text(about.get("url")),
        title=text(about.get("title")),
        signals=Signals(
            language=text(about.get("language")),
            language_score=number(about.get("language_score")) or 0.0,
        ),
        provenance=Provenance(fetched=text(about.get("date")), crawl=text(about.get("dump"))),
    )
    return Row(document=document, pictures=pictures, own_id=text(value.get("id")))


def _spans(
    words: str, media: Sequence[Mapping[str, Any]]
) -> tuple[tuple[Span, ...], tuple[Picture, ...]]:
    """Text and images; each image at its offset, or else behind the text, in the list's order."""
    end, before = len(words), 0
    spans: list[Span] = []
    pictures: list[Picture] = []
    for medium in sorted(media, key=lambda it: _offset(it, end)):  # sorting is stable
        offset = _offset(medium, end)
        if offset > before:
            cut = words[before:offset]
            spans.append(Text(text=cut.removesuffix(_BETWEEN) if offset < end else cut))
            before = offset
        image, picture = _image(medium)
        spans.append(image)
        pictures.append(picture)
    if before < end:
        spans.append(Text(text=words[before:]))
    return tuple(spans), tuple(pictures)


def _offset(medium: Mapping[str, Any], end: int) -> int:
    offset = mapping(decoded(medium.get("metadata"))).get(_OFFSET)
    if isinstance(offset, bool) or not isinstance(offset, int):
        return end
    return offset if 0 <= offset <= end else end


def _image(medium: Mapping[str, Any]) -> tuple[Image, Picture]:
    about = mapping(decoded(medium.get("metadata")))
    alt, data = medium.get("alt"), medium.get("media_bytes")
    image = carried.image(
        about.get(carried.FIELD),
        url=text(medium.get("url")),
        alt=alt if isinstance(alt, str) else None,
    )
    if isinstance(data, str):
        try:
            data = base64.b64decode(data, validate=True)
        except binascii.Error as error:
            raise MalformedError(f"media_bytes: {error}") from error
    # With an offset, `path` is a file of datatrove's own store, not of an image.
    path = text(medium.get("path")) if medium.get("offset") is None else ""
    names = carried.names(image, path, text(medium.get("id")))
    return image, Picture(data=data if isinstance(data, bytes) else None, names=names)


def _value(sample: Sample, *, with_bytes: bool) -> dict[str, Any]:
    document = sample.document
    media: list[dict[str, Any]] = []
    words, images = "", zip(document.images, sample.images, strict=True)
    waiting: list[dict[str, Any]] = []
    for span in document.spans:
        if isinstance(span, Image):
            image, data = next(images)
            name = image_name(sample, len(media))
            medium = _medium(name, image, data if with_bytes else None)
            media.append(medium)
            waiting.append(medium)
        elif span.text:
            words += _BETWEEN + span.text if words else span.text
            start = len(words) - len(span.text)
            _place(waiting, start)
            waiting = []
    _place(waiting, len(words))
    return {
        "text": words,
        "id": document.doc_id,
        "media": media,
        "metadata": {
            "url": document.url,
            "title": document.title,
            "date": document.provenance.fetched,
            "dump": document.provenance.crawl,
            "language": document.signals.language,
            "language_score": document.signals.language_score,
            carried.FIELD: carried.of_document(document),
        },
    }


def _place(media: Sequence[dict[str, Any]], offset: int) -> None:
    for medium in media:
        medium["metadata"][_OFFSET] = offset


def _medium(name: str, image: Image, data: bytes | None) -> dict[str, Any]:
    return {
        "id": name,
        "type": _IMAGE,
        "url": image.url,
        "alt": image.alt,
        "path": None,
        "offset": None,
        "length": None,
        "media_bytes": None if data is None else base64.b64encode(data).decode(),
        "metadata": {carried.FIELD: carried.of_image(image)},
    }
