"""Who may read the pages, and what a browser may do with them.

Whatever a page of the viewer shows was written by strangers, and other pages in the same browser
may try to reach this server. So: a random token that no other page knows, no answer to a name
that is not this machine's (DNS rebinding), nothing but reading, and a policy under which a
browser runs, loads and sends nothing that is not ours (CSP Level 3, Fetch, HTML standards).
"""

import ipaddress
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = "; ".join(
    [
        "default-src 'none'",
        "img-src 'self'",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
"""No inline script or style, nothing from elsewhere, and no text that a script makes markup of."""

HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
"""Of every answer, also of refusals."""

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
TOKEN_BYTES: Final = 32
"""256 bits: more than anybody tries."""

OPEN_PATHS: Final = "/static/"
"""What is served without the token: files of the package, the same for everybody."""

_HOST = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[0-9a-z.-]+))(?::\d{1,5})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a request must bring."""

    token: str
    host: str = "127.0.0.1"
    """The address that the server listens on."""
    cookie: str = "openm3w"
    """Its name. Cookies know no ports, so servers side by side need names of their own."""

    def is_token(self, given: str) -> bool:
        """Compares in constant time."""
        return secrets.compare_digest(given.encode(), self.token.encode())

    def is_host(self, header: str) -> bool:
        """Whether the Host header names this machine.

        The port does not count: a tunnel (`ssh -L`) has another. Where the server listens beyond
        loopback, any address is right, since a rebinding attack needs a name, and so is the name
        that was given to `--host`.
        """
        found = _HOST.fullmatch(header.lower())
        if found is None:
            return False
        name = found["six"] or found["name"]
        if name in LOOPBACK:
            return True
        return self.host not in LOOPBACK and (name == self.host.lower() or _is_address(name))


def new_token() -> str:
    """A token for one run of the server."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class Guard:
    """Lets to the application `app` what has a right to it; sets HEADERS on all answers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # a WebSocket, which no page of ours opens
            await send({"type": "websocket.close", "code": 1008})
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "private, no-cache")
            await send(message)

        answer = self._refusal(scope) or self._hand_over(scope) or self._app
        await answer(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if scope["method"] not in {"GET", "HEAD"}:
            return PlainTextResponse("This server is for reading.\n", 405, {"allow": "GET, HEAD"})
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._access.is_host(hosts[0]):
            return PlainTextResponse("This name is not this server's.\n", 421)
        if scope["path"].startswith(OPEN_PATHS) or self._has_token(headers.getlist("cookie")):
            return None
        given = [value for name, value in _query(scope) if name == "token"]
        if len(given) == 1 and self._access.is_token(given[0]):
            return None
        return HTMLResponse(_CLOSED, 403)

    def _hand_over(self, scope: Scope) -> Response | None:
        """Sets the cookie and goes on to the page without the token, which then is in no history.

        By a page and not by a redirect: where a link in another page led here, browsers hold the
        request that follows a redirect for the other page's, and send no strict cookie with it.
        """
        asked = _query(scope)
        if not any(name == "token" and self._access.is_token(value) for name, value in asked):
            return None
        rest = urlencode([(name, value) for name, value in asked if name != "token"])
        # One slash: two would begin the address of another server.
        where = "/" + quote(scope["path"].lstrip("/")) + (f"?{rest}" if rest else "")
        response = HTMLResponse(_HAND_OVER.format(where=escape(where)))
        response.set_cookie(
            self._access.cookie, self._access.token, httponly=True, samesite="strict", path="/"
        )
        response.headers["cache-control"] = "no-store"
        return response

    def _has_token(self, headers: Iterable[str]) -> bool:
        found = (cookie_parser(header).get(self._access.cookie) for header in headers)
        return any(value is not None and self._access.is_token(value) for value in found)


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


_HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/static/icon.svg"><link rel="stylesheet" href="/static/style.css">"""
_CLOSED = f"""{_HEAD}<title>Closed · OpenM3W</title></head><body><main class="error">
<h1>This page needs its token</h1>
<p>Open the address that <code>m3w serve</code> printed when it started; it ends in
<code>?token=</code> and a long word. Each start has another.</p></main></body></html>"""
_HAND_OVER = f"""{_HEAD}<meta http-equiv="refresh" content="0; url={{where}}">
<title>OpenM3W</title></head><body><main class="error">
<p><a href="{{where}}">Go on to the viewer</a></p></main></body></html>"""
