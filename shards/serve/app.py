"""The application: addresses to pages, errors to a page that says what to do."""

from collections.abc import Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from openm3w.errors import OpenM3WError
from openm3w.shards.serve import templating
from openm3w.shards.serve.pages.compare import compare
from openm3w.shards.serve.pages.document import document, raw
from openm3w.shards.serve.pages.dropped import dropped
from openm3w.shards.serve.pages.gallery import gallery
from openm3w.shards.serve.pages.numbers import numbers, numbers_at
from openm3w.shards.serve.pages.pictures import picture
from openm3w.shards.serve.pages.search import search
from openm3w.shards.serve.pages.static import static
from openm3w.shards.serve.security import Access, Guard
from openm3w.shards.serve.site import Site
from openm3w.shards.terminal import clean_line

_ROUTES = {
    "/": gallery,
    "/documents/{collection}/{number:int}": document,
    "/raw/{collection}/{number:int}": raw,
    "/pictures/{collection}/{number:int}/{image:int}": picture,
    "/numbers": numbers,
    "/numbers/at": numbers_at,
    "/dropped": dropped,
    "/compare": compare,
    "/search": search,
    "/static/{name}": static,
}


def create_app(opened: Callable[[], Site], access: Access) -> ASGIApp:
    """The viewer for those who bring what `access` asks for; each request asks what is `opened`."""
    app = Starlette(
        routes=[Route(path, page) for path, page in _ROUTES.items()]
        + [Route("/progress", _progress)],
        exception_handlers={
            HTTPException: _http_error,
            OpenM3WError: _own_error,
            Exception: _unexpected,
        },
    )
    app.state.opened = opened
    return Guard(app, access)


def _progress(request: Request) -> Response:
    """How far the reading of facts is, for pages that are open."""
    return JSONResponse({"busy": templating.busy(templating.site_of(request))})


def _http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise TypeError from error
    message = error.detail
    if message == HTTPStatus(error.status_code).phrase:  # of the router, which says no more
        message = "There is nothing at this address."
    return templating.page(
        request,
        "error.html",
        status=error.status_code,
        heading=HTTPStatus(error.status_code).phrase,
        message=message,
    )


def _own_error(request: Request, error: Exception) -> Response:
    """A shard or a manifest that is damaged, or gone since the server began."""
    return _alone(request, clean_line(str(error)))


def _unexpected(request: Request, error: Exception) -> Response:
    """What nobody thought of; the traceback, which holds paths, goes to the terminal alone."""
    del error
    return _alone(
        request,
        "An error that was not expected. The terminal of m3w serve says which; other pages go on.",
    )


def _alone(request: Request, message: str) -> Response:
    return templating.bare_page(
        request,
        "error.html",
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        dataset="",
        busy="",
        faults=(),
        heading="This cannot be shown",
        message=message,
    )
