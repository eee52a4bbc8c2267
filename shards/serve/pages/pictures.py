"""The bytes of a picture, under a type that they were looked at for."""

from http import HTTPStatus
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from openm3w.shards import decoding
from openm3w.shards.serve.pages.document import shown_of

MAX_BYTES: Final = 64 << 20
"""Of a picture that is sent; builds fetch at most 20 MB, and others' originals are rarely more."""


def picture(request: Request) -> Response:
    """`/pictures/COLLECTION/NUMBER/IMAGE`, both from 0."""
    _, shown = shown_of(request)
    images, at = shown.sample.images, request.path_params["image"]
    if at >= len(images):
        raise HTTPException(HTTPStatus.NOT_FOUND, f"The document has {len(images)} pictures.")
    data = images[at]
    kind = decoding.media_type(data) if len(data) <= MAX_BYTES else None
    if kind is None:
        raise HTTPException(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "This is no picture that is shown here."
        )
    # What a deletion request takes away is in no browser's cache either.
    return Response(data, media_type=kind, headers={"cache-control": "no-store"})
