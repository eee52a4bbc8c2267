"""Endpoints of the hostile server: broken connections, no HTTP, no pictures, redirects, TLS."""

import asyncio
import datetime
import email.utils

from hostile_wire import PICTURE, Wire, endpoint

# Connections that break.


@endpoint("/reset", "a reset in place of an answer", reason="connection_lost", status=0)
async def reset(wire: Wire) -> None:
    wire.reset()


@endpoint("/reset-headers", "a reset among the headers", reason="connection_lost", status=0)
async def reset_headers(wire: Wire) -> None:
    await wire.send(b"HTTP/1.1 200 OK\r\nContent-Le")
    await asyncio.sleep(0.02)
    wire.reset()


@endpoint("/reset-body", "a reset in the body", reason="connection_lost")
async def reset_body(wire: Wire) -> None:
    await wire.say("200 OK", f"Content-Length: {len(PICTURE)}")
    await wire.send(PICTURE[:100])
    await asyncio.sleep(0.02)
    wire.reset()


@endpoint("/reset-until-close", "a reset in a body without a length", reason="connection_lost")
async def reset_until_close(wire: Wire) -> None:
    await wire.say()
    await wire.send(PICTURE[:100])
    await asyncio.sleep(0.02)
    wire.reset()


@endpoint("/close", "closed without a word", reason="connection_lost", status=0)
async def close(wire: Wire) -> None:
    pass


@endpoint("/once", "a second request on a connection finds it closed", body=PICTURE, keeps=True)
async def once(wire: Wire) -> None:
    if wire.number > 1:
        raise ConnectionResetError
    await wire.say(body=PICTURE)


# No HTTP, or little of it.


@endpoint("/garbage", "bytes that are no HTTP", reason="bad_response", status=0)
async def garbage(wire: Wire) -> None:
    await wire.send(bytes(range(256)) * 4)


@endpoint("/garbage-status", "a status that is none", reason="bad_response", status=0)
async def garbage_status(wire: Wire) -> None:
    await wire.say("2000 Very OK", body=PICTURE)


@endpoint("/http09", "HTTP/0.9: a body without a head", reason="bad_response", status=0)
async def http09(wire: Wire) -> None:
    await wire.send(PICTURE)


@endpoint("/nul", "NUL in a header", reason="bad_response", status=0)
async def nul(wire: Wire) -> None:
    await wire.say("200 OK", "X-Nul: a\0b", body=PICTURE)


@endpoint("/switching", "101, another protocol", reason="bad_response", status=101)
async def switching(wire: Wire) -> None:
    await wire.say("101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade")
    await wire.send(PICTURE)


@endpoint(
    "/not-modified",
    "304, though nothing was asked of the kind",
    status=304,
    whole="http_status",
    keeps=True,
)
async def not_modified(wire: Wire) -> None:
    await wire.say("304 Not Modified", "Content-Length: 1000")


@endpoint("/no-content", "204", status=204, whole="http_status", keeps=True)
async def no_content(wire: Wire) -> None:
    await wire.say("204 No Content")


# Answers that are no picture.


@endpoint("/missing", "404 with a page", status=404, whole="not_found", keeps=True)
async def missing(wire: Wire) -> None:
    await wire.say("404 Not Found", "Content-Type: text/html", body=b"<h1>Gone fishing</h1>")


@endpoint("/missing-later", "404 whose page comes late", status=404, whole="not_found", keeps=True)
async def missing_later(wire: Wire) -> None:
    await wire.say("404 Not Found", "Transfer-Encoding: chunked")
    await asyncio.sleep(0.05)
    await wire.send(b"3\r\nabc\r\n0\r\n\r\n")


@endpoint("/missing-large", "404 with a page of 300 kB", status=404, whole="not_found", keeps=True)
async def missing_large(wire: Wire) -> None:
    await wire.say("404 Not Found", body=bytes(300_000))


@endpoint("/forbidden", "403", status=403, whole="http_status", keeps=True)
async def forbidden(wire: Wire) -> None:
    await wire.say("403 Forbidden", body=b"")


@endpoint("/html", "200 with a page", body=b"<html>not here</html>", keeps=True)
async def html(wire: Wire) -> None:
    await wire.say("200 OK", "Content-Type: text/html", body=b"<html>not here</html>")


@endpoint("/empty", "200 with nothing", whole="empty", keeps=True)
async def empty(wire: Wire) -> None:
    await wire.say(body=b"")


@endpoint("/cut-picture", "half a picture, with its right length", body=PICTURE[:200], keeps=True)
async def cut_picture(wire: Wire) -> None:
    await wire.say(body=PICTURE[:200])


# Redirects.


def redirect(
    path: str, says: str, to: str, *, status: str = "302 Found", location: str = "", **right: object
) -> None:
    """An endpoint that leads elsewhere; `{here}` is the server."""
    code = int(status[:3])
    if "reason" not in right:
        location = location or to

    async def behave(wire: Wire) -> None:
        place = to.replace("{here}", wire.here).replace("{place}", wire.here[len("http://") :])
        await wire.say(status, f"Location: {place}", body=b"elsewhere")

    note = endpoint(path, says, status=code, location=location, keeps=True, **right)
    note(behave)


redirect("/loop", "to itself", "{here}/loop", whole="redirect_loop")
for hop in range(11, 0, -1):
    redirect(
        f"/hops/{hop}",
        f"{hop} hops to a picture",
        f"{{here}}/hops/{hop - 1}" if hop > 1 else "{here}/good",
        whole="too_many_redirects" if hop > 5 else "",
    )
redirect(
    "/relative",
    "a relative one with a fragment",
    "./good?x=1#here",
    location="{here}/good?x=1",
    status="308 Permanent Redirect",
    whole="",
)
redirect(
    "/protocol-relative",
    "without a scheme",
    "//127.0.0.1:1/good",
    location="http://127.0.0.1:1/good",
    status="301 Moved",
    whole="bad_port",
)
redirect(
    "/userinfo",
    "with a name and a password",
    "http://name:word@{place}/good",
    location="{here}/good",
    whole="",
)
redirect(
    "/utf-8",
    "an address with bytes beyond ASCII",
    "{here}/caf\xc3\xa9?\xc3\xa9",
    location="{here}/caf%C3%A9?%C3%A9",
    whole="not_found",
)
redirect(
    "/latin-1-location",
    "an address in ISO-8859-1",
    "{here}/caf\xe9",
    location="{here}/caf%E9",
    whole="not_found",
)
redirect("/to-file", "to a file", "file:///etc/passwd", reason="bad_scheme")
redirect("/to-ftp", "to FTP", "ftp://127.0.0.1/x.jpg", reason="bad_scheme")
redirect(
    "/to-data", "to a data URL", "data:image/gif;base64,R0lGODlhAQABAAAAACw=", reason="bad_scheme"
)
redirect("/to-javascript", "to a script", "javascript:alert(1)", reason="bad_scheme")
redirect("/to-nowhere", "to what is no URL", "http://[::1", reason="bad_url")
redirect("/to-no-host", "to no host", "http:///x.jpg", reason="bad_url")
redirect(
    "/to-metadata",
    "to a cloud's metadata",
    "http://169.254.169.254/latest/meta-data/",
    whole="private_address",
)
redirect(
    "/to-mapped",
    "to the same in IPv6 spelling",
    "http://[::ffff:a9fe:a9fe]/",
    whole="private_address",
)
redirect(
    "/to-nat64",
    "to a private address through NAT64",
    "http://[64:ff9b::a00:1]/",
    whole="private_address",
)
redirect("/to-zero", "to 0.0.0.0", "http://0.0.0.0/", whole="private_address")
redirect("/to-decimal", "to loopback as one number", "http://2130706433/", whole="private_address")
redirect("/to-hexadecimal", "to loopback in hexadecimal", "http://0x7f.1/", whole="private_address")
redirect("/to-ssh", "to an odd port", "http://127.0.0.1:22/", whole="bad_port")


@endpoint("/no-location", "302 without an address", status=302, whole="http_status", keeps=True)
async def no_location(wire: Wire) -> None:
    await wire.say("302 Found", body=b"")


@endpoint(
    "/empty-location", "302 with an empty address", status=302, whole="http_status", keeps=True
)
async def empty_location(wire: Wire) -> None:
    await wire.say("302 Found", "Location: ", body=b"")


# Servers that want to be asked later. They give the picture when they are asked again.


def later(path: str, says: str, status: str, *fields: str, whole: str = "") -> None:
    async def behave(wire: Wire) -> None:
        if wire.server.requests[path] > 1:
            await wire.say(body=PICTURE)
            return
        await wire.say(
            status, *(field.replace("{soon}", _soon()) for field in fields), body=b"wait"
        )

    endpoint(path, says, status=int(status[:3]), whole=whole, keeps=True)(behave)


def _soon() -> str:
    return email.utils.formatdate(datetime.datetime.now().timestamp() + 1, usegmt=True)  # noqa: DTZ005


later("/429", "429, a second", "429 Too Many Requests", "Retry-After: 1")
later("/503", "503, until a date", "503 Service Unavailable", "Retry-After: {soon}")
later(
    "/429-huge",
    "429, a year",
    "429 Too Many Requests",
    "Retry-After: 31536000",
    whole="asked_to_wait",
)
later("/429-odd", "429, for no time at all", "429 Too Many Requests", "Retry-After: soon")
later("/500", "500, the first time", "500 Oops")


# TLS.


@endpoint("/tls", "a good certificate", body=PICTURE, tls="right", keeps=True)
async def tls_right(wire: Wire) -> None:
    await wire.say(body=PICTURE)


@endpoint(
    "/tls-self-signed", "a certificate of nobody", reason="tls_failure", status=0, tls="self-signed"
)
@endpoint(
    "/tls-wrong-name",
    "another host's certificate",
    reason="tls_failure",
    status=0,
    tls="wrong-name",
)
@endpoint(
    "/tls-expired", "a certificate of yesteryear", reason="tls_failure", status=0, tls="expired"
)
@endpoint("/tls-none", "no TLS where it is asked for", reason="tls_failure", status=0, tls="none")
async def tls_never(_: Wire) -> None:
    raise AssertionError("asked through TLS that nobody should trust")
