"""What tests share: where the real material is, builders of small inputs, a web server of files."""

import io
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image as PillowImage
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What viewers keep is kept among the tests' own files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENM3W_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def realdata() -> Path:
    """The folder of real material; the test is skipped, saying so, where it is missing."""
    folder = Path(os.environ.get("OPENM3W_REALDATA", ROOT / "../shared/realdata")).resolve()
    if (folder / "warc").is_dir():
        return folder
    message = f"no real material at {folder}; set OPENM3W_REALDATA"
    if os.environ.get("OPENM3W_REQUIRE_REALDATA"):
        pytest.fail(message)
    pytest.skip(message)


def photograph(width: int, height: int, *, seed: int = 0) -> PillowImage.Image:
    """A picture with gradients and texture: neither single-coloured nor alike for two seeds."""
    import numpy as np

    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    waves = np.sin(x / (5 + seed % 7))[..., None] + np.cos(y / (3 + seed % 5))[..., None]
    noise = rng.normal(0, 0.2, (height, width, 3))
    pixels = 127 + 50 * (waves + noise) * rng.uniform(0.5, 1, 3)
    return PillowImage.fromarray(pixels.clip(0, 255).astype("uint8"))


@pytest.fixture(scope="session")
def image_bytes() -> Callable[..., bytes]:
    """`image_bytes(width, height, format="PNG", seed=0)`: an encoded picture."""

    def make(width: int, height: int, format: str = "PNG", *, seed: int = 0, **options) -> bytes:  # noqa: A002
        buffer = io.BytesIO()
        photograph(width, height, seed=seed).save(buffer, format=format, **options)
        return buffer.getvalue()

    return make


WARC_DATE = "2024-05-06T07:08:09Z"


class ArchiveBuilder:
    """Writes small WARC files record by record: `archive.page(url, html)`, `archive.image(...)`."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._writer = WARCWriter(self._buffer, gzip=True)
        self._count = 0
        self.offsets: list[int] = []

    def add(
        self,
        url: str,
        body: bytes,
        *,
        content_type: str = "text/html; charset=utf-8",
        status: str = "200 OK",
        headers: tuple[tuple[str, str], ...] = (),
        date: str = WARC_DATE,
        kind: str = "response",
        warc_headers: dict[str, str] | None = None,
    ) -> "ArchiveBuilder":
        http = StatusAndHeaders(
            status, [("Content-Type", content_type), *headers], protocol="HTTP/1.1"
        )
        self._count += 1
        record_id = f"<urn:uuid:00000000-0000-4000-8000-{self._count:012x}>"
        about = {"WARC-Record-ID": record_id, "WARC-Date": date, **(warc_headers or {})}
        self.offsets.append(self._buffer.tell())
        record = self._writer.create_warc_record(
            url,
            kind,
            payload=io.BytesIO(body),
            http_headers=http if kind != "metadata" else None,
            warc_headers_dict=about,
        )
        self._writer.write_record(record)
        record.raw_stream.close()  # a temporary file, which warcio leaves to the collector
        return self

    def page(self, url: str, html: str, **options) -> "ArchiveBuilder":
        return self.add(url, html.encode(), **options)

    def image(
        self, url: str, data: bytes, content_type: str = "image/png", **options
    ) -> "ArchiveBuilder":
        return self.add(url, data, content_type=content_type, **options)

    def redirect(self, url: str, to: str) -> "ArchiveBuilder":
        return self.add(url, b"", status="301 Moved Permanently", headers=(("Location", to),))

    def bytes(self) -> bytes:
        return self._buffer.getvalue()

    def write(self, path: Path) -> Path:
        path.write_bytes(self.bytes())
        return path


@pytest.fixture
def archive() -> ArchiveBuilder:
    return ArchiveBuilder()


class WebFiles:
    """A server of files: `url = web.put("a.csv", b"...")`; what it is asked is in `requests`."""

    def __init__(self, port: int) -> None:
        self.files: dict[str, bytes] = {}
        self.base = f"http://127.0.0.1:{port}"
        self.requests: list[tuple[str, str]] = []
        """Method and range, in order."""
        self.failing = 0
        """Next GETs that are answered by 503."""
        self.gives_ranges = self.tells_length = True
        self.absent = 404
        """The answer for what is not there; of a bucket that nobody may list it is 403."""
        self.encoding = ""
        self.answering = threading.Event()
        """Cleared, a GET waits for an answer."""
        self.answering.set()

    def put(self, name: str, data: bytes) -> str:
        self.files[f"/{name}"] = data
        return f"{self.base}/{name}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet an answer
    disable_nagle_algorithm = True
    web: WebFiles

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        asked = self.headers.get("Range", "")
        self.web.requests.append((self.command, asked))
        data = self.web.files.get(self.path.partition("?")[0])
        if with_body:
            self.web.answering.wait()
        if data is None or (with_body and self.web.failing):
            self.web.failing -= data is not None
            self.send_response(self.web.absent if data is None else 503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        status, part = 200, data
        if self.web.gives_ranges and (found := re.fullmatch(r"bytes=(\d+)-(\d+)", asked)):
            first, last = map(int, found.groups())
            status, part = 206, data[first : last + 1]
        self.send_response(status)
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        if self.web.encoding:
            self.send_header("Content-Encoding", self.web.encoding)
        if self.web.tells_length:
            self.send_header("Content-Length", str(len(part)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if with_body:
            self.wfile.write(part)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web_files() -> Iterator[WebFiles]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    web = WebFiles(server.server_address[1])
    server.RequestHandlerClass = type("Handler", (_Handler,), {"web": web})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield web
    web.answering.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """A real Chromium without a window, for one module: an event loop runs while it is open."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        pytest.skip("no chromium: apt-get install chromium")
    with playwright.sync_playwright() as started:
        # Without a sandbox, since the tests may run as root in a container.
        opened = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()
