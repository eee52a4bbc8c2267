"""The demo's web archive: pages of four sites and what a browser would have loaded for them.

Ids, dates and order come from counters, so that the same versions of scikit-image, Pillow and
zlib give the same bytes.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import jinja2
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from openm3w.pipeline.demo import photos
from openm3w.pipeline.demo.content import PICTURE_MARK, Content, PageText, Picture
from openm3w.pipeline.demo.oddities import odd_responses
from openm3w.pipeline.demo.responses import DATE, LATER, Response
from openm3w.shards import commit

ARCHIVE_NAME: Final = "demo.warc.gz"

SIZES: Final[Mapping[str, tuple[tuple[str, int, str], ...]]] = {
    "news": (("/img/{name}-320.jpg", 320, "jpg"), ("/img/{name}-640.jpg", 640, "jpg")),
    "wiki": (("/thumb/{name}/330px.jpg", 330, "jpg"), ("/thumb/{name}/660px.jpg", 660, "jpg")),
    "shop": (("/media/{name}.webp", 600, "webp"), ("/media/{name}.jpg", 600, "jpg")),
    "blog": (("/photos/{name}.jpg", 640, "jpg"),),
}
"""By template: the addresses of a picture that were captured, with width and format. Pages name
more than these; what is not here was not captured."""

_RELATED = 4


@dataclass(frozen=True, slots=True)
class _Part:
    text: str = ""
    name: str = ""
    picture: Picture | None = None


def write_archive(content: Content, path: Path) -> int:
    """Commits the archive under `path`; the number of its response records.

    Raises:
        MissingError: scikit-image is not installed.
        OutputError: the file cannot be written.
    """
    responses = list(make_responses(content))
    with commit.committed(path) as file:
        _write(responses, file)
    return len(responses)


def make_responses(content: Content) -> Iterator[Response]:
    """Everything that the archive holds, in its order."""
    yield from _static()
    seen: set[str] = set()
    for number, page in enumerate(content.pages):
        yield Response(url=_ascii(page.url), body=_html(page, number, content).encode())
        for response in _pictures(page, content):
            if response.url not in seen:
                seen.add(response.url)
                yield response
    yield _front(content)
    first = content.pages[0]
    # The same page again a month later, and a copy of another one under a second address.
    yield Response(url=first.url, body=_html(first, 0, content).encode(), date=LATER)
    second = content.pages[1]
    yield Response(url=f"{second.url}?print=1", body=_html(second, 1, content).encode())
    yield from odd_responses(content)


def _html(page: PageText, number: int, content: Content) -> str:
    parts = [_part(paragraph, content) for paragraph in page.body]
    return _template(page.template).render(
        page=page,
        parts=parts,
        pictures=[part for part in parts if part.picture],
        related=list(_related(page, content)),
        facts={
            "number": f"A-{1000 + 37 * number}",
            "weight": 120 + 35 * (number % 11),
            "price": 9 + 4 * (number % 9),
            "stock": 3 + number % 14,
            "votes": 10 + 7 * (number % 8),
        },
    )


def _part(paragraph: str, content: Content) -> _Part:
    if not paragraph.startswith(PICTURE_MARK):
        return _Part(text=paragraph)
    name = paragraph.removeprefix(PICTURE_MARK)
    return _Part(name=name, picture=content.pictures[name])


def _related(page: PageText, content: Content) -> Iterator[dict[str, str]]:
    """The next pages of the same site, for its sidebar."""
    site = [other for other in content.pages if other.template == page.template]
    at = site.index(page) + 1
    for other in (site[at:] + site[:at])[:_RELATED]:
        yield {"url": _ascii(other.url), "title": other.title, "picture": _names(other)[0]}


def _names(page: PageText) -> list[str]:
    return [p.removeprefix(PICTURE_MARK) for p in page.body if p.startswith(PICTURE_MARK)]


def _pictures(page: PageText, content: Content) -> Iterator[Response]:
    host = urlsplit(page.url).netloc
    for name in _names(page):
        for pattern, width, suffix in SIZES[page.template]:
            url = f"http://{host}{pattern.format(name=name)}"
            body = photos.render(content.pictures[name], width, suffix)
            kind = "jpeg" if suffix == "jpg" else suffix
            yield Response(url=url, body=body, content_type=f"image/{kind}")


def _front(content: Content) -> Response:
    news = [page for page in content.pages if page.template == "news"]
    related = [{"url": p.url, "title": p.title, "picture": _names(p)[0]} for p in news]
    html = _template("front").render(related=related)
    return Response(url="http://news.example/", body=html.encode())


def _static() -> Iterator[Response]:
    """Style sheet, logos and icons that every page names."""
    css = b"body { max-width: 40em; margin: auto } .sidebar { float: right }\n"
    yield Response(url="http://news.example/static/site.css", body=css, content_type="text/css")
    logo = Picture(photo="logo.png", alt="", caption="")
    for host, name, width in (
        ("news", "logo", 180),
        ("news", "avatar", 48),
        ("news", "share-facebook", 32),
        ("news", "share-whatsapp", 32),
        ("news", "share-mail", 32),
        ("wiki", "wiki-logo", 135),
        ("shop", "shop-logo", 120),
        ("shop", "star", 16),
        ("shop", "stock-icon", 24),
        ("blog", "avatar", 80),
    ):
        yield Response(
            url=f"http://{host}.example/static/{name}.png",
            body=photos.render(logo, width, "png"),
            content_type="image/png",
        )


def _template(name: str) -> jinja2.Template:
    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True)
    return environment.get_template(f"{name}.html")


def _ascii(url: str) -> str:
    return quote(url, safe=":/?=&%")


def _write(responses: Iterable[Response], file: Any) -> None:
    writer = WARCWriter(file, gzip=True)
    info = {"software": "m3w demo", "format": "WARC File Format 1.1"}
    record = writer.create_warcinfo_record(ARCHIVE_NAME, info)
    record.rec_headers.replace_header("WARC-Date", DATE)
    record.rec_headers.replace_header("WARC-Record-ID", _record_id(0))
    _put(writer, record)
    for number, response in enumerate(responses, start=1):
        about = {"WARC-Record-ID": _record_id(number), "WARC-Date": response.date}
        headers = [("Content-Type", response.content_type), *response.headers]
        http = StatusAndHeaders(response.status, headers, protocol="HTTP/1.1")
        if response.repeats:
            record = writer.create_revisit_record(
                response.url,
                digest=response.repeats,
                refers_to_uri=response.url,
                refers_to_date=DATE,
                http_headers=http,
                warc_headers_dict=about,
            )
        else:
            record = writer.create_warc_record(
                response.url,
                "response",
                payload=io.BytesIO(response.body),
                http_headers=http,
                warc_headers_dict=about,
            )
        _put(writer, record)


def _put(writer: Any, record: Any) -> None:
    writer.write_record(record)
    # A temporary file, which warcio leaves to the garbage collector.
    record.raw_stream.close()


def _record_id(number: int) -> str:
    return f"<urn:uuid:00000000-0000-4000-8000-{number:012x}>"
