"""What tests share: where the real material is, and builders of small inputs."""

import io
import os
from collections.abc import Callable, Iterator
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
