"""Real pages: every paragraph and image element is the one that a browser's parser sees."""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from openm3w.pipeline.extraction.charset import decode_html

pytestmark = pytest.mark.real

Read = Callable[[str], tuple[list[str], list[str | None]]]

NOSCRIPT = re.compile(r"<noscript[^>]*>(.*?)</noscript", re.IGNORECASE | re.DOTALL)
DIV = re.compile(r"<(/?)div[\s>]", re.IGNORECASE)


def splits_noscript(html: str) -> bool:
    """Whether one `<noscript>` holds the start tag of an element and another its end tag.

    With scripts switched off, as lexbor has them, the first one then holds all between; in
    browsers each ends by itself, and so it does for us.
    """
    return any(
        sum(-1 if end else 1 for end in DIV.findall(inner)) for inner in NOSCRIPT.findall(html)
    )


def pages(path: Path, count: int | None) -> Iterator[tuple[str, str]]:
    with path.open("rb") as stream:
        found = (
            (record.rec_headers.get_header("WARC-Target-URI"), record.content_stream().read(), kind)
            for record in ArchiveIterator(stream)
            if record.rec_type == "response" and record.http_headers is not None
            if "html" in (kind := record.http_headers.get_header("Content-Type") or "")
        )
        for url, body, kind in islice(found, count):
            yield url, decode_html(body, kind)[0]


@pytest.mark.parametrize(
    ("archive", "count"),
    [
        ("extraction/readability.warc.gz", None),
        ("extraction/trafilatura.warc.gz", None),
        ("warc/captures/allenai-dolma_sample-0000.warc.gz", None),
        ("warc/captures/archivesunleashed-aut_example.warc.gz", None),
        ("warc/captures/chatnoir-eu-chatnoir-resiliparse_warcfile.warc.gz", None),
        ("warc/captures/openzim-warc2zim_solidaritenum.warc.gz", None),
        ("warc/captures/ukwa_gov-uk.warc.gz", None),
        ("warc/captures/webrecorder-pywb_iana.warc.gz", None),
        ("warc/docs/debian-handbook-ar-MA-sect.warc.gz", 10),
        ("warc/docs/gimp-help-en-200.warc.gz", 50),
        ("warc/docs/skimage-examples-20.warc.gz", None),
    ],
)
def test_paragraphs_and_images_of_real_pages(
    realdata: Path, ours: Read, browser: Read, archive: str, count: int | None
) -> None:
    compared = left_alone = 0
    for url, html in pages(realdata / archive, count):
        paragraphs, images = ours(html)
        their_paragraphs, their_images = browser(html)
        assert images == their_images, url
        if not splits_noscript(html):
            assert paragraphs == their_paragraphs, url
            compared += bool(paragraphs)
        else:
            left_alone += 1
    assert compared > 50 * left_alone
