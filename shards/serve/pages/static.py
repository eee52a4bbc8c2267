"""Files of the package: one style sheet, one script, one icon."""

from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_FOLDER: Final = Path(__file__).parent.parent / "static"
_TYPES: Final = {
    "style.css": "text/css",
    "viewer.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


def static(request: Request) -> Response:
    """`/static/NAME`; no other name leads to a file."""
    name = request.path_params["name"]
    if name not in _TYPES:
        raise HTTPException(HTTPStatus.NOT_FOUND, "There is no such file.")
    return Response(_read(name), media_type=_TYPES[name])


@cache
def _read(name: str) -> bytes:
    return (_FOLDER / name).read_bytes()
