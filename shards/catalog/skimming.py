"""Documents of a shard without the bytes of their images: headers and JSON alone are read."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from openm3w.errors import ShardError
from openm3w.shards import storage, tar
from openm3w.shards.captioned import IMAGE_SUFFIXES
from openm3w.shards.document import Document
from openm3w.shards.sample import Kind, decode_document
from openm3w.shards.storage import Location

_READ = ("json", "txt")
_BLOCK = 1 << 14
"""Bytes of one read of a file here (ours): most JSON with its header, little of the next image."""


def skim(location: Location, kind: Kind) -> Iterator[tuple[str, Document]]:
    """Key and document of each sample of a tar, in order.

    Raises:
        ShardError: the tar is missing or damaged, or a sample is none of this kind.
    """
    file = storage.open_file(location)
    if file is None:
        raise ShardError(f"{location}: missing", reason="missing")
    part = tar.Part(file, block=None if storage.is_remote(file) else _BLOCK)
    current: str | None = None
    members: dict[str, bytes] = {}
    sizes: dict[str, int] = {}
    for name, _, size, data in tar.members(part, plain=False, wanted=_is_read):
        key, _, suffix = name.partition(".")
        if current is not None and key != current:
            yield current, _decode(location, current, members, sizes, kind)
            members, sizes = {}, {}
        current = key
        sizes[suffix], members[suffix] = size, data
    if current is not None:
        yield current, _decode(location, current, members, sizes, kind)


def _is_read(name: str) -> bool:
    return name.rpartition(".")[2] in _READ


def _decode(
    location: Location, key: str, members: Mapping[str, bytes], sizes: Mapping[str, int], kind: Kind
) -> Document:
    try:
        document = decode_document(key, members, kind)
    except ShardError as error:
        raise ShardError(f"{location}: {error}") from error
    return _sized(document, sizes) if kind == "caption" else document


def _sized(document: Document, sizes: Mapping[str, int]) -> Document:
    """A pair with the size of its image, which nothing but the member itself tells."""
    (image,) = document.images
    size = next((sizes[suffix] for suffix in IMAGE_SUFFIXES if suffix in sizes), 0)
    content = replace(image.content, num_bytes=size) if image.content else None
    return document.with_images([replace(image, content=content)])
