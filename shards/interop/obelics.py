"""OBELICS: Parquet with parallel lists, images by address.

Fields by the dataset card of HuggingFaceM4/OBELICS (2023-08): `images` and `texts`, lists of one
length with exactly one not null at each index; `metadata`, a JSON list with an object for each
image; `general_metadata`, a JSON object with the page's `url` and its WARC record.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from openm3w.shards.document import Document, Image, Provenance, Span, Text
from openm3w.shards.interop import carried, tables
from openm3w.shards.interop.rows import (
    Found,
    Picture,
    Row,
    decoded,
    each,
    entries,
    mapping,
    parallel,
    pixels,
    text,
    whole,
)
from openm3w.shards.interop.sources import Source
from openm3w.shards.interop.writing import Done, Part, image_name, image_tar
from openm3w.shards.members import dump
from openm3w.shards.sample import Sample

COLUMNS = ("images", "metadata", "general_metadata", "texts")
_SCHEMA = (
    ("images", "list<string>"),
    ("metadata", "string"),
    ("general_metadata", "string"),
    ("texts", "list<string>"),
)
_CRAWL = re.compile(r"CC-MAIN-\d{4}-\d{2}")
_WORD_ENDS = re.compile(r"[\W_]+")


def read(source: Source) -> Iterator[Found]:
    """The rows of a table, Parquet or JSON lines."""
    return convert(tables.read(source.path, COLUMNS))


def convert(values: tables.Rows) -> Iterator[Found]:
    """What a table's rows come to."""
    return each(values, _row)


def write(part: Part) -> Done:
    """`data/<stem>.parquet`, and the images in `images/<stem>.tar`."""
    return write_beside(part, _SCHEMA, _value)


def write_beside(
    part: Part, schema: Sequence[tuple[str, str]], value: Callable[[Sample], Mapping[str, Any]]
) -> Done:
    """A table with a row by `value` for each sample, and their images in a tar beside it."""
    url, kept = f"data/{part.stem}.parquet", 0

    def values() -> Iterator[Mapping[str, Any]]:
        nonlocal kept
        for sample in part.samples:
            kept += 1
            add_images(sample, add)
            yield value(sample)

    with image_tar(part) as add:
        tables.write_parquet(part.root / url, schema, values())
    return Done(split=part.split, url=url, kept=kept, dropped={})


def add_images(sample: Sample, add: Any) -> None:
    """Adds the images of a sample to the tar beside a table."""
    for index, (image, data) in enumerate(zip(sample.document.images, sample.images, strict=True)):
        add(image_name(sample, index), image, data)


def lists(document: Document) -> tuple[list[str | None], list[str | None]]:
    """`texts` and `images`, images by address."""
    texts = [span.text if isinstance(span, Text) else None for span in document.spans]
    images = [span.url if isinstance(span, Image) else None for span in document.spans]
    return texts, images


def image_entries(document: Document) -> list[dict[str, Any] | None]:
    """`metadata`: an object for each image, null for each text."""
    return [
        _image_entry(document, span) if isinstance(span, Image) else None for span in document.spans
    ]


def spans(
    texts: Any, images: Any, about: Sequence[Mapping[str, Any]]
) -> tuple[tuple[Span, ...], tuple[Picture, ...]]:
    """The inverse of `lists` and `image_entries`.

    Raises:
        MalformedError: the lists are not parallel, or a field is of another type.
    """
    made: list[Span] = []
    pictures: list[Picture] = []
    for (words, address), entry in zip(parallel(texts, images), about, strict=True):
        if words is not None:
            made.append(Text(text=words))
            continue
        alt = entry.get("alt_text")
        image = carried.image(
            entry.get(carried.FIELD),
            url=address,
            alt=alt if isinstance(alt, str) else None,
            declared_width=pixels(entry.get("rendered_width")) or None,
            declared_height=pixels(entry.get("rendered_height")) or None,
        )
        made.append(image)
        pictures.append(
            Picture(
                names=carried.names(image),
                original_width=pixels(entry.get("original_width")),
                original_height=pixels(entry.get("original_height")),
            )
        )
    return tuple(made), tuple(pictures)


def _row(value: Mapping[str, Any]) -> Row:
    texts, images = value["texts"], value["images"]
    general = mapping(decoded(value.get("general_metadata")))
    count = len(images) if isinstance(images, list) else 0
    made, pictures = spans(texts, images, entries(decoded(value.get("metadata")), count))
    warc = text(general.get("warc_filename"))
    crawl = _CRAWL.search(warc)
    document = carried.document(
        general.get(carried.FIELD),
        made,
        url=text(general.get("url")),
        provenance=Provenance(
            source=warc,
            offset=whole(general.get("warc_record_offset")),
            length=whole(general.get("warc_record_length")),
            crawl=crawl[0] if crawl else "",
        ),
    )
    return Row(document=document, pictures=pictures)


def _value(sample: Sample) -> dict[str, Any]:
    document = sample.document
    texts, images = lists(document)
    general = {
        "url": document.url,
        "warc_filename": document.provenance.source,
        "warc_record_offset": document.provenance.offset,
        "warc_record_length": document.provenance.length,
        carried.FIELD: carried.of_document(document),
    }
    return {
        "images": images,
        "metadata": dump_text(image_entries(document)),
        "general_metadata": dump_text(general),
        "texts": texts,
    }


def dump_text(value: Any) -> str:
    """A value as JSON in a column of text."""
    return dump(value).decode()


def _image_entry(document: Document, image: Image) -> dict[str, Any]:
    content = image.content
    return {
        "document_url": document.url,
        "unformatted_src": image.url,
        "src": image.url,
        "formatted_filename": _file_words(image.url),
        "alt_text": image.alt,
        "rendered_width": image.declared_width,
        "rendered_height": image.declared_height,
        "original_width": content.original_width if content else None,
        "original_height": content.original_height if content else None,
        "format": content.original_format if content else "",
        carried.FIELD: carried.of_image(image),
    }


def _file_words(url: str) -> str:
    """The words in the name of a file: `a-red_tram.jpg` is `a red tram`."""
    try:
        name = unquote(urlsplit(url).path).rpartition("/")[2]
    except ValueError:
        return ""
    return _WORD_ENDS.sub(" ", name.rpartition(".")[0] or name).strip()
