"""What the extraction keeps on real archives: bounds well below what was measured."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from openm3w.pipeline.extraction.charset import decode_html
from openm3w.pipeline.extraction.extract import extract
from openm3w.pipeline.extraction.limits import check_html
from openm3w.shards.document import Image, Text

pytestmark = pytest.mark.real


def pages(path: Path) -> Iterator[tuple[str, str]]:
    """URL and HTML of an archive's pages."""
    with path.open("rb") as stream:
        for record in ArchiveIterator(stream):
            if record.rec_type == "response" and record.http_headers is not None:
                header = record.http_headers.get_header("Content-Type") or ""
                if "html" in header:
                    html, _ = decode_html(record.content_stream().read(), header)
                    yield record.rec_headers.get_header("WARC-Target-URI"), html


def test_manual_pages_keep_their_figures_and_lose_their_arrows(realdata: Path) -> None:
    with_images = 0
    for url, html in pages(realdata / "warc/docs/gimp-help-en-200.warc.gz"):
        assert check_html(html) is None
        found = extract(html, url)
        names = [span.url.rpartition("/")[2] for span in found.spans if isinstance(span, Image)]
        assert not {"prev.png", "next.png", "up.png", "home.png"} & set(names)
        assert len(names) + len(found.left_out) == found.elements
        with_images += any(name not in {"note.png", "tip.png", "warning.png"} for name in names)
    assert with_images >= 155  # 161 of the 163 pages that have figures


@pytest.mark.parametrize("language", ["ar-MA", "es-ES", "zh-CN"])
def test_figures_are_kept_in_every_script(realdata: Path, language: str) -> None:
    archive = realdata / f"warc/docs/debian-handbook-{language}-sect.warc.gz"
    found = [extract(html, url) for url, html in pages(archive)]
    assert sum(isinstance(span, Image) for page in found for span in page.spans) >= 35  # of 39
    assert all(any(isinstance(span, Text) for span in page.spans) for page in found)


def test_a_capture_of_2008_in_layout_tables_gives_text(realdata: Path) -> None:
    archive = realdata / "warc/captures/archivesunleashed-aut_example.warc.gz"
    found = [extract(html, url) for url, html in islice(pages(archive), 40)]
    assert sum(bool(page.spans) for page in found) >= 0.8 * len(found)  # some are stubs
