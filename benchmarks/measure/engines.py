"""Extractors as functions from decoded HTML and URL to a row of the scorer: ours and the peers'.

Each is made by a factory that can be pickled and does the importing, so that a process holds one
engine and nothing of the others. OBELICS' released extraction is on no package index and is left
out.
"""

import importlib.util
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, get_args
from urllib.parse import urljoin

Row = dict[str, Any]
Engine = Callable[[str, str], Row]
Factory = Callable[[], Engine]

BASELINE = "trafilatura fast"

# What does not end a paragraph, in HTML and in trafilatura's XML. Text of segments that the truth
# names may run through such elements, so it must not be cut there.
_INLINE_NAMES = (
    "a abbr acronym b bdi bdo big cite code del dfn em font hi i ins kbd label mark q ref s samp"
    " small span strike strong sub sup time tt u var wbr"
)
_INLINE = frozenset(_INLINE_NAMES.split())
_PEERS = {  # name in the table: the module it needs, and the factory
    BASELINE: ("trafilatura", "trafilatura", {"fast": True}),
    "trafilatura standard": ("trafilatura", "trafilatura", {"fast": False}),
    "readability-lxml": ("readability", "readability", {}),
    "resiliparse main content": ("resiliparse", "resiliparse", {}),
}


def our_engines() -> dict[str, str]:
    """Names for the table of every engine of ours, and what `extract` calls them."""
    from openm3w.pipeline.extraction import extract

    names = get_args(extract.Engine)
    return {"openm3w" if name == "openm3w" else f"openm3w, engine {name}": name for name in names}


def factories() -> dict[str, Factory]:
    """The engines that are installed, by their names in the table."""
    found: dict[str, Factory] = {
        label: partial(openm3w, name) for label, name in our_engines().items()
    }
    for label, (module, factory, options) in _PEERS.items():
        if importlib.util.find_spec(module):
            found[label] = partial(globals()[factory], **options)
    return found


def missing() -> list[str]:
    """Peers that are not installed, by their names in the table."""
    return [label for label, (module, *_) in _PEERS.items() if not importlib.util.find_spec(module)]


def openm3w(name: str) -> Engine:
    """Spans of `openm3w`, with roles and candidates of images."""
    from openm3w.pipeline.extraction.extract import extract
    from openm3w.shards.document import Text

    def run(html: str, url: str) -> Row:
        spans = extract(html, url, engine=name).spans  # type: ignore[arg-type]
        return {
            "url": url,
            "texts": [span.text if isinstance(span, Text) else None for span in spans],
            "images": [None if isinstance(span, Text) else span.url for span in spans],
            "image_metadata": [
                None
                if isinstance(span, Text)
                else {"candidates": span.candidates, "role": span.role}
                for span in spans
            ],
        }

    return run


def trafilatura(*, fast: bool) -> Engine:
    """Trafilatura's own XML, with its images."""
    from trafilatura import bare_extraction

    def run(html: str, url: str) -> Row:
        document: Any = bare_extraction(
            html, url=url, fast=fast, include_images=True, include_comments=False
        )
        return _row(url, None if document is None else document.body, image="graphic")

    return run


def readability() -> Engine:
    """The article of readability-lxml, which is HTML and is parsed once more."""
    from lxml.html import document_fromstring
    from readability import Document

    def run(html: str, url: str) -> Row:
        article = Document(html, url=url).summary(html_partial=True)
        return _row(url, document_fromstring(article) if article else None, image="img")

    return run


def resiliparse() -> Engine:
    """Plain text of resiliparse's main content; it has no images.

    Texts of `alt` and bullets, which the truth has not either, are off: that helps it.
    """
    from resiliparse.extract.html2text import extract_plain_text

    def run(html: str, url: str) -> Row:
        text = extract_plain_text(html, main_content=True, alt_texts=False, list_bullets=False)
        return {"url": url, "texts": [text] if text else [], "images": [None] if text else []}

    return run


def _row(url: str, root: Any, *, image: str) -> Row:
    """Texts and images of a tree in reading order."""
    texts, images = list[str | None](), list[str | None]()
    paragraph: list[str] = []
    for piece, source in (*_walk(root, image), (None, "")) if root is not None else ():
        if piece is not None:
            paragraph.append(piece)
            continue
        if "".join(paragraph).strip():
            texts.append("".join(paragraph))
            images.append(None)
        paragraph.clear()
        # A placeholder is no address of an image; ours leaves it out as well.
        if source and not source.startswith("data:"):
            texts.append(None)
            images.append(urljoin(url, source))
    return {"url": url, "texts": texts, "images": images}


def _walk(element: Any, image: str) -> Iterator[tuple[str | None, str]]:
    """Text, or (None, address) where a paragraph ends, the address "" where there is no image."""
    if not isinstance(element.tag, str):  # a comment
        return
    ends = () if element.tag in _INLINE else ((None, ""),)
    if element.tag == image:
        yield None, element.get("src") or ""
    yield from ends
    yield element.text or "", ""
    for child in element:
        yield from _walk(child, image)
        yield child.tail or "", ""
    yield from ends
