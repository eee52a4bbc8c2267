"""MINT-1T: pages as Parquet with images by address, and PDFs as tar files with a TIFF each.

HTML (columns of mlfoundations/MINT-1T-HTML, `data_v1_1`): `images`, `texts` (parallel lists as
OBELICS has them), `metadata` (JSON, an object for each image), `url`, `cc_dump`, `image_hashes`,
`images_metadata`. PDF (viewer of mlfoundations/MINT-1T-PDF-CC-2023-23): `{key}.json` with `texts`,
`images` (null, or a name as `page_0_image_85`), `image_metadata` (an object for each image, in
order: `height`, `width`, `page`, `sha256`, `xref`), `url`, `pdf_name` and
`language_id_whole_page_fasttext`, and `{key}.tiff`, whose frames are the images in order, which is
how NeMo Curator 1.4 reads it (stages/interleaved/io/readers/webdataset.py).
"""

import io
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import Image as PillowImage

from openm3w.shards.document import Document, Image, Provenance, Signals, Span, Text
from openm3w.shards.interop import carried, tables
from openm3w.shards.interop.interleaved_tar import Resolved, read_tar
from openm3w.shards.interop.obelics import (
    dump_text,
    image_entries,
    lists,
    spans,
    write_beside,
)
from openm3w.shards.interop.rows import (
    Found,
    Picture,
    Row,
    decoded,
    each,
    entries,
    mapping,
    number,
    parallel,
    pixels,
    text,
)
from openm3w.shards.interop.sources import Source
from openm3w.shards.interop.writing import Done, Part, committed_tar
from openm3w.shards.members import dump
from openm3w.shards.sample import Sample

_HTML_SCHEMA = (
    ("images", "list<string>"),
    ("texts", "list<string>"),
    ("metadata", "string"),
    ("url", "string"),
    ("image_hashes", "list<string>"),
    ("images_metadata", "list<string>"),
    ("cc_dump", "string"),
    (carried.FIELD, "string"),
)
HTML_COLUMNS = tuple(name for name, _ in _HTML_SCHEMA)


def read_html(source: Source) -> Iterator[Found]:
    """The rows of a table, Parquet or JSON lines."""
    return convert_html(tables.read(source.path, HTML_COLUMNS))


def convert_html(values: tables.Rows) -> Iterator[Found]:
    """What a table's rows come to."""
    return each(values, _html_row)


def write_html(part: Part) -> Done:
    """`data/<stem>.parquet`, and the images in `images/<stem>.tar`."""
    return write_beside(part, _HTML_SCHEMA, _html_value)


def read_pdf(source: Source) -> Iterator[Found]:
    """The samples of a tar, each a JSON and, where it has images, a TIFF."""
    return read_tar(source.path, _pdf_row)


def write_pdf(part: Part) -> Done:
    """`<stem>.tar`; the frames of its TIFFs are the pictures without loss, and not their JPEGs."""
    url, kept = f"{part.stem}.tar", 0
    with committed_tar(part.root / url) as tar:
        for sample in part.samples:
            tar.add(f"{sample.key}.json", dump(_pdf_value(sample)))
            if sample.images:
                tar.add(f"{sample.key}.tiff", _tiff(sample))
            kept += 1
    return Done(split=part.split, url=url, kept=kept, dropped={})


def _html_row(value: Mapping[str, Any]) -> Row:
    images = value["images"]
    count = len(images) if isinstance(images, list) else 0
    about = entries(decoded(value.get("metadata")), count)
    made, pictures = spans(value["texts"], images, about)
    document = carried.document(
        decoded(value.get(carried.FIELD)),
        made,
        url=text(value.get("url")),
        provenance=Provenance(crawl=text(value.get("cc_dump"))),
    )
    return Row(document=document, pictures=pictures)


def _html_value(sample: Sample) -> dict[str, Any]:
    document = sample.document
    texts, images = lists(document)
    nulls = [None] * len(images)
    return {
        "images": images,
        "texts": texts,
        "metadata": dump_text(image_entries(document)),
        "url": document.url,
        "image_hashes": nulls,
        "images_metadata": nulls,
        "cc_dump": document.provenance.crawl,
        carried.FIELD: dump_text(carried.of_document(document)),
    }


def _pdf_row(key: str, value: Mapping[str, Any], resolved: Resolved) -> Row:
    pairs = parallel(value["texts"], value["images"])
    names = [name for _, name in pairs if name is not None]
    about = iter(entries(value.get("image_metadata"), len(names)))
    made: list[Span] = []
    pictures: list[Picture] = []
    for words, name in pairs:
        if name is None:
            made.append(Text(text=words or ""))
            continue
        entry = next(about)
        made.append(carried.image(entry.get(carried.FIELD)))
        pictures.append(
            resolved(
                name,
                original_width=pixels(entry.get("width")),
                original_height=pixels(entry.get("height")),
            )
        )
    document = carried.document(
        value.get(carried.FIELD),
        tuple(made),
        url=text(value.get("url")),
        signals=_language(value.get("language_id_whole_page_fasttext")),
    )
    return Row(document=document, pictures=tuple(pictures), own_id=key)


def _language(value: Any) -> Signals:
    """The likeliest of `{"en": 0.97}`."""
    found = {
        code: score for code, it in mapping(value).items() if (score := number(it)) is not None
    }
    if not found:
        return Signals()
    code = max(sorted(found), key=lambda name: found[name])
    return Signals(language=code, language_score=found[code])


def _pdf_value(sample: Sample) -> dict[str, Any]:
    document: Document = sample.document
    names: list[str | None] = []
    about: list[dict[str, Any]] = []
    for span in document.spans:
        if isinstance(span, Text):
            names.append(None)
            continue
        names.append(f"page_0_image_{len(about)}")
        about.append(_pdf_image(span, len(about)))
    language = document.signals.language
    return {
        "texts": lists(document)[0],
        "images": names,
        "image_metadata": about,
        "url": document.url,
        "pdf_name": "",
        "language_id_whole_page_fasttext": (
            {language: document.signals.language_score} if language else {}
        ),
        carried.FIELD: carried.of_document(document),
    }


def _pdf_image(image: Image, index: int) -> dict[str, Any]:
    content = image.content
    return {
        "height": content.original_height if content else None,
        "width": content.original_width if content else None,
        "page": 0,
        "sha256": content.sha256 if content else "",
        "xref": index,
        carried.FIELD: carried.of_image(image),
    }


def _tiff(sample: Sample) -> bytes:
    frames = [PillowImage.open(io.BytesIO(data)).convert("RGB") for data in sample.images]
    buffer = io.BytesIO()
    frames[0].save(
        buffer,
        format="TIFF",
        save_all=True,
        append_images=frames[1:],
        compression="tiff_adobe_deflate",
    )
    return buffer.getvalue()
