"""The members of a caption sample, which are img2dataset's, and the fields of its JSON.

`img2dataset_fields` are those that img2dataset 1.47 writes (downloader.py), under its names and in
its order; the tables beside the shards have the same. Ours follow after them.
"""

from collections.abc import Mapping
from typing import Any

from openm3w.errors import ShardError
from openm3w.shards.document import Document, Image, ImageContent, Provenance, Signals, Text
from openm3w.shards.members import dump, member, plain, utf8
from openm3w.shards.typed import make

IMG2DATASET_FIELDS = (
    "caption",
    "url",
    "key",
    "status",
    "error_message",
    "width",
    "height",
    "original_width",
    "original_height",
    "exif",
    "sha256",
)
"""After the columns of the input table, which come first."""

OWN_FIELDS = (
    "stored_sha256",
    "original_format",
    "phash",
    "page_url",
    "provenance",
    "signals",
    "scores",
)
"""Fields of ours beside them."""

IMAGE_SUFFIXES = ("jpg", "jpeg", "png", "webp")
"""Of the one image of a sample, in the order in which they are looked for."""

_NAMES = frozenset({*IMG2DATASET_FIELDS, *OWN_FIELDS})


def img2dataset_fields(
    key: str,
    document: Document,
    extra: Mapping[str, Any],
    *,
    status: str = "success",
    error_message: str | None = None,
) -> dict[str, Any]:
    """What img2dataset notes of a pair; sizes and digest are null where there is no image.

    `exif` is always null: nothing of a file's metadata is kept, since it names places, cameras and
    owners.
    """
    (image,) = document.images
    content = image.content
    about = {
        "caption": caption_of(document),
        "url": image.url,
        "key": key,
        "status": status,
        "error_message": error_message,
        "width": content.width if content else None,
        "height": content.height if content else None,
        "original_width": content.original_width if content else None,
        "original_height": content.original_height if content else None,
        "exif": None,
        "sha256": extra.get("sha256", content.sha256) if content else None,
    }
    return {**{name: extra[name] for name in extra if name not in _NAMES}, **about}


def caption_of(document: Document) -> str:
    """The caption of a pair."""
    return "\n\n".join(document.texts)


def caption_fields(key: str, document: Document, extra: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON of a pair: columns of its table, img2dataset's fields, ours.

    Raises:
        ValueError: its image has no content.
    """
    (image,) = document.images
    content = image.content
    if content is None:
        raise ValueError(f"{key}: a caption sample needs an image with content")
    return {
        **img2dataset_fields(key, document, extra),
        "stored_sha256": content.sha256,
        "original_format": content.original_format,
        "phash": content.phash,
        "page_url": document.url,
        "provenance": plain(document.provenance),
        "signals": plain(document.signals),
        "scores": dict(image.scores),
    }


def encode_caption(
    key: str, document: Document, data: bytes, extra: Mapping[str, Any]
) -> list[tuple[str, bytes]]:
    """Member names and bytes of a pair.

    Raises:
        ValueError: its image has no content.
    """
    about = caption_fields(key, document, extra)
    caption = utf8(caption_of(document))
    return [(f"{key}.json", dump(about)), (f"{key}.jpg", data), (f"{key}.txt", caption)]


def _caption(key: str, members: Mapping[str, bytes], about: Mapping[str, Any]) -> str:
    if "txt" in members:
        return members["txt"].decode()
    if not isinstance(caption := about.get("caption"), str):
        raise ShardError(f"sample {key}: no caption, neither as {key}.txt nor in {key}.json")
    return caption


def decode_caption(
    key: str, members: Mapping[str, bytes], about: Mapping[str, Any]
) -> tuple[Document, bytes, dict[str, Any]]:
    """The inverse of `encode_caption`: document, image, and further fields of the JSON.

    Raises:
        ShardError: a member is missing.
    """
    suffix = next((s for s in IMAGE_SUFFIXES if s in members), "jpg")
    data, caption = member(key, members, suffix), _caption(key, members, about)
    # Shards that img2dataset wrote have the same members, with fewer fields.
    sizes = ("width", "height", "original_width", "original_height")
    stored = {name: about.get(name) or 0 for name in sizes}
    stored |= {name: about.get(name) or "" for name in ("sha256", "original_format", "phash")}
    stored |= {"num_bytes": len(data)}
    extra = {name: value for name, value in about.items() if name not in _NAMES}
    if "stored_sha256" in about:
        stored["sha256"] = about["stored_sha256"]
        if about["sha256"] != about["stored_sha256"]:
            extra["sha256"] = about["sha256"]
    image = {
        "url": about.get("url") or "",
        "content": make(ImageContent, stored),
        "scores": about.get("scores") or {},
    }
    document = {
        "doc_id": key,
        "url": about.get("page_url") or "",
        "spans": (make(Image, image), Text(text=caption)),
        "provenance": make(Provenance, about.get("provenance", {})),
        "signals": make(Signals, about.get("signals", {})),
    }
    return make(Document, document), data, extra
