"""The ledger: what became of each image, as a row, and the row as a document's image."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from openm3w.pipeline.images.decode import Encoded
from openm3w.pipeline.images.packs import Place
from openm3w.shards.document import Image, ImageContent

LEDGER_FIELDS = [
    ("outcome", pa.string()),
    ("reason", pa.string()),
    ("sha256", pa.string()),
    ("pack", pa.string()),
    ("offset", pa.int64()),
    ("length", pa.int64()),
    ("width", pa.int32()),
    ("height", pa.int32()),
    ("original_width", pa.int32()),
    ("original_height", pa.int32()),
    ("original_format", pa.string()),
    ("original_frames", pa.int32()),
    ("original_bytes", pa.int64()),
    ("original_sha256", pa.string()),
    ("original_md5", pa.string()),
    ("original_pack", pa.string()),
    ("original_offset", pa.int64()),
    ("grey_deviation", pa.float64()),
    ("entropy", pa.float64()),
    ("sharpness", pa.float64()),
    ("phash", pa.string()),
    ("pdq", pa.string()),
    ("pdq_quality", pa.int32()),
]
"""What became of an image; `length` is of its stored bytes, `offset` where they are in the pack.

All but the first two are null where no picture was decoded, or where it must not be stored. Where
the floor dropped it only `pack` and `offset` are: what serves an image goes by what was decoded,
and the numbers say why it was dropped. `pdq` and `pdq_quality` also where
no list asks for them. `original_pack` and `original_offset` say where the bytes are as they were
fetched, `original_bytes` of them, and are null where the recipe does not keep them.
"""

_SCORES = (
    "grey_deviation",
    "entropy",
    "sharpness",
    "original_bytes",
    "content_count",
)


def is_decoded(row: Mapping[str, Any]) -> bool:
    """Whether the ledger has measured numbers of the image, kept or not."""
    return row["sha256"] is not None


def stored_row(
    encoded: Encoded, place: Place | None = None, original: Place | None = None
) -> dict[str, Any]:
    """The row's part on an image that is in a pack, or in none since the floor dropped it."""
    pdq, pdq_quality = encoded.pdq or (None, None)
    return {
        "sha256": encoded.sha256,
        "pack": place.pack if place else None,
        "offset": place.offset if place else None,
        "length": len(encoded.data),
        **_sizes(encoded),
        **measured_row(encoded),
        "original_sha256": encoded.original.sha256,
        "original_md5": encoded.original.md5,
        "original_pack": original.pack if original else None,
        "original_offset": original.offset if original else None,
        "pdq": pdq,
        "pdq_quality": pdq_quality,
    }


def measured_row(encoded: Encoded) -> dict[str, Any]:
    """The row's part on what was measured."""
    measures = encoded.measures
    return {
        "original_format": encoded.original_format,
        "original_frames": encoded.original_frames,
        "original_bytes": encoded.original.num_bytes,
        "grey_deviation": measures.grey_deviation,
        "entropy": measures.entropy,
        "sharpness": measures.sharpness,
        "phash": measures.phash,
    }


def stored_place(row: Mapping[str, Any]) -> Place:
    """Where the bytes of an image are that was kept."""
    return Place(row["pack"], row["offset"], row["length"], row["sha256"])


def original_place(row: Mapping[str, Any]) -> Place | None:
    """Where the image's bytes are as they were fetched, if they were kept."""
    if row["original_pack"] is None:
        return None
    return Place(
        row["original_pack"], row["original_offset"], row["original_bytes"], row["original_sha256"]
    )


def filled(image: Image, row: Mapping[str, Any]) -> Image:
    """The image with content and scores of its row in the ledger, whose picture was decoded."""
    content = ImageContent(
        sha256=row["sha256"],
        width=row["width"],
        height=row["height"],
        original_width=row["original_width"],
        original_height=row["original_height"],
        num_bytes=row["length"],
        original_format=row["original_format"],
        phash=row["phash"],
    )
    scores = {name: float(row[name]) for name in _SCORES if row.get(name) is not None}
    return replace(image, content=content, scores={**image.scores, **scores})


def as_image(encoded: Encoded) -> Image:
    """What filters may know of an image whose place is not known yet."""
    row = {
        "sha256": encoded.sha256,
        "length": len(encoded.data),
        **_sizes(encoded),
        **measured_row(encoded),
    }
    return filled(Image(url=""), row)


def _sizes(encoded: Encoded) -> dict[str, Any]:
    return {
        "width": encoded.width,
        "height": encoded.height,
        "original_width": encoded.original_width,
        "original_height": encoded.original_height,
    }
