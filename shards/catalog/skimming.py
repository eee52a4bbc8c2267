"""Documents of a shard without the bytes of their images: headers and JSON alone are read."""

import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from openm3w.errors import ShardError
from openm3w.shards.captioned import IMAGE_SUFFIXES
from openm3w.shards.document import Document
from openm3w.shards.sample import Kind, decode_document

_READ = ("json", "txt")
_MAX_BYTES = 64 << 20
"""Of a JSON or text that is read: a damaged size field must not ask for gigabytes. The longest
documents of a build are some MB."""


def skim(path: Path, kind: Kind) -> Iterator[tuple[str, Document]]:
    """Key and document of each sample of a tar, in order.

    Raises:
        ShardError: the tar is damaged, or a sample is none of this kind.
    """
    current: str | None = None
    members: dict[str, bytes] = {}
    sizes: dict[str, int] = {}
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            while (member := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]
                if not member.isreg():
                    continue
                key, _, suffix = member.name.partition(".")
                if current is not None and key != current:
                    yield current, _decode(path, current, members, sizes, kind)
                    members, sizes = {}, {}
                current = key
                sizes[suffix] = member.size
                members[suffix] = _bytes(path, tar, member) if suffix in _READ else b""
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise ShardError(f"{path}: the tar is damaged: {error}") from error
    if current is not None:
        yield current, _decode(path, current, members, sizes, kind)


def _bytes(path: Path, tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > _MAX_BYTES:
        raise ShardError(f"{path}: member {member.name!r} says it has {member.size:,} bytes")
    file = tar.extractfile(member)
    return b"" if file is None else file.read()


def _decode(
    path: Path, key: str, members: Mapping[str, bytes], sizes: Mapping[str, int], kind: Kind
) -> Document:
    try:
        document = decode_document(key, members, kind)
    except ShardError as error:
        raise ShardError(f"{path}: {error}") from error
    return _sized(document, sizes) if kind == "caption" else document


def _sized(document: Document, sizes: Mapping[str, int]) -> Document:
    """A pair with the size of its image, which nothing but the member itself tells."""
    (image,) = document.images
    size = next((sizes[suffix] for suffix in IMAGE_SUFFIXES if suffix in sizes), 0)
    content = replace(image.content, num_bytes=size) if image.content else None
    return document.with_images([replace(image, content=content)])
