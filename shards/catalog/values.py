"""What is asked of one document: its numbers by name, and its words."""

import hashlib
import re
from collections.abc import Iterator

from openm3w.shards.document import Document

_ALONE = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])"
)
"""Letters of scripts that are written without spaces: Thai, Lao, Burmese, Khmer, kana, Han."""

DOCUMENT = -1
"""In the place of an image's number: a score of the document itself."""


LARGEST = 1e300
"""A value beyond, or that is none (`1e999` and `NaN` in JSON), is no measure of anything (ours):
differences and edges that are made of values must stay finite."""


def measures_of(document: Document) -> Iterator[tuple[str, int, float]]:
    """Name, number of the image from 0 (`DOCUMENT` where it is of the document), value.

    Values beyond `LARGEST` are left out.
    """
    return (found for found in _all_measures(document) if abs(found[2]) <= LARGEST)


def _all_measures(document: Document) -> Iterator[tuple[str, int, float]]:
    for name, value in document.scores.items():
        yield name, DOCUMENT, value
    for number, image in enumerate(document.images):
        content = image.content
        if content is not None and content.width and content.height:
            yield "width", number, content.width
            yield "height", number, content.height
            if max(content.width, content.height) <= LARGEST:
                yield "aspect", number, content.width / content.height
        if content is not None and content.num_bytes:
            yield "bytes", number, content.num_bytes
        for name, value in image.scores.items():
            yield name, number, value


def pictures_of(document: Document) -> str:
    """Digits over the images in their order: equal where two documents have the same ones.

    By their bytes; by address and size where a shard of others names no digest.
    """
    digest = hashlib.sha256()
    for image in document.images:
        content = image.content
        known = content.sha256 if content else ""
        size = content.num_bytes if content else 0
        digest.update(f"{known or f'{image.url} {size}'}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:16]


def words_of(document: Document) -> str:
    """Everything of a document that is searched by words."""
    parts = [document.title, document.url, *document.texts]
    for image in document.images:
        parts += [image.alt, image.title, image.caption, image.url]
    return separated("\n".join(part for part in parts if part))


def separated(text: str) -> str:
    """Letters of scripts without spaces stand alone, so that they are found inside a run."""
    return _ALONE.sub(r" \1 ", text.replace("\x00", " ").encode("utf-8", "replace").decode())
