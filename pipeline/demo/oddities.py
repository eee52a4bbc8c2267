"""What every real archive holds too: pages and images that come to nothing, each in its own way.

The build counts each of them under another reason; the test of the demo names them all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import brotli
import jinja2
from PIL import Image

from openm3w.pipeline.demo import photos
from openm3w.pipeline.demo.content import Content
from openm3w.pipeline.demo.responses import Response, payload_digest

HOST = "http://blog.example"

_LOREM = (
    "The attic had not been cleared since the house was built, and whatever nobody needed any "
    "more had been carried up there and forgotten."
)
_MORE = (
    "We sorted everything into three heaps: to keep, to give away, and to talk about in the "
    "evening. The third heap was the largest."
)


def odd_responses(content: Content) -> Iterator[Response]:
    """Pages that are dropped or fail, and one page with every kind of bad image."""
    yield from _pages(content)
    yield from _attic(content)


def _pages(content: Content) -> Iterator[Response]:
    cat = '<img src="/photos/cat.jpg" alt="A cat">'
    yield _page("/imprint", "Imprint", _p("Responsible for this page is nobody in particular."))
    yield _page("/lost", "Not found", _p("There is nothing here.", cat), status="404 Not Found")
    yield _page("/broken", "Error", _p("Come back later.", cat), status="500 Internal Server Error")
    yield Response(url=f"{HOST}/old", status="301 Moved Permanently", headers=(("Location", "/"),))
    yield Response(url=f"{HOST}/empty")
    yield _page("/short", "Soon", _p(cat, "More soon."))
    yield _page("/gallery", "Cats", _p(_LOREM, _MORE, cat, _img("cat-eyes"), _img("cat-nose")))
    yield _page("/hotlinks", "Borrowed pictures", _p(_LOREM, _img("gone-1"), _img("gone-2"), _MORE))
    yield _page(
        "/private",
        "Please do not collect this",
        _p(_LOREM, cat, _MORE, _img("cat-eyes"), _LOREM),
        head='<meta name="robots" content="noai, noimageai">',
    )
    yield _page("/deep", "Boxes in boxes", "<div>" * 1200 + cat + "</div>" * 1200)
    yield _garbled(content)
    robots = b"User-agent: *\nAllow: /\n"
    yield Response(url=f"{HOST}/robots.txt", body=robots, content_type="text/plain")


def _garbled(content: Content) -> Response:
    """A page whose compressed bytes were damaged on the way, after the first thousands."""
    page = _page(
        "/garbled",
        "Garbled",
        _p(_img("cat"), *(text for other in content.pages for text in other.body)),
    )
    packed = brotli.compress(page.body)
    half = len(packed) // 2
    return replace(page, body=packed[:half] + b"\xff" * half, headers=(("Content-Encoding", "br"),))


def _attic(content: Content) -> Iterator[Response]:
    """One page whose images end in every way that an image can."""
    bad = dict(_bad_images(content))
    paragraphs = [_LOREM]
    for name in ("moved", *bad, "never-captured", "seen-before", "forgotten", "lost-way"):
        paragraphs += [_img(name), f"This lay in box {len(paragraphs)}, under a blanket."]
    yield _page("/attic", "What we found in the attic", _p(*paragraphs, _MORE))
    for name, (body, content_type, status) in bad.items():
        yield _image(name, body, content_type=content_type, status=status)
    good = photos.render(content.pictures["chess"], 300)
    yield _image(
        "moved", b"", status="302 Found", headers=(("Location", "/photos/chess-board.jpg"),)
    )
    yield _image("chess-board", good)
    yield _image("seen-before", b"", repeats=payload_digest(good))
    yield _image("forgotten", b"", repeats=payload_digest(b"an older crawl has it"))
    yield _image("lost-way", b"", status="302 Found", headers=(("Location", "/nowhere.jpg"),))


def _bad_images(content: Content) -> Iterator[tuple[str, tuple[bytes, str, str]]]:
    """Name -> body, media type and status."""
    coins = content.pictures["coins"]
    photo, strip = photos.render(coins, 384), photos.cut(coins).crop((0, 0, 380, 80))
    grey, white = Image.new("RGB", (300, 200), "grey"), Image.new("1", (10_000, 9_000))
    jpeg, ok = "image/jpeg", "200 OK"
    yield "cut-off", (photo[: len(photo) // 3], jpeg, ok)
    yield "small", (photos.render(coins, 48), jpeg, ok)
    yield "grey", (photos.encode(grey, "jpg"), jpeg, ok)
    yield "banner", (photos.encode(strip, "jpg"), jpeg, ok)
    yield "huge", (photos.encode(white, "png"), "image/png", ok)
    yield "drawing", (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "image/svg+xml", ok)
    yield "nothing", (b"", jpeg, ok)
    yield "sorry", (b"<html><body>Please log in.</body></html>", "text/html", ok)
    yield "removed", (b"gone", jpeg, "410 Gone")


def _page(path: str, title: str, body: str, *, head: str = "", status: str = "200 OK") -> Response:
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    template = jinja2.Environment(loader=loader, autoescape=True).get_template("plain.html")
    html = template.render(title=title, body=body, head=head)
    return Response(url=f"{HOST}{path}", body=html.encode(), status=status)


def _image(
    name: str,
    body: bytes,
    *,
    content_type: str = "image/jpeg",
    status: str = "200 OK",
    headers: Iterable[tuple[str, str]] = (),
    repeats: str = "",
) -> Response:
    return Response(
        url=f"{HOST}/photos/{name}.jpg",
        body=body,
        content_type=content_type,
        status=status,
        headers=tuple(headers),
        repeats=repeats,
    )


def _img(name: str) -> str:
    return f'<img src="/photos/{name}.jpg" alt="">'


def _p(*paragraphs: str) -> str:
    return "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
