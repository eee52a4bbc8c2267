"""Builders of small documents and of images that pass every filter."""

from collections.abc import Callable

import hypothesis
import pytest

from openm3w.shards.document import Document, Image, ImageContent, Signals, Text

# A busy machine is no failure.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

GOOD_SCORES = {"grey_deviation": 60.0, "similarity": 0.5}


def make_picture(
    name: str = "a", width: int = 200, height: int = 100, *, measured: bool = True, **scores: float
) -> Image:
    content = ImageContent(
        sha256=name,
        width=min(width, 512),
        height=min(height, 512),
        original_width=width,
        original_height=height,
        num_bytes=1000,
    )
    return Image(
        url=f"https://example.org/{name}.jpg",
        content=content if measured else None,
        scores={**GOOD_SCORES, **scores},
    )


def make_document(*spans: str | Image, doc_id: str = "0" * 32, **signals: object) -> Document:
    about = {"language": "en", "language_score": 0.99, **signals}
    return Document(
        doc_id=doc_id,
        url="https://example.org/",
        spans=tuple(Text(text=span) if isinstance(span, str) else span for span in spans),
        signals=Signals(**about),
    )


@pytest.fixture
def picture() -> Callable[..., Image]:
    """`picture("a", width, height, similarity=0.1)`: a measured image."""
    return make_picture


@pytest.fixture
def document() -> Callable[..., Document]:
    """`document("text", picture(), "text", language="de")`."""
    return make_document
