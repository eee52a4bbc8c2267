"""Captioned images in tar files and folders: an image, a text and a JSON with one key.

The convention is img2dataset's, and that of WebDataset before it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from openm3w.shards.captioned import IMAGE_SUFFIXES, IMG2DATASET_FIELDS, decode_caption
from openm3w.shards.document import Image
from openm3w.shards.interop import tables
from openm3w.shards.interop.archives import Members, grouped
from openm3w.shards.interop.rows import (
    Found,
    Left,
    MalformedError,
    Picture,
    Row,
    each,
    finite,
    mapping,
    pixels,
    text,
)
from openm3w.shards.members import utf8

ID = "doc_id"
"""Where an export keeps our id, where keys are of another form."""
SIZES = tuple(name for name in IMG2DATASET_FIELDS if "width" in name or "height" in name)
_ACCESS = re.compile(r"\.?([^\[\]]+)((?:\[[^\]]+\])*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """Which members are the image and the caption; "" where the suffix tells."""

    image: str = ""
    caption: str = ""
    """A suffix, or `json[name]` for a field of the JSON, as Energon's `field_map` has it."""


def read_pairs(
    members: Members, fields: Fields, *, is_unique: bool, excluded: frozenset[str] = frozenset()
) -> Iterator[Found]:
    """The pairs of a tar or a folder.

    Args:
        members: Its members.
        fields: Where image and caption are.
        is_unique: Whether pairs with one key are one pair, wherever they stand.
        excluded: Keys that are left out.
    """
    for key, suffixes in grouped(members):
        if key in excluded:
            yield Left(reason="excluded", outcome="dropped")
        else:
            yield from _group(members, key, suffixes, fields, is_unique=is_unique)
    for name in members.repeated:
        if name.rpartition(".")[2].lower() in IMAGE_SUFFIXES:
            yield Left(reason="duplicate_id", outcome="dropped")


def pair(key: str, found: Mapping[str, bytes], about: Mapping[str, Any], *, is_unique: bool) -> Row:
    """A pair by our own reader of these members.

    Args:
        key: The format's own.
        found: Image and `txt`, by suffix.
        about: The JSON.
        is_unique: As of `read_pairs`.

    Raises:
        TypeError: a field is of another type.
    """
    sizes = {name: pixels(about.get(name)) for name in SIZES}
    document, data, extra = decode_caption(key, found, {**finite(about), **sizes})
    image, caption = document.spans
    if not isinstance(image, Image):
        raise MalformedError("a pair begins with its image")
    if "stored_sha256" not in about:  # not ours: its digest is of the file that was fetched
        image = replace(image, content=None)
        if fetched := text(about.get("sha256")):
            extra["sha256"] = fetched
    return Row(
        document=replace(document, doc_id=text(extra.pop(ID, "")), spans=(image, caption)),
        pictures=(
            Picture(
                data=data,
                original_width=sizes["original_width"],
                original_height=sizes["original_height"],
            ),
        ),
        own_id=key,
        is_unique=is_unique,
        extra=extra,
    )


def _group(
    members: Members, key: str, suffixes: Mapping[str, str], fields: Fields, *, is_unique: bool
) -> Iterator[Found]:
    wanted = (fields.image,) if fields.image else IMAGE_SUFFIXES
    image = next((suffix for suffix in wanted if suffix in suffixes), None)
    if image is None:
        # A file beside shards, as their statistics, is no pair.
        if suffixes.keys() & {"txt", "json"}:
            yield Left(reason="no_image", outcome="dropped")
        return
    access = _ACCESS.fullmatch(fields.caption)
    texts = {"json", access[1] if access else "txt"} & suffixes.keys()
    read = {suffix: members.read(suffixes[suffix]) for suffix in sorted({image, *texts})}
    if None in read.values():
        yield Left(reason="too_large")
        return
    data = {suffix: it or b"" for suffix, it in read.items()}
    value = tables.json_object(data["json"]) if "json" in data else {}

    def row(about: Mapping[str, Any]) -> Row:
        caption = _caption(fields.caption, access, data, about)
        # Our reader knows the suffixes that shards have.
        found = {"jpg": data[image], **({} if caption is None else {"txt": caption})}
        return pair(key.rpartition("/")[2], found, about, is_unique=is_unique)

    yield from each([value], row)


def _caption(
    wanted: str,
    access: "re.Match[str] | None",
    data: Mapping[str, bytes],
    about: Mapping[str, Any],
) -> bytes | None:
    if access is None or not access[2]:
        return data.get(access[1] if access else "txt")
    value: Any = about if access[1] == "json" else None
    for name in access[2][1:-1].split("]["):
        value = mapping(value).get(name)
    if not isinstance(value, str):
        raise MalformedError(f"no caption at {wanted}")
    return utf8(value)
