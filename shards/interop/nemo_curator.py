"""NeMo Curator's interleaved rows: Parquet with a row for each text and image, and its tar files.

Columns by nemo-curator 1.4.0 (tasks/interleaved.py, INTERLEAVED_SCHEMA): `sample_id`, `position`
(-1 for the row about the sample), `modality` (`metadata`, `text`, `image`), `content_type`,
`text_content`, `binary_content`, `source_ref` (JSON: `path`, `member`, `byte_offset`, `byte_size`,
`frame_index`) and `materialize_error`; other columns are the user's. Tar files by
stages/interleaved/io/writers/webdataset.py: `{sample_id}.json` with `sample_id`, `texts` and
`images`, the full names of `{sample_id}.{position}.jpg`.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openm3w.shards.document import Document, Image, Span, Text
from openm3w.shards.interop import carried, tables
from openm3w.shards.interop.interleaved_tar import carried_row, read_tar
from openm3w.shards.interop.obelics import dump_text
from openm3w.shards.interop.rows import (
    Found,
    Left,
    MalformedError,
    Picture,
    Row,
    decoded,
    each,
    mapping,
    text,
)
from openm3w.shards.interop.sources import Source
from openm3w.shards.interop.writing import Done, Part, Tar, committed_tar
from openm3w.shards.members import dump
from openm3w.shards.sample import Sample

_RESERVED = (
    ("sample_id", "string"),
    ("position", "int32"),
    ("modality", "string"),
    ("content_type", "string"),
    ("text_content", "string"),
    ("binary_content", "large_binary"),
    ("source_ref", "string"),
    ("materialize_error", "string"),
)
_SCHEMA = (*_RESERVED, ("url", "string"), ("alt", "string"), (carried.FIELD, "string"))
"""The reserved columns, and as user's ones address, alternative text and what was carried."""
COLUMNS = tuple(name for name, _ in _SCHEMA)


def read(source: Source) -> Iterator[Found]:
    """The samples of a table: neighbouring rows with one `sample_id`, in order of `position`."""
    rows = tables.read(source.path, COLUMNS)
    for sample_id, group in itertools.groupby(rows, key=_sample_id):
        if sample_id is None:
            for _ in group:
                yield Left(reason="malformed")
        else:
            yield from each([{"rows": list(group)}], _row)


def write(part: Part) -> Done:
    """`<stem>.parquet`, images inside."""
    url, kept = f"{part.stem}.parquet", 0

    def values() -> Iterator[Mapping[str, Any]]:
        nonlocal kept
        for sample in part.samples:
            kept += 1
            yield from _values(sample)

    tables.write_parquet(part.root / url, _SCHEMA, values())
    return Done(split=part.split, url=url, kept=kept, dropped={})


def read_tars(source: Source) -> Iterator[Found]:
    """The samples of a tar."""
    return read_tar(source.path, carried_row)


def write_tars(part: Part) -> Done:
    """`<stem>.tar`, members in Curator's order: images, then the JSON."""
    url, kept = f"{part.stem}.tar", 0
    with committed_tar(part.root / url) as tar:
        for sample in part.samples:
            _add_sample(sample, tar)
            kept += 1
    return Done(split=part.split, url=url, kept=kept, dropped={})


def _sample_id(value: Mapping[str, Any] | Left) -> str | None:
    found = None if isinstance(value, Left) else value.get("sample_id")
    return found if isinstance(found, str) and found else None


def _row(group: Mapping[str, Any]) -> Row:
    rows: Sequence[Mapping[str, Any]] = sorted(group["rows"], key=lambda row: row["position"])
    about: Mapping[str, Any] = {}
    spans: list[Span] = []
    pictures: list[Picture] = []
    for row in rows:
        modality = row["modality"]
        if modality == "metadata":
            about = row
        elif modality == "text":
            spans.append(Text(text=_words(row["text_content"])))
        elif modality == "image":
            spans.append(_image(row))
            pictures.append(_picture(row, spans[-1]))
        else:
            raise MalformedError(f"modality {modality!r} is no text and no image")
    document = carried.document(
        decoded(about.get(carried.FIELD)), tuple(spans), url=text(about.get("url"))
    )
    return Row(document=document, pictures=tuple(pictures), own_id=rows[0]["sample_id"])


def _words(value: Any) -> str:
    if not isinstance(value, str):
        raise MalformedError("a row of text has no text_content")
    return value


def _image(row: Mapping[str, Any]) -> Image:
    alt = row.get("alt")
    return carried.image(
        decoded(row.get(carried.FIELD)),
        url=text(row.get("url")),
        alt=alt if isinstance(alt, str) else None,
    )


def _picture(row: Mapping[str, Any], image: Span) -> Picture:
    """Bytes of the row, else the names in its `source_ref`: no path that a row names is opened."""
    data = row.get("binary_content")
    place = mapping(decoded(row.get("source_ref")))
    path, member = text(place.get("path")), text(place.get("member"))
    frame = place.get("frame_index") if row.get("content_type") == "image/tiff" else None
    others = [member] if member else [path.rpartition("/")[2]]
    return Picture(
        data=data if isinstance(data, bytes) and data else None,
        # Materialized frames stand alone, in a TIFF of one.
        frame=None if frame is None else 0 if data else int(frame),
        names=carried.names(image, *others) if isinstance(image, Image) else (),
    )


def _values(sample: Sample) -> Iterator[Mapping[str, Any]]:
    document = sample.document
    empty = dict.fromkeys(COLUMNS)
    yield {
        **empty,
        "sample_id": document.doc_id,
        "position": -1,
        "modality": "metadata",
        "content_type": "application/json",
        "url": document.url,
        carried.FIELD: dump_text(carried.of_document(document)),
    }
    data = iter(sample.images)
    for position, span in enumerate(document.spans):
        same = {**empty, "sample_id": document.doc_id, "position": position}
        if isinstance(span, Text):
            yield {
                **same,
                "modality": "text",
                "content_type": "text/plain",
                "text_content": span.text,
            }
        else:
            yield {
                **same,
                "modality": "image",
                "content_type": "image/jpeg",
                "binary_content": next(data),
                "url": span.url,
                "alt": span.alt,
                carried.FIELD: dump_text(carried.of_image(span)),
            }


def _add_sample(sample: Sample, tar: Tar) -> None:
    document: Document = sample.document
    names: list[str | None] = []
    data = iter(sample.images)
    for position, span in enumerate(document.spans):
        if isinstance(span, Text):
            names.append(None)
            continue
        names.append(f"{sample.key}.{position}.jpg")
        tar.add(f"{sample.key}.{position}.jpg", next(data))
    value = {
        "sample_id": document.doc_id,
        "texts": [span.text if isinstance(span, Text) else None for span in document.spans],
        "images": names,
        "url": document.url,
        carried.IMAGES: carried.of_images(document),
        carried.FIELD: carried.of_document(document),
    }
    tar.add(f"{sample.key}.json", dump(value))
