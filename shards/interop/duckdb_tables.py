"""Parquet for SQL: one row a document and one row an image, without the images' bytes.

`SELECT ... FROM 'out/documents/*.parquet'` in DuckDB; every row says where its sample stands, in
which shard and at which place, so that what was found can be read from the shards.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from openm3w.shards.document import Document, Image
from openm3w.shards.interop import tables
from openm3w.shards.interop.writing import Done, Part
from openm3w.shards.sample import Sample

_PROVENANCE = (
    ("source", "string"),
    ("record_id", "string"),
    ("offset", "int64"),
    ("length", "int64"),
    ("crawl", "string"),
    ("fetched", "string"),
    ("part", "string"),
)
DOCUMENTS = (
    ("key", "string"),
    ("split", "string"),
    ("shard", "string"),
    ("number", "int64"),
    ("doc_id", "string"),
    ("url", "string"),
    ("title", "string"),
    ("text", "string"),
    ("characters", "int64"),
    ("images", "int32"),
    ("language", "string"),
    ("language_score", "double"),
    ("charset", "string"),
    ("opt_out", "list<string>"),
    ("licences", "list<string>"),
    *_PROVENANCE,
    ("scores", "scores"),
)
IMAGES = (
    ("key", "string"),
    ("split", "string"),
    ("shard", "string"),
    ("number", "int64"),
    ("image", "int32"),
    ("span", "int32"),
    ("url", "string"),
    ("page_url", "string"),
    ("role", "string"),
    ("alt", "string"),
    ("title", "string"),
    ("caption", "string"),
    ("declared_width", "int32"),
    ("declared_height", "int32"),
    ("sha256", "string"),
    ("width", "int32"),
    ("height", "int32"),
    ("original_width", "int32"),
    ("original_height", "int32"),
    ("num_bytes", "int64"),
    ("original_format", "string"),
    ("phash", "string"),
    ("scores", "scores"),
)
_CONTENT = ("sha256", "width", "height", "original_width", "original_height", "num_bytes",
            "original_format", "phash")  # fmt: skip


def write(part: Part) -> Done:
    """`documents/<stem>.parquet` and `images/<stem>.parquet`; of text without the latter."""
    url, rows = f"documents/{part.stem}.parquet", list[dict[str, Any]]()
    count = 0

    def values() -> Iterator[Mapping[str, Any]]:
        nonlocal count
        for number, sample in part.numbered:
            place = {
                "key": sample.key,
                "split": part.split,
                "shard": part.url,
                "number": number,
            }
            rows.extend({**place, **row} for row in _images(sample))
            count += 1
            yield {**place, **_document(sample.document)}

    tables.write_parquet(part.root / url, DOCUMENTS, values())
    if part.kind != "text":
        # Rows of one shard's images, without bytes, are held: they are written as they were read.
        tables.write_parquet(part.root / "images" / f"{part.stem}.parquet", IMAGES, rows)
    return Done(split=part.split, url=url, kept=count, dropped={})


def _document(document: Document) -> dict[str, Any]:
    signals, provenance = document.signals, document.provenance
    return {
        "doc_id": document.doc_id,
        "url": document.url,
        "title": document.title,
        "text": "\n\n".join(document.texts),
        "characters": document.num_characters,
        "images": len(document.images),
        "language": signals.language,
        "language_score": signals.language_score,
        "charset": signals.charset,
        "opt_out": list(signals.opt_out),
        "licences": list(signals.licences),
        **{name: getattr(provenance, name) for name, _ in _PROVENANCE},
        "scores": list(document.scores.items()),
    }


def _images(sample: Sample) -> Iterator[dict[str, Any]]:
    number = 0
    for at, span in enumerate(sample.document.spans):
        if not isinstance(span, Image):
            continue
        content = span.content
        yield {
            "image": number,
            "span": at,
            "url": span.url,
            "page_url": sample.document.url,
            "role": span.role,
            "alt": span.alt,
            "title": span.title,
            "caption": span.caption,
            "declared_width": span.declared_width,
            "declared_height": span.declared_height,
            **{name: getattr(content, name) if content else None for name in _CONTENT},
            "scores": list(span.scores.items()),
        }
        number += 1
