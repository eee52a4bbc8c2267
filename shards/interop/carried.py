"""What of a document another format has no field for, beside its own fields.

Our exports write it under one name, `openm3w`, wherever a format has room for further fields, so
that an import gives the same document back. Fields that the format has itself are read from there:
what somebody changed meanwhile is believed.
"""

from collections.abc import Mapping
from typing import Any

from openm3w.shards.document import Document, Image, ImageContent, Provenance, Signals, Span
from openm3w.shards.interop.rows import MalformedError, finite
from openm3w.shards.members import plain
from openm3w.shards.typed import make

FIELD = "openm3w"
IMAGES = "openm3w_images"
"""Of samples in tar files: a list parallel to `images`, null at texts."""


def of_document(document: Document) -> dict[str, Any]:
    """All of a document but its spans."""
    return {
        "doc_id": document.doc_id,
        "url": document.url,
        "title": document.title,
        "provenance": plain(document.provenance),
        "signals": plain(document.signals),
        "scores": dict(document.scores),
    }


def of_image(image: Image) -> dict[str, Any]:
    """All of an image."""
    return plain(image)


def of_images(document: Document) -> list[dict[str, Any] | None]:
    """What stands under IMAGES."""
    return [of_image(span) if isinstance(span, Image) else None for span in document.spans]


def document(value: Any, spans: tuple[Span, ...], **official: Any) -> Document:
    """The document of what was carried and of the format's own fields.

    `value` is what stands under FIELD, None where nothing does; a field of `official` that is None
    says nothing. What was carried says more of where a document is from than others' fields, which
    count for its address alone then.

    Raises:
        MalformedError: a field is unknown or of another type.
    """
    fields = finite(value) if isinstance(value, Mapping) else {}
    if fields:
        official = {"url": official.get("url")}
    said = {name: it for name, it in official.items() if it is not None}
    try:
        for name, kind in (("provenance", Provenance), ("signals", Signals)):
            fields[name] = make(kind, fields.get(name, {}))
        return make(Document, {"doc_id": "", **fields, **said, "spans": spans})
    except TypeError as error:
        raise MalformedError(str(error)) from error


def image(value: Any, **official: Any) -> Image:
    """The image of what was carried and of the format's own fields, as `document`.

    Raises:
        MalformedError: a field is unknown or of another type.
    """
    fields = finite(value) if isinstance(value, Mapping) else {}
    said = {name: it for name, it in official.items() if it is not None}
    try:
        content = fields.pop("content", None)
        made = make(ImageContent, content) if content else None
        return make(Image, {"url": "", **fields, **said, "content": made})
    except TypeError as error:
        raise MalformedError(str(error)) from error


def names(image: Image, *others: str) -> tuple[str, ...]:
    """Names under which the bytes of an image may be found."""
    digest = (f"sha256:{image.content.sha256}",) if image.content else ()
    return tuple(name for name in (*digest, *others, image.url) if name)
