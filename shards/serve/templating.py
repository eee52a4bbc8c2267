"""Templates of the pages: whatever is put into one is escaped."""

from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import jinja2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from openm3w.errors import InputError
from openm3w.shards.catalog.query import Query
from openm3w.shards.serve.site import Collection, Site
from openm3w.shards.terminal import clean_line, number

_FOLDER: Final = Path(__file__).parent / "templates"

PAGE_SIZE: Final = 24
"""Cards on a page: whole rows of two, three, four and six."""

MAX_TYPED: Final = 1000
"""Characters of a query that are looked at; nobody types more."""


def site_of(request: Request) -> Site:
    """What the server shows: one site for the whole of a request.

    Raises:
        OpenM3WError: a manifest has changed, and cannot be opened any more.
    """
    if not hasattr(request.state, "site"):
        request.state.site = request.app.state.opened()
    site: Site = request.state.site
    return site


def collection_of(request: Request) -> Collection:
    """The collection that the address names.

    Raises:
        HTTPException: there is none of this name.
    """
    name = request.path_params["collection"]
    found = site_of(request).collections.get(name)
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"Nothing named {clean_line(name)!r} is open.")
    return found


def typed_query(request: Request) -> tuple[str, Query, str]:
    """What was typed, the query that it is, and where it is none an empty one and the reason."""
    typed = clean_line(request.query_params.get("q", "")[:MAX_TYPED])
    try:
        return typed, Query.parse(typed), ""
    except InputError as error:
        return typed, Query(), str(error)


def page_number(request: Request) -> int:
    """The page asked for, from 1; what is no number is the first."""
    asked = request.query_params.get("page", "1")
    # More digits than of any dataset's pages: an offset beyond 64 bits is no offset.
    return max(1, int(asked)) if asked.isascii() and asked.isdecimal() and len(asked) < 12 else 1


def address(path: str, **parameters: str | float | None) -> str:
    """A path with its parameters, without the empty ones."""
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def page(
    request: Request, template: str, *, status: int = HTTPStatus.OK, **values: Any
) -> HTMLResponse:
    """A page about the site: `values`, and what each page has around it."""
    site = site_of(request)
    around = {"site": site, "dataset": clean_line(site.kept.title), "busy": busy(site)}
    around["faults"] = [clean_line(f) for c in site.collections.values() for f in c.progress.faults]
    return bare_page(request, template, status=status, **around, **values)


def bare_page(
    request: Request, template: str, *, status: int = HTTPStatus.OK, **values: Any
) -> HTMLResponse:
    """A page of `values` alone, which include `dataset`, `busy` and `faults`."""
    text = _environment().get_template(template).render(path=request.url.path, **values)
    return HTMLResponse(text.encode("utf-8", "replace"), status)


def busy(site: Site) -> str:
    """How far the reading of facts is, in words; "" once all are read."""
    for collection in site.collections.values():
        progress = collection.progress
        if not progress.finished:
            total = progress.total or len(collection.catalog)
            return f"reading {clean_line(collection.title)}: {progress.done:,} of {total:,}"
    return ""


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = number
    environment.filters["clean"] = clean_line
    environment.filters["words"] = lambda name: clean_line(str(name)).replace("_", " ")
    environment.globals["address"] = address
    return environment
